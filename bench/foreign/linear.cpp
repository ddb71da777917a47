/// Linear algebra: products, solvers, factorings.

#include <cmath>

#include "bench/foreign/foreign_cluster.hpp"

namespace fastgpu::bench {
namespace {

constexpr int n = 48;
constexpr std::size_t square = std::size_t{n} * n;
constexpr Shape over_square{n, n, 1};
constexpr Shape over_line{n, 1, 1};
constexpr Shape tile{32, 8, 1};
constexpr Shape line{64, 1, 1};
const Sizes sizes{{"N", n},  {"M", n},  {"NI", n}, {"NJ", n}, {"NK", n}, {"NL", n},
                  {"NM", n}, {"NX", n}, {"NY", n}, {"NP", n}, {"NQ", n}, {"NR", 6}};

/// The element in row i and column j.
std::size_t at(int i, int j) {
  return static_cast<std::size_t>(i * n + j);
}

/// factor * a * b + scale * c
Floats product(float factor, const Floats& a, const Floats& b, float scale, Floats c) {
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      float sum = 0;
      for (int k = 0; k < n; ++k)
        sum += a[at(i, k)] * b[at(k, j)];
      c[at(i, j)] = scale * c[at(i, j)] + factor * sum;
    }
  return c;
}

Floats turned(const Floats& a) {
  Floats result(square);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      result[at(j, i)] = a[at(i, j)];
  return result;
}

/// factor * a * x + y
Floats applied(float factor, const Floats& a, const Floats& x, Floats y) {
  for (int i = 0; i < n; ++i) {
    float sum = 0;
    for (int j = 0; j < n; ++j)
      sum += a[at(i, j)] * x[static_cast<std::size_t>(j)];
    y[static_cast<std::size_t>(i)] += factor * sum;
  }
  return y;
}

const Floats zeros(n);
const Floats zero_square(square);

void gemm(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "GEMM/gemm", sizes);
  Floats a = sample(square, 1), b = sample(square, 2), c = sample(square, 3);
  const Floats expected = product(1.5f, a, b, 0.5f, c);
  program.launch("gemm_kernel", over_square, tile, {n, n, n, 1.5f, 0.5f, &a, &b, &c});
  expect_near("C", c, expected);
}

void two_products(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "2MM/2mm", sizes);
  Floats a = sample(square, 1), b = sample(square, 2), c = sample(square, 3), d = sample(square, 4);
  Floats between(square);
  const Floats expected = product(1, product(1.5f, a, b, 0, zero_square), c, 0.5f, d);
  program.launch("mm2_kernel1", over_square, tile, {n, n, n, n, 1.5f, 0.5f, &between, &a, &b});
  program.launch("mm2_kernel2", over_square, tile, {n, n, n, n, 1.5f, 0.5f, &between, &c, &d});
  expect_near("D", d, expected);
}

void three_products(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "3MM/3mm", sizes);
  Floats a = sample(square, 1), b = sample(square, 2), c = sample(square, 3), d = sample(square, 4);
  Floats e(square), f(square), g(square);
  const Floats expected = product(1, product(1, a, b, 0, zero_square),
                                  product(1, c, d, 0, zero_square), 0, zero_square);
  program.launch("mm3_kernel1", over_square, tile, {n, n, n, n, n, &a, &b, &e});
  program.launch("mm3_kernel2", over_square, tile, {n, n, n, n, n, &c, &d, &f});
  program.launch("mm3_kernel3", over_square, tile, {n, n, n, n, n, &e, &f, &g});
  expect_near("G", g, expected);
}

void atax(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "ATAX/atax", sizes);
  Floats a = sample(square, 1), x = sample(n, 2), y(n), between(n);
  const Floats expected = applied(1, turned(a), applied(1, a, x, zeros), zeros);
  program.launch("atax_kernel1", over_line, line, {n, n, &a, &x, &between});
  program.launch("atax_kernel2", over_line, line, {n, n, &a, &y, &between});
  expect_near("y", y, expected);
}

void bicg(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "BICG/bicg", sizes);
  Floats a = sample(square, 1), r = sample(n, 2), p = sample(n, 3), s(n), q(n);
  program.launch("bicg_kernel1", over_line, line, {n, n, &a, &r, &s});
  program.launch("bicg_kernel2", over_line, line, {n, n, &a, &p, &q});
  expect_near("s", s, applied(1, turned(a), r, zeros));
  expect_near("q", q, applied(1, a, p, zeros));
}

void gemver(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "GEMVER/gemver", sizes);
  Floats a = sample(square, 1), u1 = sample(n, 2), v1 = sample(n, 3), u2 = sample(n, 4),
         v2 = sample(n, 5), x = sample(n, 6), y = sample(n, 7), z = sample(n, 8), w = sample(n, 9);
  Floats expected_a = a;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      expected_a[at(i, j)] += u1.at(i) * v1.at(j) + u2.at(i) * v2.at(j);
  Floats expected_x = applied(0.5f, turned(expected_a), y, x);
  for (int i = 0; i < n; ++i)
    expected_x.at(i) += z.at(i);
  const Floats expected_w = applied(1.5f, expected_a, expected_x, w);
  program.launch("gemver_kernel1", over_square, tile, {n, 1.5f, 0.5f, &a, &v1, &v2, &u1, &u2});
  program.launch("gemver_kernel2", over_line, line, {n, 1.5f, 0.5f, &a, &x, &y, &z});
  program.launch("gemver_kernel3", over_line, line, {n, 1.5f, 0.5f, &a, &x, &w});
  expect_near("A", a, expected_a);
  expect_near("x", x, expected_x);
  expect_near("w", w, expected_w);
}

