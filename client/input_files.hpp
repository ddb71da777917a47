#pragma once

/// The files of this host that a command's job names, found and read when it is submitted. Called
/// on a caller's thread; blocks on the disk. A file that cannot be read is an Error
/// (file_not_found).

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/spec_contents.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::client {

/// Bytes of a job: here, or in a file of this host that is read when they are needed, so that the
/// inputs of a job are not in memory all at once.
class Source {
 public:
  explicit Source(base::Bytes data) : data_(std::move(data)), size_bytes_(data_.size()) {}
  Source(std::string file, std::uint64_t size_bytes)
      : file_(std::move(file)), size_bytes_(size_bytes) {}

  /// When it was looked at; a file may have changed since.
  std::uint64_t size_bytes() const { return size_bytes_; }
  base::Result<base::Bytes> read() const;

 private:
  std::string file_;  ///< empty: `data_` holds the bytes
  base::Bytes data_;
  std::uint64_t size_bytes_;
};

/// An input of a command: one source for all tasks, or one for each.
struct FoundInput {
  std::string path;
  bool executable{false};
  std::vector<Source> sources;
};

/// All inputs; a folder gives one for each file below it. At most limits::command_files_max.
base::Result<std::vector<FoundInput>> find_inputs(const v1::JobSpec::Contents& contents);

}  // namespace fastgpu::client
