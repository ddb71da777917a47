#pragma once

/// The plate as the client holds it between jobs: temperatures on a square grid, the edges among
/// them. A value without threads or files. reference.py builds the same plate in NumPy.

#include <cstddef>
#include <string>
#include <vector>

namespace heat {

class Plate {
 public:
  /// A ring and a disc of temperature 1 on a cold plate with `inner` cells between its edges.
  explicit Plate(std::size_t inner);

  std::size_t side() const { return side_; }  ///< cells in a row, both edges included
  std::size_t inner() const { return side_ - 2; }
  double spacing() const { return 1.0 / static_cast<double>(side_ - 1); }
  const std::vector<double>& cells() const { return cells_; }

  /// The inner rows [1 + begin, 1 + begin + rows) and `halo` rows more on each side; zeros where
  /// the halo leaves the plate.
  std::vector<double> cut(std::size_t begin, std::size_t rows, std::size_t halo) const;
  void paste(std::size_t begin, const std::vector<double>& band);

  double hottest() const;
  /// How much of sin(pi x) sin(pi y), the plate's slowest mode, is in the temperatures. The heat
  /// equation lets it fall as exp(-2 pi^2 t), whatever else is on the plate.
  double slowest_mode() const;
  /// A picture in the PPM format, from black over red and yellow to white.
  std::string picture() const;

 private:
  std::size_t side_;
  std::vector<double> cells_;
};

}  // namespace heat
