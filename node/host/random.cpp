#include "node/host/random.hpp"

#include <sys/random.h>

#include "runtime/base/check.hpp"

namespace fastgpu::node {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  FASTGPU_CHECK(::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed),
                "the kernel gives random bytes");
  return seed;
}

}  // namespace fastgpu::node
