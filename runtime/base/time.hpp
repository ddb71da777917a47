#pragma once

/// Time as a value. Machines are told the time; only node/ reads a clock (CLOCK_BOOTTIME), and the
/// simulator invents one.

#include <chrono>
#include <cstdint>

namespace fastgpu::base {

/// Tags time points of a node's own steady clock. It has no `now()`: nobody can ask it here.
struct BootClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

using Duration = BootClock::duration;
/// A moment on one node's steady clock. Moments of two nodes cannot be compared.
using Time = BootClock::time_point;
/// Milliseconds since 1970 UTC, for people only: no decision is taken on it.
using WallTimeMs = std::int64_t;

}  // namespace fastgpu::base
