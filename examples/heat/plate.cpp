#include "examples/heat/plate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace heat {

Plate::Plate(std::size_t inner) : side_(inner + 2), cells_(side_ * side_) {
  for (std::size_t row = 1; row + 1 < side_; ++row) {
    for (std::size_t column = 1; column + 1 < side_; ++column) {
      const double x = static_cast<double>(column) * spacing() - 0.45;
      const double y = static_cast<double>(row) * spacing() - 0.45;
      const double square = x * x + y * y;
      const bool hot = square < 0.1 * 0.1 || (square > 0.25 * 0.25 && square < 0.32 * 0.32);
      cells_[row * side_ + column] = hot ? 1.0 : 0.0;
    }
  }
}

std::vector<double> Plate::cut(std::size_t begin, std::size_t rows, std::size_t halo) const {
  std::vector<double> held((rows + 2 * halo) * side_);
  for (std::size_t at = 0; at < rows + 2 * halo; ++at) {
    const std::size_t shifted = 1 + begin + at;  // the row in the plate, and `halo`
    if (shifted >= halo && shifted - halo < side_) {
      std::copy_n(cells_.data() + (shifted - halo) * side_, side_, held.data() + at * side_);
    }
  }
  return held;
}

void Plate::paste(std::size_t begin, const std::vector<double>& band) {
  std::copy(band.begin(), band.end(),
            cells_.begin() + static_cast<std::ptrdiff_t>((1 + begin) * side_));
}

double Plate::hottest() const {
  return *std::max_element(cells_.begin(), cells_.end());
}

double Plate::slowest_mode() const {
  double sum = 0;
  for (std::size_t at = 0; at < cells_.size(); ++at) {
    const double x = static_cast<double>(at % side_) * spacing();
    const double y = static_cast<double>(at / side_) * spacing();
    sum += cells_[at] * std::sin(std::numbers::pi * x) * std::sin(std::numbers::pi * y);
  }
  return 4 * sum * spacing() * spacing();
}

std::string Plate::picture() const {
  std::string text = "P6\n" + std::to_string(side_) + " " + std::to_string(side_) + "\n255\n";
  for (const double cell : cells_) {
    for (const double colour : {3 * cell, 3 * cell - 1, 3 * cell - 2}) {
      text += static_cast<char>(std::lround(255 * std::clamp(colour, 0.0, 1.0)));
    }
  }
  return text;
}

}  // namespace heat
