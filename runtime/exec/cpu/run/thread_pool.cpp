#include "runtime/exec/cpu/run/thread_pool.hpp"

#include <algorithm>

namespace fastgpu::exec {
namespace {

/// About 20 us of looking before sleeping: launches come in bursts.
constexpr int pauses_before_sleep = 400;
constexpr std::uint64_t open = 1;
constexpr std::uint64_t one_inside = 2;

}  // namespace

ThreadPool::ThreadPool(unsigned threads) {
  for (unsigned i = 1; i < threads; ++i)
    helpers_.emplace_back([this, i] { serve(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    round_.fetch_add(1);
  }
  called_.notify_all();
  for (auto& helper : helpers_)
    helper.join();
}

void ThreadPool::run(const std::function<void(unsigned)>& work, unsigned helpers) {
  helpers = std::min(helpers, static_cast<unsigned>(helpers_.size()));
  if (helpers == 0) {
    work(0);
    return;
  }
  work_ = &work;
  door_.store(open, std::memory_order_release);
  {
    std::lock_guard lock(mutex_);
    round_.fetch_add(1, std::memory_order_release);
  }
  if (helpers == helpers_.size()) {
    called_.notify_all();
  } else {
    for (unsigned i = 0; i < helpers; ++i)
      called_.notify_one();
  }
  work(0);
  door_.fetch_and(~open, std::memory_order_acq_rel);
  for (int i = 0; i < pauses_before_sleep; ++i) {
    if (door_.load(std::memory_order_acquire) == 0)
      return;
    __builtin_ia32_pause();
  }
  std::unique_lock lock(mutex_);
  left_.wait(lock, [this] { return door_.load(std::memory_order_acquire) == 0; });
}

void ThreadPool::serve(unsigned index) {
  std::uint64_t seen = 0;
  for (;;) {
    for (int i = 0; i < pauses_before_sleep && round_.load(std::memory_order_acquire) == seen; ++i)
      __builtin_ia32_pause();
    if (round_.load(std::memory_order_acquire) == seen) {
      std::unique_lock lock(mutex_);
      called_.wait(lock, [this, seen] { return round_.load() != seen; });
    }
    {
      std::lock_guard lock(mutex_);
      if (stop_)
        return;
    }
    seen = round_.load(std::memory_order_acquire);
    std::uint64_t door = door_.load(std::memory_order_acquire);
    while ((door & open) != 0 && !door_.compare_exchange_weak(door, door + one_inside)) {
    }
    if ((door & open) == 0)
      continue;
    (*work_)(index);
    if (door_.fetch_sub(one_inside, std::memory_order_acq_rel) == one_inside) {
      std::lock_guard lock(mutex_);
      left_.notify_one();
    }
  }
}

}  // namespace fastgpu::exec
