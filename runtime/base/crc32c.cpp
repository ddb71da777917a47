#include "runtime/base/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace fastgpu::base {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// Slicing by eight (Kounavis and Berry, 2005): eight table look-ups for eight bytes.
constexpr Table make_tables() {
  Table tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
    }
    tables[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t k = 1; k < 8; ++k) {
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff];
    }
  }
  return tables;
}

constexpr Table tables = make_tables();
static_assert(std::endian::native == std::endian::little);

}  // namespace

std::uint32_t crc32c(std::span<const std::uint8_t> data, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  while (data.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data(), 8);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
    }
    data = data.subspan(8);
  }
  for (std::uint8_t byte : data) {
    crc = (crc >> 8) ^ tables[0][(crc ^ byte) & 0xff];
  }
  return ~crc;
}

}  // namespace fastgpu::base
