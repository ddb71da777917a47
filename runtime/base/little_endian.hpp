#pragma once

/// Fixed-width integers as the wire has them: least significant byte first, on any host.
/// The caller has checked that the bytes are there.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastgpu::base {

template <class Integer>
void put_little_endian(std::vector<std::uint8_t>& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out.push_back(static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i)));
  }
}

template <class Integer>
Integer get_little_endian(const std::uint8_t* data) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value |= std::uint64_t{data[i]} << (8 * i);
  }
  return static_cast<Integer>(value);
}

}  // namespace fastgpu::base
