// Sources through the real NVRTC, where there is a toolkit; neither a driver nor a GPU is needed.

#include <fstream>

#include "runtime/exec/cpu/kernel_cache.hpp"
#include "runtime/exec/cuda/image.hpp"
#include "runtime/exec/cuda/nvrtc_maker.hpp"
#include "tests/support/kernels/sample_kernels.hpp"
#include "tests/unit/devices/device_bed.hpp"

namespace fastgpu::exec::test {
namespace {

using base::FailureReason;

class Nvrtc : public ::testing::Test {
 protected:
  void SetUp() override {
    use_real_driver();
    if (const auto nvrtc = cuda::open_nvrtc(); !nvrtc.ok())
      GTEST_SKIP() << nvrtc.error().message;
  }
  static KernelRequest request_for(const std::string& source, const std::string& expression) {
    KernelRequest request;
    request.source = source;
    request.expression = expression;
    return request;
  }
  /// As an executor would have it made for a device.
  std::shared_ptr<const KernelEntry> make(const KernelRequest& request, unsigned arch = 90,
                                          CompileLimits limits = {}) {
    NvrtcMakerOptions options;
    options.child_program = FASTGPU_TEST_EXECUTOR;
    options.folder = folder_.path();
    options.arch = arch;
    options.limits = limits;
    KernelCacheOptions cache_options;
    cache_options.compiler.folder = folder_.path();
    KernelCache cache(cache_options, std::make_unique<NvrtcMaker>(options), {});
    return cache.wait(cache.request(request));
  }
  TemporaryFolder folder_;
};

class NvrtcSample : public Nvrtc, public ::testing::WithParamInterface<testing::SampleKernel> {};

TEST_P(NvrtcSample, IsBuiltForADevice) {
  const testing::SampleKernel& sample = GetParam();
  const auto entry = make(request_for(sample.source(), sample.kernel));
  ASSERT_EQ(entry->reason, FailureReason::none) << entry->message;
  const auto facts = read_cubin(entry->image->bytes);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->arch, 90u);
  EXPECT_EQ(facts->has_globals, entry->image->has_globals);
  EXPECT_EQ(facts->has_globals, sample.file == "suite.cu") << "its counter outlives a launch";
}
INSTANTIATE_TEST_SUITE_P(Sample, NvrtcSample, ::testing::ValuesIn(testing::sample_kernels()),
                         [](const auto& made) { return made.param.test_name(); });

TEST_F(Nvrtc, BuildsForEachDeviceWhatRunsThere) {
  for (const unsigned arch : {80u, 90u}) {
    const auto entry = make(request_for("__global__ void k(int* p) { *p = 1; }", "k"), arch);
    ASSERT_EQ(entry->reason, FailureReason::none) << entry->message;
    EXPECT_TRUE(entry->compiled) << "the other device's code is not this one's";
    EXPECT_EQ(read_cubin(entry->image->bytes)->arch, arch);
    EXPECT_EQ(entry->image->kernel, "_Z1kPi");
  }
}

TEST_F(Nvrtc, GivesPtxForADeviceThatIsNewerThanItself) {
  const auto entry = make(request_for("__global__ void k(int* p) { *p = 1; }", "k"), 199);
  ASSERT_EQ(entry->reason, FailureReason::none) << entry->message;
  EXPECT_TRUE(read_ptx(entry->image->bytes));
}

TEST_F(Nvrtc, FindsInTheFolderWhatWasMadeBefore) {
  const KernelRequest request = request_for("__global__ void k(int* p) { *p = 2; }", "k");
  EXPECT_TRUE(make(request)->compiled);
  const auto again = make(request);
  EXPECT_FALSE(again->compiled);
  EXPECT_EQ(again->image->kernel, "_Z1kPi");
}

TEST_F(Nvrtc, AnswersWrongNamesAsTheCpuDeviceDoes) {
  const auto unknown = make(request_for("__global__ void saxpy(int* p) {}", "saxpyy"));
  EXPECT_EQ(unknown->reason, FailureReason::bad_kernel);
  EXPECT_EQ(unknown->message, "no kernel 'saxpyy'; this source has: saxpy");
  const auto open = make(request_for("template <class T> __global__ void k(T* p) {}", "k"));
  EXPECT_EQ(open->reason, FailureReason::bad_kernel);
  EXPECT_NE(open->message.find("a template needs its arguments, as in k<float>"),
            std::string::npos);
  const auto helper =
      make(request_for("__device__ void f(int*) {}\n__global__ void k(int* p) {}", "f"));
  EXPECT_EQ(helper->reason, FailureReason::bad_kernel);
  EXPECT_NE(helper->message.find("this source has: k"), std::string::npos) << helper->message;
}

TEST_F(Nvrtc, QuotesTheLineThatDoesNotCompile) {
  const auto entry = make(request_for("__global__ void k(int* p) {\n  *p = missing;\n}", "k"));
  EXPECT_EQ(entry->reason, FailureReason::compile_error);
  EXPECT_NE(entry->message.find("job.cu(2): error: identifier \"missing\" is undefined"),
            std::string::npos)
      << entry->message;
  EXPECT_NE(entry->message.find("compiled with NVRTC "), std::string::npos);
  EXPECT_EQ(entry->message.find(folder_.path()), std::string::npos);
}

TEST_F(Nvrtc, BringsTheHeadersThatSourcesUse) {
  const auto entry = make(request_for(
      "#include <cstdint>\n#include <cmath>\n#include <cassert>\n#include <cstdio>\n"
      "#include <cstring>\n#include <cstdlib>\n#include <cuda_runtime.h>\n#include <cuda_fp16.h>\n"
      "#include <math_constants.h>\n#include <cuda/std/cstdint>\n#include <cooperative_groups.h>\n"
      "__global__ void k(uint32_t* p, std::uint64_t n, __half h) { assert(n > 0); uint i = n; "
      "p[i] = std::sqrt((float)n) + __half2float(h) + CUDART_PI_F; printf(\"%d\", INT32_MAX); }",
      "k"));
  EXPECT_EQ(entry->reason, FailureReason::none) << entry->message;
}

TEST_F(Nvrtc, ShowsNoFileOfTheHost) {
  for (const char* file : {"/etc/passwd", "../../../../../../../etc/passwd"}) {
    const auto entry =
        make(request_for("#include \"" + std::string(file) + "\"\n__global__ void k() {}", "k"));
    EXPECT_EQ(entry->reason, FailureReason::compile_error);
    EXPECT_EQ(entry->message.find("root:"), std::string::npos) << entry->message;
  }
}

TEST_F(Nvrtc, KnowsAFileThatALogQuotes) {
  EXPECT_EQ(foreign_file_in_log("/etc/passwd(1): error: this declaration\n  root:x:0\n", "/usr/c"),
            "/etc/passwd");
  EXPECT_EQ(foreign_file_in_log("job.cu(3): error: x\n/usr/c/a.h(2): error: y\n", "/usr/c"), "");
}

TEST_F(Nvrtc, StopsASourceThatNeverEnds) {
  CompileLimits limits;
  limits.wall = std::chrono::milliseconds(2000);
  const auto entry = make(
      request_for("template <int N, int M> struct S { static constexpr int v = S<N - 1, 2 * M>::v "
                  "+ S<N - 1, 2 * M + 1>::v; }; template <int M> struct S<0, M> { static constexpr "
                  "int v = M; };\n__global__ void k(int* p) { *p = S<24, 0>::v; }",
                  "k"),
      90, limits);
  EXPECT_EQ(entry->reason, FailureReason::compile_error);
  EXPECT_NE(entry->message.find("compile stopped after 2 s (limit)"), std::string::npos)
      << entry->message;
}

TEST_F(Nvrtc, TakesNoOptionsFromDefines) {
  KernelRequest request = request_for("__global__ void k(int* p) { *p = X; }", "k");
  request.defines = {"X=1 --include-path=/etc"};
  EXPECT_EQ(make(request)->reason, FailureReason::compile_error);
}

}  // namespace
}  // namespace fastgpu::exec::test
