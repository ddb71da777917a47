#pragma once

/// Randomness as a value: seeded by the composition root, or by the simulator's seed.
/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, not for secrets.

#include <cstdint>

namespace fastgpu::base {

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Even over [0, bound), up to a bias below 2^-32 for the bounds used here. `bound` > 0.
  constexpr std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// True with probability `parts_per_million` / 1,000,000.
  constexpr bool chance(std::uint32_t parts_per_million) {
    return below(1'000'000) < parts_per_million;
  }

 private:
  std::uint64_t state_;
};

}  // namespace fastgpu::base
