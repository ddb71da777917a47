#pragma once

/// The files of this host that a command's job names, read when it is submitted. Called on a
/// caller's thread; blocks on the disk. A file that cannot be read is an Error (file_not_found).

#include <cstdint>
#include <string>
#include <vector>

#include "client/spec_contents.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::client {

/// An input of a command with its bytes: one for all tasks, or one for each.
struct LoadedInput {
  std::string path;
  bool executable{false};
  std::vector<base::Bytes> data;
};

/// All inputs; a folder gives one for each file below it. At most limits::command_files_max.
base::Result<std::vector<LoadedInput>> load_inputs(const v1::JobSpec::Contents& contents);

}  // namespace fastgpu::client
