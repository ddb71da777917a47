#pragma once

/// What must hold of every decoder for any bytes at all: it refuses them, or it gives a value that
/// it would also read from the bytes that our own encoder makes of it. Used by the fuzz target and
/// by the seeded mutation test.

#include <array>
#include <cstdint>
#include <span>

namespace fastgpu::codec {

enum class Verdict { refused, stable, unstable };

struct Decoder {
  const char* name;
  Verdict (*judge)(std::span<const std::uint8_t> data);
};

extern const std::array<Decoder, 6> decoders;

}  // namespace fastgpu::codec
