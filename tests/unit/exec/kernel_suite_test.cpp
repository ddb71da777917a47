// The kernels of tests/data/kernels through a real executor process, each against a host reference.

#include <algorithm>
#include <cmath>

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;

class KernelSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    recorder_ = new Recorder(make_process_executor(cpu_options()));
    recorder_->await_ready();
  }
  static void TearDownTestSuite() {
    delete recorder_;
    recorder_ = nullptr;
  }
  /// Runs to success and gives the outputs.
  static std::vector<base::Bytes> run(const std::string& file, const std::string& kernel,
                                      std::array<std::uint32_t, 3> grid,
                                      std::array<std::uint32_t, 3> block,
                                      std::vector<Argument> arguments,
                                      std::uint32_t shared_bytes = 0, bool precise = false) {
    ExecutorTask task;
    task.source = kernel_file(file);
    task.kernel = kernel;
    task.grid = grid;
    task.block = block;
    task.shared_bytes = shared_bytes;
    task.arguments = std::move(arguments);
    task.precise = precise;
    ExecutorResult result = recorder_->run(std::move(task));
    EXPECT_EQ(result.reason, base::FailureReason::none) << result.message;
    return result.outputs;
  }
  static Recorder* recorder_;
};
Recorder* KernelSuite::recorder_ = nullptr;

template <class T>
std::vector<T> counted(std::size_t count, T factor = 1) {
  std::vector<T> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<T>(i) * factor;
  return values;
}

std::uint32_t mixed(std::uint32_t i) {
  return i * 2654435761u;
}

void expect_saxpy(const std::vector<base::Bytes>& outputs, std::size_t n) {
  ASSERT_EQ(outputs.size(), 1u);
  const auto out = values_of<float>(outputs[0]);
  ASSERT_EQ(out.size(), n);
  for (std::size_t i = 0; i < n; ++i)
    ASSERT_EQ(out[i], 2.0f * static_cast<float>(i) + 1.0f) << i;
}

TEST_F(KernelSuite, RunsSaxpyAsALoopAndAsFibres) {
  const int n = 1000;
  const std::vector<float> ones(n, 1.0f);
  for (const bool precise : {false, true})
    expect_saxpy(run("saxpy.cu", "saxpy", {8, 1, 1}, {128, 1, 1},
                     {Argument::i32(n), Argument::f32(2.0f),
                      Argument::in(bytes_of(counted<float>(n))), Argument::inout(bytes_of(ones))},
                     0, precise),
                 n);
}

TEST_F(KernelSuite, RunsATemplateByItsNameExpression) {
  const std::size_t n = 5000;
  const std::vector<float> ones(n, 1.0f);
  expect_saxpy(run("saxpy_t.cu", "saxpy<float>", {3, 1, 1}, {256, 1, 1},
                   {Argument::u64(n), Argument::f32(2.0f),
                    Argument::in(bytes_of(counted<float>(n))), Argument::inout(bytes_of(ones))}),
               n);
}

TEST_F(KernelSuite, ReducesInSharedMemory) {
  const int n = 10'000;
  const auto out = run("reduce.cu", "reduce", {20, 1, 1}, {256, 1, 1},
                       {Argument::in(bytes_of(std::vector<float>(n, 0.5f))),
                        Argument::inout(bytes_of(std::vector<float>{0})), Argument::i32(n)});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(values_of<float>(out[0])[0], 5000.0f);
}

TEST_F(KernelSuite, ReducesByShuffles) {
  const int n = 12'345;
  const auto out = run("reduce_warp.cu", "reduce_warp", {4, 1, 1}, {192, 1, 1},
                       {Argument::in(bytes_of(std::vector<float>(n, 1.0f))),
                        Argument::inout(bytes_of(std::vector<float>{0})), Argument::i32(n)});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(values_of<float>(out[0])[0], 12345.0f);
}

