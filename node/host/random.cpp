#include "node/host/random.hpp"

#include <sys/random.h>

#include "runtime/base/check.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::node {
namespace {

void fill_random(void* data, std::size_t size) {
  FASTGPU_CHECK(::getrandom(data, size, 0) == static_cast<ssize_t>(size),
                "the kernel gives random bytes");
}

}  // namespace

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  fill_random(&seed, sizeof seed);
  return seed;
}

std::string random_token() {
  base::ObjectHash random;
  fill_random(random.bytes.data(), random.bytes.size());
  return to_string(random);
}

}  // namespace fastgpu::node
