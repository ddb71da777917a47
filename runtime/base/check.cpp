#include "runtime/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace fastgpu::base {

void check_failed(const char* condition, const char* file, int line, const char* why) {
  std::fprintf(stderr, "fastgpu: broken invariant at %s:%d: %s (%s)\n", file, line, why, condition);
  std::fflush(stderr);
  std::abort();
}

}  // namespace fastgpu::base
