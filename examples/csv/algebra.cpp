#include "examples/csv/algebra.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace csv {
namespace {

/// Of a symmetric, positive definite matrix (Gauss and Jordan; no pivoting is needed for those).
Matrix inverse(Matrix matrix) {
  const std::size_t size = matrix.size();
  Matrix result(size, std::vector<double>(size));
  for (std::size_t i = 0; i < size; ++i) {
    result[i][i] = 1;
  }
  for (std::size_t i = 0; i < size; ++i) {
    const double pivot = matrix[i][i];
    if (!(pivot > 0)) {
      throw std::runtime_error(
          "the measures do not determine the fit: one follows from the others");
    }
    for (std::size_t j = 0; j < size; ++j) {
      matrix[i][j] /= pivot;
      result[i][j] /= pivot;
    }
    for (std::size_t row = 0; row < size; ++row) {
      const double factor = matrix[row][i];
      for (std::size_t j = 0; row != i && j < size; ++j) {
        matrix[row][j] -= factor * matrix[i][j];
        result[row][j] -= factor * result[i][j];
      }
    }
  }
  return result;
}

}  // namespace

double Moments::deviation() const {
  return std::sqrt(squares / (count - 1));
}

void Moments::add(const Moments& other) {
  const double total = count + other.count;
  if (total == 0) {
    return;
  }
  const double apart = other.mean - mean;
  squares += other.squares + apart * apart * count * other.count / total;
  mean += apart * other.count / total;
  count = total;
}

Equations solve(const std::vector<double>& sums, std::size_t size) {
  Matrix matrix;
  Equations equations;
  for (std::size_t i = 0; i < size; ++i) {
    const auto row = sums.begin() + static_cast<std::ptrdiff_t>(i * (size + 1));
    matrix.emplace_back(row, row + static_cast<std::ptrdiff_t>(size));
    equations.right_side.push_back(sums[i * (size + 1) + size]);
  }
  equations.inverse_matrix = inverse(std::move(matrix));
  for (const auto& row : equations.inverse_matrix) {
    equations.solution.push_back(
        std::inner_product(row.begin(), row.end(), equations.right_side.begin(), 0.0));
  }
  return equations;
}

Fit unscaled(const std::vector<double>& weights, const Matrix& covariance, const AllMoments& all,
             double offset, double unit) {
  const std::size_t size = weights.size();
  Fit fit{std::vector<double>(size), std::vector<double>(size)};
  std::vector<double> share(size);  // of each weight in the coefficient of 1
  share[0] = unit;
  fit.coefficients[0] = offset + unit * weights[0];
  for (std::size_t i = 1; i < size; ++i) {
    const double slope = unit / all[i - 1].deviation();
    fit.coefficients[i] = slope * weights[i];
    fit.errors[i] = slope * std::sqrt(covariance[i][i]);
    share[i] = -slope * all[i - 1].mean;
    fit.coefficients[0] += share[i] * weights[i];
  }
  double variance = 0;
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < size; ++j) {
      variance += share[i] * covariance[i][j] * share[j];
    }
  }
  fit.errors[0] = std::sqrt(variance);
  return fit;
}

}  // namespace csv
