#pragma once

/// Random bytes from the kernel. Blocks only in the first second of a
/// host's life; aborts where the kernel has none.

#include <cstdint>

namespace fastgpu::node {

std::uint64_t random_seed();

}  // namespace fastgpu::node
