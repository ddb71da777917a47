#include "tests/support/kernels/sample_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <sstream>

namespace fastgpu::testing {
namespace {

using Outputs = std::vector<SampleBytes>;

template <class T>
SampleBytes bytes_of(const std::vector<T>& values) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(values.data());
  return {data, data + values.size() * sizeof(T)};
}

template <class T>
std::vector<T> values_of(const SampleBytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  }
  return values;
}

template <class T>
std::vector<T> counted(std::size_t count) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<T>(i);
  }
  return values;
}

std::uint32_t mixed(std::uint32_t i) {
  return i * 2654435761u;
}

/// Right if there is one output with exactly these values.
template <class T>
std::function<void(const Outputs&)> equals(std::vector<T> expected) {
  return [expected = std::move(expected)](const Outputs& outputs) {
    ASSERT_EQ(outputs.size(), 1u);
    const auto values = values_of<T>(outputs[0]);
    ASSERT_EQ(values.size(), expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i], expected[i]) << "element " << i;
    }
  };
}

SampleKernel saxpy() {
  const int n = 1000;
  std::vector<float> expected(n);
  for (int i = 0; i < n; ++i) {
    expected[i] = 2.0f * static_cast<float>(i) + 1.0f;
  }
  return {"saxpy.cu",
          "saxpy",
          {8, 1, 1},
          {128, 1, 1},
          0,
          {n, 2.0f, SampleIn{bytes_of(counted<float>(n))},
           SampleInOut{bytes_of(std::vector<float>(n, 1.0f))}},
          equals(expected)};
}

SampleKernel saxpy_template() {
  const std::size_t n = 5000;
  std::vector<float> expected(n);
  for (std::size_t i = 0; i < n; ++i) {
    expected[i] = 2.0f * static_cast<float>(i) + 1.0f;
  }
  return {"saxpy_t.cu",
          "saxpy<float>",
          {3, 1, 1},
          {256, 1, 1},
          0,
          {std::uint64_t{n}, 2.0f, SampleIn{bytes_of(counted<float>(n))},
           SampleInOut{bytes_of(std::vector<float>(n, 1.0f))}},
          equals(expected)};
}

/// Sums of halves and ones are exact in every order.
SampleKernel reduce() {
  const int n = 10'000;
  return {"reduce.cu",
          "reduce",
          {20, 1, 1},
          {256, 1, 1},
          0,
          {SampleIn{bytes_of(std::vector<float>(n, 0.5f))},
           SampleInOut{bytes_of(std::vector<float>{0})}, n},
          equals(std::vector<float>{5000.0f})};
}

SampleKernel reduce_warp() {
  const int n = 12'345;
  return {"reduce_warp.cu",
          "reduce_warp",
          {4, 1, 1},
          {192, 1, 1},
          0,
          {SampleIn{bytes_of(std::vector<float>(n, 1.0f))},
           SampleInOut{bytes_of(std::vector<float>{0})}, n},
          equals(std::vector<float>{12345.0f})};
}

/// Small whole numbers: exact, whether multiply-adds are contracted or not.
SampleKernel matmul(const char* kernel) {
  const int n = 64;
  std::vector<float> a(n * n), b(n * n), expected(n * n);
  for (int i = 0; i < n * n; ++i) {
    a[i] = static_cast<float>(mixed(i) % 7);
    b[i] = static_cast<float>(mixed(i + 1) % 5);
  }
  for (int i = 0; i < n; ++i) {
    for (int k = 0; k < n; ++k) {
      for (int j = 0; j < n; ++j) {
        expected[i * n + j] += a[i * n + k] * b[k * n + j];
      }
    }
  }
  return {"matmul.cu",
          kernel,
          {4, 4, 1},
          {16, 16, 1},
          0,
          {SampleIn{bytes_of(a)}, SampleIn{bytes_of(b)}, SampleOut{n * n * sizeof(float)}, n},
          equals(expected)};
}

SampleKernel reverse(const char* kernel) {
  const int n = 100;
  std::vector<int> expected;
  for (int block = 0; block < 3; ++block) {
    for (int i = n; i-- > 0;) {
      expected.push_back(block * n + i);
    }
  }
  return {"dyn.cu",        kernel,          {3, 1, 1},
          {128, 1, 1},     n * sizeof(int), {SampleInOut{bytes_of(counted<int>(3 * n))}, n},
          equals(expected)};
}

