#pragma once

/// The host threads that run the blocks of a launch.
///
/// Place in the flow: owned by the launcher. `run` is called by one thread, which works along as
/// number 0 and returns when nobody works any more. Helpers that wake too late find the door shut
/// and sleep on, so a small launch never waits for a sleeper.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fastgpu::exec {

class ThreadPool {
 public:
  /// `threads` counts the caller of run().
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned size() const { return static_cast<unsigned>(helpers_.size()) + 1; }
  /// Calls `work(i)` on this thread as i = 0 and on up to `helpers` others. `work` must return by
  /// itself when there is nothing left to do, also when others never begin.
  void run(const std::function<void(unsigned)>& work, unsigned helpers);

 private:
  void serve(unsigned index);

  /// Bit 0: open. The rest: twice the number of helpers inside.
  std::atomic<std::uint64_t> door_{0};
  std::atomic<std::uint64_t> round_{0};
  const std::function<void(unsigned)>* work_{nullptr};
  std::mutex mutex_;
  std::condition_variable called_;
  std::condition_variable left_;
  bool stop_{false};
  std::vector<std::thread> helpers_;
};

}  // namespace fastgpu::exec
