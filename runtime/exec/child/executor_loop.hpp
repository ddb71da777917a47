#pragma once

/// The life of the executor process: takes tasks from the ring, has the device run them, answers.
///
/// Place in the flow: called by the program's main. Returns when the node is gone or hangs up. One
/// thread; tasks run one at a time, in the order in which their kernels become ready.

#include <cstdint>
#include <string>

namespace fastgpu::exec {

struct ExecutorProcessOptions {
  std::string device{"cpu:0"};
  std::string cache_folder;
  std::string own_program;  ///< path of this program, for the compile child
  std::uint32_t user{0};    ///< who it becomes if it is root; must be there then
  std::uint32_t threads{0};
  std::uint64_t memory_bytes{0};
  std::string walls;  ///< what the process has given up, for the hello (executor_walls.hpp)
};

/// Returns the process's exit code.
int run_executor(const ExecutorProcessOptions& options);

}  // namespace fastgpu::exec
