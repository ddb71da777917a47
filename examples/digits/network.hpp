#pragma once

/// The part of the training that stays with the client: where the weights start, and how a step
/// moves them. reference.py does the same in NumPy, from the same numbers.

#include <cstddef>
#include <vector>

namespace digits {

constexpr std::size_t inputs = 64;
constexpr std::size_t hidden = 64;
constexpr std::size_t classes = 10;
/// First layer [hidden][inputs], its biases, second layer [classes][hidden], its biases.
constexpr std::size_t weight_count = hidden * inputs + hidden + classes * hidden + classes;

std::vector<float> initial_weights();

/// Adam (Kingma and Ba, 2015): follows the mean of the slopes, each divided by its usual size.
class Adam {
 public:
  explicit Adam(float rate) : rate_(rate), mean_(weight_count), square_(weight_count) {}
  /// `gradient` is the mean over the images that were looked at.
  void step(std::vector<float>& weights, const std::vector<float>& gradient);

 private:
  float rate_;
  int steps_{0};
  std::vector<float> mean_;
  std::vector<float> square_;
};

}  // namespace digits
