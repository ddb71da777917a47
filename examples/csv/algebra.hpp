#pragma once

/// What the client makes of sums over rows: moments put together, and small systems of equations.
/// Pure functions; equations without one solution throw.

#include <array>
#include <vector>

#include "examples/csv/table.hpp"

namespace csv {

/// Of one measure over some rows.
struct Moments {
  double count{};
  double mean{};
  double squares{};  ///< the sum of squares of the distances from the mean

  double deviation() const;
  /// Puts other rows to these (Chan, Golub and LeVeque, 1979).
  void add(const Moments& other);
};
using AllMoments = std::array<Moments, measures.size()>;

using Matrix = std::vector<std::vector<double>>;

/// Equations as the kernels give them: each row of the matrix, then its right side.
struct Equations {
  Matrix inverse_matrix;
  std::vector<double> right_side;
  std::vector<double> solution;
};

/// `sums` holds the equations row by row. The matrix is symmetric and positive definite.
Equations solve(const std::vector<double>& sums, std::size_t size);

/// Coefficients of 1 and of the measures in their own units, and their standard errors.
struct Fit {
  std::vector<double> coefficients;
  std::vector<double> errors;
};

/// From standardised measures back to their own units. The target is `offset + unit * (what the
/// weights give)`, and `covariance` that of the weights.
Fit unscaled(const std::vector<double>& weights, const Matrix& covariance, const AllMoments& all,
             double offset, double unit);

}  // namespace csv
