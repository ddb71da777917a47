#pragma once

/// SHA-256 (FIPS 180-4), here because runtime/exec may use no third-party code and must name
/// compiled kernels as the object store does.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/base/ids.hpp"

namespace fastgpu::base {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::uint8_t> data);
  void update(std::string_view text);
  /// The hash of all that was given. Call once, last.
  ObjectHash finish();

 private:
  void block(const std::uint8_t* data);
  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> tail_{};
  std::uint64_t length_{0};
};

ObjectHash sha256(std::span<const std::uint8_t> data);

}  // namespace fastgpu::base
