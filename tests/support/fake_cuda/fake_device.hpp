#pragma once

/// The fake GPU of this process: memory, and a queue of work done in order by a thread of its own.
///
/// Place in the flow: the fake driver's functions hand it work and return at once, as a driver
/// does; an error of a kernel shows at some later call, and from then on at every call. Kernels run
/// on the CPU device's launcher, one block after the other. Work after a kernel that hangs is never
/// done. Thread-safe.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/exec/cpu/run/guarded_buffer.hpp"
#include "runtime/exec/cpu/run/launcher.hpp"
#include "runtime/exec/cuda/codes.hpp"

namespace fastgpu::testing {

struct FakeLibrary {
  std::shared_ptr<exec::Module> module;
  std::string kernel;
  unsigned arch{};
};

class FakeDevice {
 public:
  /// Lives until the process ends: a hanging kernel cannot be joined.
  static FakeDevice& instance();

  /// 0, or the error that ended the context.
  exec::cuda::Code sticky() const { return sticky_.load(); }
  void enqueue(std::function<void()> work);
  /// Counts launches of this process, from 1, and does what the knobs want with them.
  void enqueue_launch(std::shared_ptr<exec::Module> module, exec::LaunchShape shape,
                      std::vector<std::vector<char>> arguments);
  /// Waits until all that was enqueued is done, then writes what kernels printed.
  exec::cuda::Code synchronise();

  exec::cuda::Code allocate(std::size_t bytes, std::size_t pool_bytes_max, std::uint64_t& pointer);
  /// At once, though a driver waits for what was enqueued: so call it from there.
  void release(std::uint64_t pointer);
  std::uint64_t used_bytes();
  bool contains(std::uint64_t pointer, std::size_t bytes);

 private:
  FakeDevice();
  void serve();
  void run(const exec::Module& module, const exec::LaunchShape& shape,
           std::vector<std::vector<char>>& arguments);
  void fail(exec::cuda::Code code) { sticky_.store(code); }

  std::atomic<exec::cuda::Code> sticky_{exec::cuda::success};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool busy_{false};
  std::uint64_t launches_{0};
  std::string printed_;
  exec::BufferPool pool_{64u << 20};
  std::map<std::uint64_t, exec::GuardedBuffer> memory_;
  std::uint64_t used_bytes_{0};
  exec::Launcher launcher_{1};
  std::thread thread_;
};

}  // namespace fastgpu::testing
