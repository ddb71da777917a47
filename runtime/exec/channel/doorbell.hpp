#pragma once

/// Waiting for the other side of a channel: first by looking, then by sleeping.
///
/// Place in the flow: the executor's loop and the node's watching thread wait through this.
/// Rule: looking costs a core and answers in half a microsecond; sleeping costs nothing and answers
/// in five to fifty. So it looks for as long as looking has paid off lately, up to about 50 us, and
/// now and then tries whether it would pay off again. Where the other side gets no core because
/// this one is looking, that makes it sleep soon. Nothing is lost: the sleeper sets its word, looks
/// once more, then sleeps on the bell; the other side writes first and looks at the word
/// afterwards.

#include <poll.h>

#include <atomic>
#include <cstdint>
#include <span>

namespace fastgpu::exec {

class Doorbell {
 public:
  /// `asleep` lies in shared memory; `bell` is an eventfd. Neither is owned.
  Doorbell(std::atomic<std::uint32_t>* asleep, int bell) : asleep_(asleep), bell_(bell) {}

  /// After writing something that the other side waits for. The word is read by a write to it: so
  /// either this sees the sleeper, or the sleeper's last look sees what was written.
  void ring() {
    if (asleep_->fetch_or(0, std::memory_order_acq_rel) != 0)
      ring_always();
  }
  void ring_always();

  /// Waits until `ready` says true, or one of `others` becomes readable, or `limit_ms` is over
  /// (-1 = never). The bell itself is waited for too and reset.
  template <class Ready>
  void wait(Ready ready, std::span<pollfd> others, int limit_ms = -1) {
    const std::uint32_t looks = ++waits_ % waits_per_trial == 0 ? looks_max : looks_;
    for (std::uint32_t i = 0; i < looks; ++i) {
      if (ready()) {
        looks_ = looks * 2 < looks_max ? looks * 2 : looks_max;
        return;
      }
      __builtin_ia32_pause();
    }
    looks_ = looks / 2 > looks_min ? looks / 2 : looks_min;
    asleep_->exchange(1, std::memory_order_acq_rel);
    if (!ready())
      sleep(others, limit_ms);
    asleep_->store(0, std::memory_order_release);
  }

 private:
  static constexpr std::uint32_t looks_min = 128;
  static constexpr std::uint32_t looks_max = 1024;
  static constexpr std::uint32_t waits_per_trial = 64;
  void sleep(std::span<pollfd> others, int limit_ms);

  std::atomic<std::uint32_t>* asleep_;
  int bell_;
  std::uint32_t looks_{looks_max};
  std::uint32_t waits_{0};
};

}  // namespace fastgpu::exec
