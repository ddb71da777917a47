/// Grids: convolutions, relaxations, waves.

#include "bench/foreign/foreign_cluster.hpp"

namespace fastgpu::bench {
namespace {

constexpr int n = 40;
constexpr int steps = 6;
constexpr std::size_t square = std::size_t{n} * n;
constexpr Shape over_square{n, n, 1};
constexpr Shape over_line{n, 1, 1};
constexpr Shape tile{32, 8, 1};
constexpr Shape line{32, 1, 1};
const Sizes sizes{{"N", n},  {"NI", n}, {"NJ", n},         {"NK", n},
                  {"NX", n}, {"NY", n}, {"TSTEPS", steps}, {"TMAX", steps}};

std::size_t at(int i, int j) {
  return static_cast<std::size_t>(i * n + j);
}
std::size_t at(int i, int j, int k) {
  return static_cast<std::size_t>((i * n + j) * n + k);
}

void convolution_2d(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "2DCONV/2DConvolution", sizes);
  constexpr float weight[3][3] = {{0.2f, 0.5f, -0.8f}, {-0.3f, 0.6f, -0.9f}, {0.4f, 0.7f, 0.1f}};
  Floats a = sample(square, 1), b(square), expected(square);
  for (int i = 1; i < n - 1; ++i)
    for (int j = 1; j < n - 1; ++j)
      for (int di = -1; di <= 1; ++di)
        for (int dj = -1; dj <= 1; ++dj)
          expected[at(i, j)] += weight[di + 1][dj + 1] * a[at(i + di, j + dj)];
  program.launch("convolution2D_kernel", over_square, tile, {n, n, &a, &b});
  expect_near("B", b, expected);
}

/// One of the terms of the three-dimensional convolution: its weight, and whose neighbour it takes.
struct Term {
  float weight;
  int di, dj, dk;
};
constexpr Term terms[] = {{2, -1, -1, -1},  {4, 1, -1, -1},  {5, -1, -1, -1}, {7, 1, -1, -1},
                          {-8, -1, -1, -1}, {10, 1, -1, -1}, {-3, 0, -1, 0},  {6, 0, 0, 0},
                          {-9, 0, 1, 0},    {2, -1, -1, 1},  {4, 1, -1, 1},   {5, -1, 0, 1},
                          {7, 1, 0, 1},     {-8, -1, 1, 1},  {10, 1, 1, 1}};

void convolution_3d(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "3DCONV/3DConvolution", sizes);
  Floats a = sample(square * n, 1), b(square * n), expected(square * n);
  for (int i = 1; i < n - 1; ++i)
    for (int j = 1; j < n - 1; ++j)
      for (int k = 1; k < n - 1; ++k)
        for (const Term& term : terms)
          expected[at(i, j, k)] += term.weight * a[at(i + term.di, j + term.dj, k + term.dk)];
  for (int i = 1; i < n - 1; ++i)
    program.launch("convolution3D_kernel", over_square, tile, {n, n, n, &a, &b, i});
  expect_near("B", b, expected);
}

void waves(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "FDTD-2D/fdtd2d", sizes);
  Floats source = sample(steps, 1);
  Floats ex = sample(square + n, 2), ey = sample(square + n, 3), hz = sample(square, 4);
  Floats wx = ex, wy = ey, wz = hz;
  for (int t = 0; t < steps; ++t) {
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j)
        wy[at(i, j)] =
            i == 0 ? source.at(t) : wy[at(i, j)] - 0.5f * (wz[at(i, j)] - wz[at(i - 1, j)]);
    for (int i = 0; i < n; ++i)
      for (int j = 1; j < n; ++j)
        wx[at(i, j)] -= 0.5f * (wz[at(i, j)] - wz[at(i, j - 1)]);
    for (int i = 0; i < n - 1; ++i)
      for (int j = 0; j < n - 1; ++j)
        wz[at(i, j)] -= 0.7f * (wx[at(i, j + 1)] - wx[at(i, j)] + wy[at(i + 1, j)] - wy[at(i, j)]);
    program.launch("fdtd_step1_kernel", over_square, tile, {n, n, &source, &ex, &ey, &hz, t});
    program.launch("fdtd_step2_kernel", over_square, tile, {n, n, &ex, &ey, &hz, t});
    program.launch("fdtd_step3_kernel", over_square, tile, {n, n, &ex, &ey, &hz, t});
  }
  expect_near("ex", ex, wx);
  expect_near("ey", ey, wy);
  expect_near("hz", hz, wz);
}

