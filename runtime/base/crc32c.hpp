#pragma once

/// CRC-32C (Castagnoli, RFC 3720 B.4): guards frames and records against accidents, not attackers.

#include <cstdint>
#include <span>

namespace fastgpu::base {

/// Chain calls by passing the previous result as `seed`.
std::uint32_t crc32c(std::span<const std::uint8_t> data, std::uint32_t seed = 0);

}  // namespace fastgpu::base
