#pragma once

/// The executor that stands on a child process, `fastgpu-executor`, one per device.
///
/// Place in the flow: the worker actor's real Executor. Tasks and results cross a shared-memory
/// ring, bulk data a shared arena; a socket pair tells of the other side's death.
/// Threads: one own thread, which spawns the child (so that the child dies with it), watches for
/// completions and calls the sink. `submit` copies the task's inputs into the arena.
/// Failures: the child's death in any way is told as ExecutorDied and repaired; what the child says
/// is checked and never trusted. A child that hangs in the host's kernel is told as dead; there is
/// no other until it is gone, because it may still write into the shared memory. A task larger than
/// the arena ends as cuda_out_of_memory with numbers. Limits: `window` tasks in flight,
/// `arena_bytes` of task data in flight.

#include <memory>
#include <string>

#include "runtime/exec/child_process.hpp"
#include "runtime/exec/executor.hpp"
#include "runtime/exec/sandbox/user_claim.hpp"

namespace fastgpu::exec {

struct ProcessExecutorOptions {
  std::string program;            ///< path of fastgpu-executor
  std::string device{"cpu:0"};    ///< "cpu:N", "cuda:UUID" or "null"
  std::string cache_folder;       ///< compiled kernels; made if missing; may be shared
  ClaimedUser user;               ///< of the child; must be there when this process is root. One
                                  ///< for all executors that share a cache folder
  std::uint32_t threads{0};       ///< threads that run kernels; 0 = all this process may use
  std::uint64_t memory_bytes{0};  ///< what buffers may use in all; 0 = half of the host's memory
  std::uint64_t arena_bytes{64ull << 20};  ///< shared memory; taken from the host only as touched
  std::uint32_t window{64};                ///< tasks in flight at most, up to 256
  std::uint32_t restart_pause_ms{10};      ///< doubled with each death in a row
  std::uint32_t restart_pause_max_ms{5000};
  std::uint32_t start_limit_ms{10'000};  ///< a child that is not ready by then is killed
  std::uint32_t end_limit_ms{5000};      ///< one that is killed and not gone by then hangs
  SendKill send_kill{};                  ///< for tests; empty = SIGKILL
};

std::unique_ptr<Executor> make_process_executor(ProcessExecutorOptions options);

}  // namespace fastgpu::exec
