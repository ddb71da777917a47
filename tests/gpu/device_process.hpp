#pragma once

/// One device behind its executor, as a node has it, for a caller that does one thing at a time.
///
/// Threads: events come on the executor's thread and are kept; everything else is the caller's.
/// Failures: what does not come within `patience` is told by an empty result.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/exec/process_executor.hpp"

namespace fastgpu::gpu_report {

using Clock = std::chrono::steady_clock;

/// Of the first context on a slow host, with its compiler.
inline constexpr std::chrono::seconds patience{60};

double milliseconds_since(Clock::time_point begin);

class DeviceProcess {
 public:
  explicit DeviceProcess(exec::ProcessExecutorOptions options);

  /// When it takes tasks, or why it does not.
  base::Result<exec::DeviceDescription> await_ready();
  /// Hands in, waiting for the device to be ready and for room.
  std::optional<exec::TaskToken> submit(exec::ExecutorTask task);
  std::optional<exec::ExecutorResult> await(exec::TaskToken token,
                                            std::chrono::milliseconds limit = patience);
  std::optional<exec::ExecutorResult> run(exec::ExecutorTask task);
  /// Ends the process and waits until that is told.
  bool kill();
  std::size_t deaths();

 private:
  void note(const exec::ExecutorEvent& event);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<exec::DeviceDescription> device_;  ///< while it takes tasks
  std::size_t deaths_{0};
  std::string last_death_;  ///< why
  std::map<exec::TaskToken, exec::ExecutorResult> results_;
  std::uint64_t last_token_{0};
  std::unique_ptr<exec::Executor> executor_;
};

}  // namespace fastgpu::gpu_report