TEST_F(KernelSuite, MultipliesMatricesTiledAndPlain) {
  const int n = 64;
  std::vector<float> a(n * n), b(n * n), expected(n * n);
  for (int i = 0; i < n * n; ++i) {
    a[i] = static_cast<float>(mixed(i) % 7);
    b[i] = static_cast<float>(mixed(i + 1) % 5);
  }
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k)
      for (int j = 0; j < n; ++j)
        expected[i * n + j] += a[i * n + k] * b[k * n + j];
  for (const char* kernel : {"matmul", "matmul_naive"}) {
    const auto out = run("matmul.cu", kernel, {4, 4, 1}, {16, 16, 1},
                         {Argument::in(bytes_of(a)), Argument::in(bytes_of(b)),
                          Argument::out(n * n * sizeof(float)), Argument::i32(n)});
    ASSERT_EQ(out.size(), 1u) << kernel;
    EXPECT_EQ(values_of<float>(out[0]), expected) << kernel;
  }
}

TEST_F(KernelSuite, GivesDynamicSharedMemoryInBothScopes) {
  const int n = 100;
  std::vector<int> expected;
  for (int block = 0; block < 3; ++block)
    for (int i = n; i-- > 0;)
      expected.push_back(block * n + i);
  for (const char* kernel : {"reverse_ns", "reverse_fn<int>"}) {
    const auto out =
        run("dyn.cu", kernel, {3, 1, 1}, {128, 1, 1},
            {Argument::inout(bytes_of(counted<int>(3 * n))), Argument::i32(n)}, n * sizeof(int));
    ASSERT_EQ(out.size(), 1u) << kernel;
    EXPECT_EQ(values_of<int>(out[0]), expected) << kernel;
  }
}

TEST_F(KernelSuite, SharesTemplatedArraysAndStructs) {
  const int n = 1000;
  const auto out = run("suite.cu", "tmpl_shared<double,128>", {8, 1, 1}, {128, 1, 1},
                       {Argument::in(bytes_of(counted<double>(n))),
                        Argument::out(n * sizeof(double)), Argument::i32(n)});
  ASSERT_EQ(out.size(), 1u);
  const auto y = values_of<double>(out[0]);
  for (int i = 0; i < n; ++i) {
    const int source = i / 128 * 128 + 127 - i % 128;
    ASSERT_EQ(y[i], source < n ? double(source) * source : 0.0) << i;
  }
}

