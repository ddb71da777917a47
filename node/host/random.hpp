#pragma once

/// Random bytes from the kernel, and what is made of them. Blocks only in the first second of a
/// host's life; aborts where the kernel has none.

#include <cstdint>
#include <string>

namespace fastgpu::node {

std::uint64_t random_seed();
/// 256 bits as 64 hexadecimal digits: nobody guesses it.
std::string random_token();

}  // namespace fastgpu::node