void gesummv(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "GESUMMV/gesummv", sizes);
  Floats a = sample(square, 1), b = sample(square, 2), x = sample(n, 3), y(n), between(n);
  const Floats expected = applied(0.5f, b, x, applied(1.5f, a, x, zeros));
  program.launch("gesummv_kernel", over_line, line, {n, 1.5f, 0.5f, &a, &b, &between, &x, &y});
  expect_near("y", y, expected);
}

void mvt(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "MVT/mvt", sizes);
  Floats a = sample(square, 1), x1 = sample(n, 2), x2 = sample(n, 3), y1 = sample(n, 4),
         y2 = sample(n, 5);
  const Floats expected1 = applied(1, a, y1, x1), expected2 = applied(1, turned(a), y2, x2);
  program.launch("mvt_kernel1", over_line, line, {n, &a, &x1, &y1});
  program.launch("mvt_kernel2", over_line, line, {n, &a, &x2, &y2});
  expect_near("x1", x1, expected1);
  expect_near("x2", x2, expected2);
}

void syrk(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "SYRK/syrk", sizes);
  Floats a = sample(square, 1), c = sample(square, 2);
  const Floats expected = product(1.5f, a, turned(a), 0.5f, c);
  program.launch("syrk_kernel", over_square, tile, {n, n, 1.5f, 0.5f, &a, &c});
  expect_near("C", c, expected);
}

void syr2k(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "SYR2K/syr2k", sizes);
  Floats a = sample(square, 1), b = sample(square, 2), c = sample(square, 3);
  const Floats expected = product(1.5f, b, turned(a), 1, product(1.5f, a, turned(b), 0.5f, c));
  program.launch("syr2k_kernel", over_square, tile, {n, n, 1.5f, 0.5f, &a, &b, &c});
  expect_near("C", c, expected);
}

void lu(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "LU/lu", sizes);
  Floats a = sample(square, 1);
  for (int i = 0; i < n; ++i)
    a[at(i, i)] += n;  // so that no pivot is small
  const Floats before = a;
  for (int k = 0; k < n; ++k) {
    program.launch("lu_kernel1", over_line, line, {n, &a, k});
    program.launch("lu_kernel2", over_square, tile, {n, &a, k});
  }
  // The lower factor with its diagonal times the upper one with ones there is what was factored.
  Floats lower(square), upper(square);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) {
      lower[at(i, j)] = j <= i ? a[at(i, j)] : 0;
      upper[at(i, j)] = j > i ? a[at(i, j)] : (i == j ? 1.0f : 0.0f);
    }
  expect_near("LU", product(1, lower, upper, 0, zero_square), before);
}

void gram_schmidt(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "GRAMSCHM/gramschmidt", sizes);
  Floats a = sample(square, 1), r(square), q(square);
  for (int i = 0; i < n; ++i)
    a[at(i, i)] += 4;
  const Floats before = a;
  for (int k = 0; k < n; ++k) {
    program.launch("gramschmidt_kernel1", {1, 1, 1}, line, {n, n, &a, &r, &q, k});
    program.launch("gramschmidt_kernel2", over_line, line, {n, n, &a, &r, &q, k});
    program.launch("gramschmidt_kernel3", over_line, line, {n, n, &a, &r, &q, k});
  }
  Floats unit(square);
  for (int i = 0; i < n; ++i)
    unit[at(i, i)] = 1;
  expect_near("QR", product(1, q, r, 0, zero_square), before);
  expect_near("Q'Q", product(1, turned(q), q, 0, zero_square), unit, 1e-3f);
}

void doitgen(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "DOITGEN/doitgen", sizes);
  constexpr int layers = 6;
  Floats a = sample(layers * square, 1), c = sample(square, 2), sum(layers * square);
  Floats expected;
  for (std::size_t r = 0; r < layers; ++r) {
    const auto begin = a.begin() + static_cast<std::ptrdiff_t>(r * square);
    const Floats layer =
        product(1, Floats(begin, begin + static_cast<std::ptrdiff_t>(square)), c, 0, zero_square);
    expected.insert(expected.end(), layer.begin(), layer.end());
  }
  for (int r = 0; r < layers; ++r) {
    program.launch("doitgen_kernel1", over_square, tile, {&sum, &a, &c, r});
    program.launch("doitgen_kernel2", over_square, tile, {&sum, &a, &c, r});
  }
  expect_near("A", a, expected);
}

}  // namespace

std::vector<ForeignCase> linear_cases() {
  return {{"GEMM", gemm},
          {"2MM", two_products},
          {"3MM", three_products},
          {"ATAX", atax},
          {"BICG", bicg},
          {"GEMVER", gemver},
          {"GESUMMV", gesummv},
          {"MVT", mvt},
          {"SYRK", syrk},
          {"SYR2K", syr2k},
          {"LU", lu},
          {"GRAMSCHM", gram_schmidt},
          {"DOITGEN", doitgen}};
}

}  // namespace fastgpu::bench
