/// The loop that a person would write: what the CPU device's kernel is measured against.

#include <cstddef>

void plain_saxpy(std::size_t first, std::size_t last, float a, const float* x, float* y) {
  for (std::size_t i = first; i < last; ++i)
    y[i] = a * x[i] + y[i];
}