TEST_F(KernelSuite, FindsTheLastBlockAndItsCounterFreshEachTime) {
  const int n = 100'000;
  for (int round = 0; round < 2; ++round) {
    const auto out = run(
        "suite.cu", "last_block", {64, 1, 1}, {128, 1, 1},
        {Argument::in(bytes_of(std::vector<float>(n, 0.5f))), Argument::scratch(64 * sizeof(float)),
         Argument::out(sizeof(float)), Argument::i32(n)});
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(values_of<float>(out[0])[0], 50'000.0f) << round;
  }
}

TEST_F(KernelSuite, ReadsVectorsAndConstants) {
  const int n = 1000;
  const auto out = run("suite.cu", "vec4", {8, 1, 1}, {128, 1, 1},
                       {Argument::in(bytes_of(std::vector<float>(4 * n, 1.0f))),
                        Argument::out(4 * n * sizeof(float)), Argument::i32(n)});
  ASSERT_EQ(out.size(), 1u);
  const auto y = values_of<float>(out[0]);
  for (int i = 0; i < 4 * n; ++i)
    ASSERT_EQ(y[i], static_cast<float>(i % 4 + 1)) << i;
}

TEST_F(KernelSuite, CountsWithSharedAtomics) {
  const int n = 1 << 18;
  std::vector<unsigned char> x(n);
  std::vector<unsigned> expected(256);
  for (int i = 0; i < n; ++i)
    ++expected[x[i] = static_cast<unsigned char>(mixed(i) >> 24)];
  const auto out =
      run("suite.cu", "histogram", {16, 1, 1}, {256, 1, 1},
          {Argument::in(bytes_of(x)), Argument::out(256 * sizeof(unsigned)), Argument::i32(n)});
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(values_of<unsigned>(out[0]), expected);
}

TEST_F(KernelSuite, CompactsWithBallotsAndShuffles) {
  const int n = 50'000;
  std::vector<int> x(n), expected;
  for (int i = 0; i < n; ++i) {
    x[i] = static_cast<int>(mixed(i) >> 7);
    if (x[i] & 1)
      expected.push_back(x[i]);
  }
  const auto out = run("suite.cu", "compact", {(n + 255u) / 256, 1, 1}, {256, 1, 1},
                       {Argument::in(bytes_of(x)), Argument::out(n * sizeof(int)),
                        Argument::out(sizeof(int)), Argument::i32(n)});
  ASSERT_EQ(out.size(), 2u);
  auto kept = values_of<int>(out[0]);
  ASSERT_EQ(values_of<int>(out[1])[0], static_cast<int>(expected.size()));
  kept.resize(expected.size());
  std::sort(kept.begin(), kept.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(kept, expected);
}

TEST_F(KernelSuite, TransposesThroughAPaddedTile) {
  const int w = 300, h = 200;
  const auto x = counted<float>(w * h);
  const auto out = run("suite.cu", "transpose", {(w + 31u) / 32, (h + 31u) / 32, 1}, {32, 8, 1},
                       {Argument::in(bytes_of(x)), Argument::out(w * h * sizeof(float)),
                        Argument::i32(w), Argument::i32(h)});
  ASSERT_EQ(out.size(), 1u);
  const auto y = values_of<float>(out[0]);
  for (int r = 0; r < h; ++r)
    for (int c = 0; c < w; ++c)
      ASSERT_EQ(y[c * h + r], x[r * w + c]) << r << "," << c;
}

TEST_F(KernelSuite, PullsBodiesTowardsEachOther) {
  const int n = 500;
  std::vector<float> p(4 * n);
  for (int i = 0; i < 4 * n; ++i)
    p[i] = static_cast<float>(mixed(i) >> 16 & 1023) / 1024.0f;
  const auto out =
      run("suite.cu", "nbody", {(n + 127u) / 128, 1, 1}, {128, 1, 1},
          {Argument::in(bytes_of(p)), Argument::out(3 * n * sizeof(float)), Argument::i32(n)},
          128 * 16);
  ASSERT_EQ(out.size(), 1u);
  const auto a = values_of<float>(out[0]);
  for (const int i : {0, 250, n - 1}) {
    double expected = 0;
    for (int k = 0; k < n; ++k) {
      const double dx = p[4 * k] - p[4 * i], dy = p[4 * k + 1] - p[4 * i + 1],
                   dz = p[4 * k + 2] - p[4 * i + 2], r2 = dx * dx + dy * dy + dz * dz + 1e-3;
      expected += dx * p[4 * k + 3] / (r2 * std::sqrt(r2));
    }
    EXPECT_NEAR(a[3 * i], expected, 1e-3 * std::fabs(expected) + 1e-2) << i;
  }
}

TEST_F(KernelSuite, IteratesTheMandelbrotSet) {
  const int w = 96, h = 64, most = 200;
  const auto out = run("suite.cu", "mandel", {(w + 31u) / 32, (h + 7u) / 8, 1}, {32, 8, 1},
                       {Argument::out(w * h * sizeof(int)), Argument::i32(w), Argument::i32(h),
                        Argument::i32(most)});
  ASSERT_EQ(out.size(), 1u);
  const auto y = values_of<int>(out[0]);
  int different = 0;
  for (int row = 0; row < h; ++row)
    for (int column = 0; column < w; ++column) {
      const float cr = -2.f + 3.f * column / w, ci = -1.f + 2.f * row / h;
      float zr = 0, zi = 0;
      int it = 0;
      while (it < most && zr * zr + zi * zi < 4.f) {
        const float t = zr * zr - zi * zi + cr;
        zi = 2.f * zr * zi + ci;
        zr = t;
        ++it;
      }
      different += y[row * w + column] != it;
    }
  // Contracted multiply-adds move points at the border by a step or two.
  EXPECT_LE(different, w * h / 50);
  EXPECT_EQ(y[h / 2 * w + 60], most);
}

}  // namespace
}  // namespace fastgpu::exec::test
