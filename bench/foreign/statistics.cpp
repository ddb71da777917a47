/// Correlation and covariance of the columns of a table.

#include <cmath>

#include "bench/foreign/foreign_cluster.hpp"

namespace fastgpu::bench {
namespace {

constexpr int n = 40;  // rows, and columns
constexpr std::size_t square = std::size_t{n} * n;
constexpr Shape over_square{n, n, 1};
constexpr Shape over_line{n, 1, 1};
constexpr Shape tile{32, 8, 1};
constexpr Shape line{64, 1, 1};
const Sizes sizes{{"N", n}, {"M", n}};
constexpr float row_count = 3214212.01f;  // what the suite divides by, whatever the size

std::size_t at(int i, int j) {
  return static_cast<std::size_t>(i * n + j);
}

Floats means_of(const Floats& data) {
  Floats means(n);
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < n; ++i)
      means.at(j) += data[at(i, j)];
    means.at(j) /= row_count;
  }
  return means;
}

/// Of column j with column k.
float product_of(const Floats& data, int j, int k) {
  float sum = 0;
  for (int i = 0; i < n; ++i)
    sum += data[at(i, j)] * data[at(i, k)];
  return sum;
}

void correlation(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "CORR/correlation", sizes);
  Floats data = sample(square, 1), mean(n), deviation(n), result(square);
  for (float& value : data)
    value *= 1000;  // so that deviations are not taken for zero
  const Floats means = means_of(data);
  Floats table = data, expected(square);
  for (int j = 0; j < n; ++j) {
    float spread = 0;
    for (int i = 0; i < n; ++i)
      spread += (data[at(i, j)] - means.at(j)) * (data[at(i, j)] - means.at(j));
    spread = std::sqrt(spread / row_count);
    spread = spread <= 0.005f ? 1 : spread;
    for (int i = 0; i < n; ++i)
      table[at(i, j)] = (data[at(i, j)] - means.at(j)) / (std::sqrt(row_count) * spread);
  }
  for (int j = 0; j < n; ++j)
    for (int k = 0; k < n; ++k)
      expected[at(j, k)] = j == k ? (j < n - 1 ? 1.0f : 0.0f) : product_of(table, j, k);
  program.launch("mean_kernel", over_line, line, {n, n, &mean, &data});
  program.launch("std_kernel", over_line, line, {n, n, &mean, &deviation, &data});
  program.launch("reduce_kernel", over_square, tile, {n, n, &mean, &deviation, &data});
  program.launch("corr_kernel", over_line, line, {n, n, &result, &data});
  expect_near("data", data, table);
  expect_near("symmat", result, expected, 1e-3f);
}

void covariance(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "COVAR/covariance", sizes);
  Floats data = sample(square, 1), mean(n), result(square);
  const Floats means = means_of(data);
  Floats table = data, expected(square);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      table[at(i, j)] -= means.at(j);
  for (int j = 0; j < n; ++j)
    for (int k = 0; k < n; ++k)
      expected[at(j, k)] = product_of(table, j, k);
  program.launch("mean_kernel", over_line, line, {n, n, &mean, &data});
  program.launch("reduce_kernel", over_square, tile, {n, n, &mean, &data});
  program.launch("covar_kernel", over_line, line, {n, n, &result, &data});
  expect_near("symmat", result, expected);
}

}  // namespace

std::vector<ForeignCase> statistics_cases() {
  return {{"CORR", correlation}, {"COVAR", covariance}};
}

}  // namespace fastgpu::bench