SampleKernel templated_shared() {
  const int n = 1000;
  std::vector<double> expected(n);
  for (int i = 0; i < n; ++i) {
    const int source = i / 128 * 128 + 127 - i % 128;
    expected[i] = source < n ? double(source) * source : 0.0;
  }
  return {"suite.cu",
          "tmpl_shared<double,128>",
          {8, 1, 1},
          {128, 1, 1},
          0,
          {SampleIn{bytes_of(counted<double>(n))}, SampleOut{n * sizeof(double)}, n},
          equals(expected)};
}

SampleKernel last_block() {
  const int n = 100'000;
  return {"suite.cu",
          "last_block",
          {64, 1, 1},
          {128, 1, 1},
          0,
          {SampleIn{bytes_of(std::vector<float>(n, 0.5f))}, SampleScratch{64 * sizeof(float)},
           SampleOut{sizeof(float)}, n},
          equals(std::vector<float>{50'000.0f})};
}

SampleKernel vectors_and_constants() {
  const int n = 1000;
  std::vector<float> expected(4 * n);
  for (int i = 0; i < 4 * n; ++i) {
    expected[i] = static_cast<float>(i % 4 + 1);
  }
  return {
      "suite.cu",
      "vec4",
      {8, 1, 1},
      {128, 1, 1},
      0,
      {SampleIn{bytes_of(std::vector<float>(4 * n, 1.0f))}, SampleOut{4 * n * sizeof(float)}, n},
      equals(expected)};
}

SampleKernel histogram() {
  const int n = 1 << 18;
  std::vector<unsigned char> x(n);
  std::vector<unsigned> expected(256);
  for (int i = 0; i < n; ++i) {
    ++expected[x[i] = static_cast<unsigned char>(mixed(i) >> 24)];
  }
  return {
      "suite.cu",      "histogram", {16, 1, 1},
      {256, 1, 1},     0,           {SampleIn{bytes_of(x)}, SampleOut{256 * sizeof(unsigned)}, n},
      equals(expected)};
}

/// Blocks append in any order: what was kept is compared as a set.
SampleKernel compact() {
  const int n = 50'000;
  std::vector<int> x(n), expected;
  for (int i = 0; i < n; ++i) {
    x[i] = static_cast<int>(mixed(i) >> 7);
    if (x[i] & 1) {
      expected.push_back(x[i]);
    }
  }
  std::sort(expected.begin(), expected.end());
  return {"suite.cu",
          "compact",
          {(n + 255u) / 256, 1, 1},
          {256, 1, 1},
          0,
          {SampleIn{bytes_of(x)}, SampleOut{n * sizeof(int)}, SampleOut{sizeof(int)}, n},
          [expected](const Outputs& outputs) {
            ASSERT_EQ(outputs.size(), 2u);
            auto kept = values_of<int>(outputs[0]);
            EXPECT_EQ(values_of<int>(outputs[1]),
                      (std::vector<int>{static_cast<int>(expected.size())}));
            ASSERT_GE(kept.size(), expected.size());
            kept.resize(expected.size());
            std::sort(kept.begin(), kept.end());
            EXPECT_TRUE(kept == expected) << "other values were kept";
          }};
}

SampleKernel transpose() {
  const int w = 300, h = 200;
  std::vector<float> expected(w * h);
  for (int row = 0; row < h; ++row) {
    for (int column = 0; column < w; ++column) {
      expected[column * h + row] = static_cast<float>(row * w + column);
    }
  }
  return {"suite.cu",
          "transpose",
          {(w + 31u) / 32, (h + 31u) / 32, 1},
          {32, 8, 1},
          0,
          {SampleIn{bytes_of(counted<float>(w * h))}, SampleOut{w * h * sizeof(float)}, w, h},
          equals(expected)};
}

/// Computed in double; the kernel's approximate root and its order of summing cost digits.
void expect_pulls(const std::vector<float>& p, const Outputs& outputs) {
  ASSERT_EQ(outputs.size(), 1u);
  const auto a = values_of<float>(outputs[0]);
  const std::size_t n = p.size() / 4;
  ASSERT_EQ(a.size(), 3 * n);
  for (std::size_t i = 0; i < n; ++i) {
    double expected[3] = {0, 0, 0};
    for (std::size_t k = 0; k < n; ++k) {
      double distance[3];
      double r2 = 1e-3;
      for (int axis = 0; axis < 3; ++axis) {
        distance[axis] = p[4 * k + axis] - p[4 * i + axis];
        r2 += distance[axis] * distance[axis];
      }
      for (int axis = 0; axis < 3; ++axis) {
        expected[axis] += distance[axis] * p[4 * k + 3] / (r2 * std::sqrt(r2));
      }
    }
    for (int axis = 0; axis < 3; ++axis) {
      ASSERT_NEAR(a[3 * i + axis], expected[axis], 1e-3 * std::fabs(expected[axis]) + 1e-2)
          << "body " << i << ", axis " << axis;
    }
  }
}

SampleKernel bodies() {
  const int n = 500;
  std::vector<float> p(4 * n);
  for (int i = 0; i < 4 * n; ++i) {
    p[i] = static_cast<float>(mixed(i) >> 16 & 1023) / 1024.0f;
  }
  return {"suite.cu",
          "nbody",
          {(n + 127u) / 128, 1, 1},
          {128, 1, 1},
          128 * 4 * sizeof(float),
          {SampleIn{bytes_of(p)}, SampleOut{3 * n * sizeof(float)}, n},
          [p](const Outputs& outputs) { expect_pulls(p, outputs); }};
}

int steps_before_escape(float cr, float ci, int most) {
  float zr = 0, zi = 0;
  int steps = 0;
  while (steps < most && zr * zr + zi * zi < 4.f) {
    const float t = zr * zr - zi * zi + cr;
    zi = 2.f * zr * zi + ci;
    zr = t;
    ++steps;
  }
  return steps;
}

/// Contracted multiply-adds move points at the border by a step or two: one in fifty may differ.
SampleKernel mandelbrot() {
  static constexpr int w = 96, h = 64, most = 200;
  return {"suite.cu",
          "mandel",
          {(w + 31u) / 32, (h + 7u) / 8, 1},
          {32, 8, 1},
          0,
          {SampleOut{w * h * sizeof(int)}, w, h, most},
          [](const Outputs& outputs) {
            ASSERT_EQ(outputs.size(), 1u);
            const auto y = values_of<int>(outputs[0]);
            ASSERT_EQ(y.size(), std::size_t{w * h});
            int different = 0;
            for (int row = 0; row < h; ++row) {
              for (int column = 0; column < w; ++column) {
                different += y[row * w + column] !=
                             steps_before_escape(-2.f + 3.f * static_cast<float>(column) / w,
                                                 -1.f + 2.f * static_cast<float>(row) / h, most);
              }
            }
            EXPECT_LE(different, w * h / 50);
            EXPECT_EQ(y[h / 2 * w + 60], most) << "a point well inside";
          }};
}

}  // namespace

std::vector<SampleKernel> sample_kernels() {
  return {saxpy(),       saxpy_template(),      reduce(),
          reduce_warp(), matmul("matmul"),      matmul("matmul_naive"),
          last_block(),  reverse("reverse_ns"), reverse("reverse_fn<int>"),
          compact(),     templated_shared(),    vectors_and_constants(),
          histogram(),   transpose(),           bodies(),
          mandelbrot()};
}

SampleKernel sample_kernel(const std::string& kernel) {
  for (SampleKernel& sample : sample_kernels()) {
    if (sample.kernel == kernel) {
      return std::move(sample);
    }
  }
  ADD_FAILURE() << "no sample kernel " << kernel;
  return {};
}

std::string SampleKernel::source() const {
  std::ifstream in(FASTGPU_TEST_KERNELS "/" + file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_TRUE(in.good()) << "no kernel file " << file;
  return text.str();
}

std::string SampleKernel::test_name() const {
  std::string name;
  for (const char c : kernel) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    if (plain || (c != '>' && c != ' ')) {
      name += plain ? c : '_';
    }
  }
  return name;
}

std::ostream& operator<<(std::ostream& out, const SampleKernel& sample) {
  return out << sample.kernel << " of " << sample.file;
}

}  // namespace fastgpu::testing
