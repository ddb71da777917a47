#pragma once

/// The processor's clock, which is what clock64() reads on a CPU device: the same one in every
/// process of this machine. With it a test says until when a kernel shall occupy its device.

#include <chrono>

#include "tests/support/process/process.hpp"

namespace fastgpu::testing {

inline long long processor_clock() {
  return static_cast<long long>(__builtin_ia32_rdtsc());
}

/// How fast it goes: measured from when this is made until it is asked.
class ProcessorClockRate {
 public:
  /// For how long it has been measured, rounded up.
  Seconds measured() const {
    return std::chrono::ceil<Seconds>(std::chrono::steady_clock::now() - started_);
  }
  long long in(Seconds time) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
    const double per_second = static_cast<double>(processor_clock() - first_) / passed.count();
    return static_cast<long long>(per_second * static_cast<double>(time.count()));
  }

 private:
  long long first_{processor_clock()};
  std::chrono::steady_clock::time_point started_{std::chrono::steady_clock::now()};
};

/// Occupies its device until that moment of the processor's clock, whenever it was started.
inline constexpr const char* hold_source =
    "__global__ void hold(unsigned task, long long until, unsigned* out) {\n"
    "  while (clock64() < until) { }\n"
    "  *out = task + 7;\n"
    "}\n";

}  // namespace fastgpu::testing
