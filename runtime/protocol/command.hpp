#pragma once

/// Commands: programs that a node starts for a user, the files they find and the files they leave.
/// Plain values, part of a JobSpec (job.hpp); schema/job.capnp is their wire and disk form.
///
/// In every text "{}" becomes the task's index and "{n}" the number of tasks. Paths are relative to
/// the folder that the command starts in, and stay below it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/data.hpp"

namespace fastgpu::protocol {

/// A file that is there when the command starts.
struct InputFile {
  std::string path;
  bool executable{false};
  std::vector<Data> data;  ///< one for all tasks, or one for each task
  bool operator==(const InputFile&) const = default;
};

struct CommandSpec {
  std::vector<std::string> argv;  ///< the program first; empty: the job is a kernel
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to FASTGPU_* and CUDA_*
  std::string cwd;  ///< where it starts; empty: the folder itself
  std::vector<InputFile> inputs;
  std::vector<std::string> outputs;   ///< files, or folders with all below, kept afterwards
  std::uint64_t host_memory_bytes{};  ///< of all its processes; 0 = what the host has
  std::uint64_t folder_bytes_max{};   ///< what it may write; 0 = limits::command_folder_bytes_max
  bool network{true};                 ///< may reach other hosts
  bool operator==(const CommandSpec&) const = default;
};

/// What became of a command beside state and reason; all zero where none ran.
struct CommandEnd {
  std::int32_t exit_code{};
  std::uint8_t signal{};   ///< that ended it; 0 = it exited
  std::string protection;  ///< "bubblewrap", "uid", "none"; empty where it never started
  std::int64_t cpu_ns{};
  std::uint64_t peak_memory_bytes{};
  std::uint64_t log_bytes_dropped{};      ///< over the cap of its log
  std::vector<std::string> output_paths;  ///< of the outcome's outputs, in their order
  bool operator==(const CommandEnd&) const = default;
};

/// How a job must have ended for another to begin.
enum class DependencyKind : std::uint8_t {
  ok,    ///< every task succeeded
  any,   ///< it ended in any way
  fail,  ///< it ended in any other way than `ok`
};
const char* to_word(DependencyKind kind);

/// Nothing of a job runs before another one has ended so.
struct Dependency {
  base::JobId job;
  DependencyKind kind{DependencyKind::ok};
  bool operator==(const Dependency&) const = default;
};

}  // namespace fastgpu::protocol
