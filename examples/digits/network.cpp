#include "examples/digits/network.hpp"

#include <cmath>
#include <cstdint>

namespace digits {

namespace {

/// The linear congruential generator of Numerical Recipes, its upper 24 bits as [-1, 1).
class Numbers {
 public:
  float next() {
    state_ = state_ * 1664525u + 1013904223u;
    return static_cast<float>(state_ >> 8) / 16777216.0f * 2.0f - 1.0f;
  }

 private:
  std::uint32_t state_{20261122};
};

float limit(std::size_t fan_in, std::size_t fan_out) {
  return static_cast<float>(std::sqrt(6.0 / static_cast<double>(fan_in + fan_out)));
}

}  // namespace

std::vector<float> initial_weights() {
  std::vector<float> weights(weight_count);
  Numbers numbers;
  for (std::size_t i = 0; i < hidden * inputs; ++i) {
    weights[i] = numbers.next() * limit(inputs, hidden);
  }
  for (std::size_t i = 0; i < classes * hidden; ++i) {
    weights[hidden * inputs + hidden + i] = numbers.next() * limit(hidden, classes);
  }
  return weights;
}

void Adam::step(std::vector<float>& weights, const std::vector<float>& gradient) {
  ++steps_;
  const auto mean_share = static_cast<float>(1 - std::pow(0.9, steps_));
  const auto square_share = static_cast<float>(1 - std::pow(0.999, steps_));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    mean_[i] = 0.9f * mean_[i] + 0.1f * gradient[i];
    square_[i] = 0.999f * square_[i] + 0.001f * gradient[i] * gradient[i];
    const float spread = std::sqrt(square_[i] / square_share) + 1e-8f;
    weights[i] -= rate_ * (mean_[i] / mean_share) / spread;
  }
}

}  // namespace digits