void jacobi_1d(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "JACOBI1D/jacobi1D", sizes);
  Floats a = sample(n, 1), b(n), expected = a;
  for (int t = 0; t < steps; ++t) {
    const Floats last = expected;
    for (int i = 1; i < n - 1; ++i)
      expected.at(i) = 0.33333f * (last.at(i - 1) + last.at(i) + last.at(i + 1));
    program.launch("runJacobiCUDA_kernel1", over_line, line, {n, &a, &b});
    program.launch("runJacobiCUDA_kernel2", over_line, line, {n, &a, &b});
  }
  expect_near("A", a, expected);
}

void jacobi_2d(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "JACOBI2D/jacobi2D", sizes);
  Floats a = sample(square, 1), b(square), expected = a;
  for (int t = 0; t < steps; ++t) {
    const Floats last = expected;
    for (int i = 1; i < n - 1; ++i)
      for (int j = 1; j < n - 1; ++j)
        expected[at(i, j)] = 0.2f * (last[at(i, j)] + last[at(i, j - 1)] + last[at(i, j + 1)] +
                                     last[at(i + 1, j)] + last[at(i - 1, j)]);
    program.launch("runJacobiCUDA_kernel1", over_square, tile, {n, &a, &b});
    program.launch("runJacobiCUDA_kernel2", over_square, tile, {n, &a, &b});
  }
  expect_near("A", a, expected);
}

/// One direction of the alternating scheme. `at_step(i, s)` is the place of step s in line i.
template <class Place>
void sweep(const Floats& a, Floats& b, Floats& x, Place at_step) {
  for (int i = 0; i < n; ++i) {
    for (int s = 1; s < n; ++s) {
      x[at_step(i, s)] -= x[at_step(i, s - 1)] * a[at_step(i, s)] / b[at_step(i, s - 1)];
      b[at_step(i, s)] -= a[at_step(i, s)] * a[at_step(i, s)] / b[at_step(i, s - 1)];
    }
    x[at_step(i, n - 1)] /= b[at_step(i, n - 1)];
  }
}

void alternating(ForeignCluster& cluster, const std::string& folder) {
  ForeignProgram program(cluster, folder, "ADI/adi", sizes);
  Floats a = sample(square, 1), b = sample(square, 2), x = sample(square, 3);
  for (float& value : b)
    value += 8;  // far from zero
  Floats wb = b, wx = x;
  sweep(a, wb, wx, [](int i, int s) { return at(i, s); });
  for (int i = 0; i < n; ++i)
    for (int s = 0; s < n - 2; ++s)
      wx[at(i, n - s - 2)] = (wx[at(i, n - 2 - s)] - wx[at(i, n - 3 - s)] * a[at(i, n - s - 3)]) /
                             wb[at(i, n - 3 - s)];
  sweep(a, wb, wx, [](int i, int s) { return at(s, i); });
  for (int s = 0; s < n - 2; ++s)
    for (int i = 0; i < n; ++i)
      wx[at(n - 2 - s, i)] = (wx[at(n - 2 - s, i)] - wx[at(n - s - 3, i)] * a[at(n - 3 - s, i)]) /
                             wb[at(n - 2 - s, i)];
  for (const char* kernel : {"adi_kernel1", "adi_kernel2", "adi_kernel3"})
    program.launch(kernel, over_line, line, {n, &a, &b, &x});
  for (int s = 1; s < n; ++s)
    program.launch("adi_kernel4", over_line, line, {n, &a, &b, &x, s});
  program.launch("adi_kernel5", over_line, line, {n, &a, &b, &x});
  for (int s = 0; s < n - 2; ++s)
    program.launch("adi_kernel6", over_line, line, {n, &a, &b, &x, s});
  expect_near("B", b, wb);
  expect_near("X", x, wx);
}

}  // namespace

std::vector<ForeignCase> stencil_cases() {
  return {{"2DCONV", convolution_2d}, {"3DCONV", convolution_3d}, {"FDTD-2D", waves},
          {"JACOBI1D", jacobi_1d},    {"JACOBI2D", jacobi_2d},    {"ADI", alternating}};
}

}  // namespace fastgpu::bench
