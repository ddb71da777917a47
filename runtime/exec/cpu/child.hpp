#pragma once

/// Runs one short-lived program to its end: no shell, its output captured and cut, its time
/// limited.
///
/// Place in the flow: the compiler is run through this. Blocks the calling thread. The program gets
/// a process group of its own, so that a kill reaches what it started.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::exec {

struct ChildCommand {
  std::vector<std::string> arguments;    ///< [0] is the program's path
  std::vector<std::string> environment;  ///< "NAME=VALUE", nothing is inherited
  std::string folder;                    ///< where it runs
  std::chrono::milliseconds limit{30'000};
  std::size_t output_bytes_max{64u << 10};
};

struct ChildEnd {
  int exit_code{};  ///< -1 when a signal ended it
  int signal{};
  bool timed_out{false};
  std::string output;  ///< standard output and error, cut
  bool output_cut{false};
  std::uint64_t cpu_ns{};  ///< of the program and all it waited for
};

base::Result<ChildEnd> run_child(const ChildCommand& command);

}  // namespace fastgpu::exec
