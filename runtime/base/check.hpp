#pragma once

namespace fastgpu::base {

/// Prints the broken promise with its place and aborts the process. Never returns, never throws.
[[noreturn]] void check_failed(const char* condition, const char* file, int line, const char* why);

}  // namespace fastgpu::base

/// Holds in every build. For what must be true unless our own code is wrong; never for input.
#define FASTGPU_CHECK(condition, why)                                     \
  do {                                                                    \
    if (!(condition)) [[unlikely]]                                        \
      ::fastgpu::base::check_failed(#condition, __FILE__, __LINE__, why); \
  } while (false)
