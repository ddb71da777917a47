// What of CUDA C++ the CPU device takes, and what it says of the rest. Each case is one small
// kernel over 64 threads whose first word of output is known.

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;

class Language : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    recorder_ = new Recorder(make_process_executor(cpu_options()));
    recorder_->await_ready();
  }
  static void TearDownTestSuite() {
    delete recorder_;
    recorder_ = nullptr;
  }
  static ExecutorTask task(const std::string& source, const std::string& kernel = "k") {
    ExecutorTask result;
    result.source = base::Bytes::copy_of(source);
    result.kernel = kernel;
    result.block = {64, 1, 1};
    result.arguments = {Argument::out(64 * sizeof(int))};
    return result;
  }
  static ExecutorResult run(ExecutorTask one) { return recorder_->run(std::move(one)); }
  static void expect(const std::string& source, int first, const std::string& kernel = "k") {
    const ExecutorResult result = run(task(source, kernel));
    ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
    EXPECT_EQ(values_of<int>(result.outputs.at(0)).at(0), first) << source;
  }
  static Recorder* recorder_;
};
Recorder* Language::recorder_ = nullptr;

TEST_F(Language, TakesWhatNeedsNoBarrier) {
  // Many features in one source: each compile costs.
  expect(R"(
#include <cuda_runtime.h>
#include <cstdint>
#include <cmath>
#include <cassert>
#include <cstdio>
__device__ int factorial(int n) { return n <= 1 ? 1 : n * factorial(n - 1); }
struct P { int a; float b[3]; };
namespace a { namespace b {
__global__ void k(std::int32_t* p) {
  auto twice = [&](int i) { return i * 2; };
  P q{3, {1, 2, 3}};
  const char* raw = R"x(asm("extern __shared__ float s[];")x";
  int i = 0;
  do { switch (i) { case 0: i = 2; break; case 2: goto end; } } while (true);
end:
  assert(raw[0] == 'a');
  double4 d = make_double4(1, 2, 3, 4);
  longlong2 l = make_longlong2(5, 6);
  int sum = factorial(5) + twice(21) + q.a + (int)q.b[2] + i + (int)d.w + (int)l.y;
  sum += min(threadIdx.x, 5u) * 0 + max(3, 4) + abs(-7) + (int)abs(-2.5f) + (int)fabs(-1.0f);
  sum += (int)sqrt(16) + (int)std::pow(2.0f, 3.0f) + (int)fmaxf(1, 2) + (int)floor(2.5f);
  sum += __popc(255u) + __clz(1) + __ffs(8) + (int)__brev(1u << 31) + __mulhi(1 << 20, 1 << 20);
  sum += (int)__byte_perm(0x12, 0, 0x4440) + isnan(NAN) + (1.0f / 0.0f == INFINITY);
  p[threadIdx.x] = sum;
}
}}
)",
         120 + 42 + 3 + 3 + 2 + 4 + 6 + 4 + 7 + 2 + 1 + 4 + 8 + 2 + 2 + 8 + 31 + 4 + 1 + 256 +
             0x12 + 1 + 1,
         "a::b::k");
}

TEST_F(Language, CountsAtABarrierThatTheLastThreadLeaves) {
  // Threads 0..31 wait with a predicate; the others leave later, and the last leaver opens it.
  expect(R"(
__global__ void k(int* p) {
  if (threadIdx.x >= 32) { __syncwarp(); return; }
  int count = __syncthreads_count(threadIdx.x < 20);
  int all = __syncthreads_and(threadIdx.x < 32);
  int any = __syncthreads_or(threadIdx.x == 31);
  p[threadIdx.x] = count * 100 + all * 10 + any;
}
)",
         2011);
}

TEST_F(Language, ShufflesTypesOfAnySize) {
  expect(R"(
struct Big { double v[5]; char c; };
__global__ void k(int* p) {
  Big mine{{0, 0, 0, 0, double(threadIdx.x)}, char(threadIdx.x)};
  Big other = __shfl_down_sync(0xffffffffu, mine, 3);
  p[threadIdx.x] = int(other.v[4]) * 100 + other.c;
}
)",
         303);
}

TEST_F(Language, KeepsShufflesOfDifferentMasksApart) {
  // Lanes 0 and 1 exchange twice before lane 0 meets lane 2 for the first time.
  expect(R"(
__global__ void k(int* p) {
  int lane = threadIdx.x % 32, v = lane + 1;
  if (lane < 2) { v += __shfl_xor_sync(3u, v, 1); v = __shfl_sync(3u, v, 0); }
  if (lane == 0 || lane == 2) v = v * 10 + __shfl_xor_sync(5u, lane + 7, 2);
  p[threadIdx.x] = v;
}
)",
         39);
}

TEST_F(Language, MatchesAndReducesOverAWarp) {
  expect(R"(
__global__ void k(int* p) {
  int lane = threadIdx.x % 32, equal;
  unsigned any = __match_any_sync(0xffffffffu, lane % 4);
  unsigned all = __match_all_sync(0xffffffffu, 5, &equal);
  int sum = __reduce_add_sync(0xffffffffu, lane);
  unsigned most = __reduce_max_sync(0xffffffffu, (unsigned)lane);
  p[threadIdx.x] = (any == 0x11111111u << lane % 4) + 2 * (all == ~0u && equal) +
                   4 * (sum == 496) + 8 * (most == 31) +
                   16 * (__reduce_or_sync(0xffu, lane < 8 ? 1u << lane : 0u) == 255u || lane > 7);
}
)",
         31);
}

TEST_F(Language, RunsKernelsThatAMacroDeclares) {
  expect(
      "#define KERNEL __global__ void\nKERNEL k(int* p) { __shared__ int s; if (threadIdx.x == 9)"
      " s = 5; __syncthreads(); p[threadIdx.x] = s; }",
      5);
}

TEST_F(Language, HoldsALargeLocalArray) {
  expect(
      "__global__ void k(int* p) { volatile char a[100 << 10]; for (int i = 0; i < (100 << 10); "
      "i += 512) a[i] = 1; __syncthreads(); p[threadIdx.x] = a[512] + a[1024]; }",
      2);
}

TEST_F(Language, ComputesWithHalves) {
  expect(
      "#include <cuda_fp16.h>\n__global__ void k(int* p) { __half a = __float2half(1.5f), b = 2; "
      "a += b; p[threadIdx.x] = (int)(__half2float(a * b) * 10); }",
      70);
}

TEST_F(Language, ObeysDefinesAndTheStandard) {
  ExecutorTask one = task(
      "template <class T> concept Any = true;\n"
      "__global__ void k(int* p) { p[threadIdx.x] = VALUE + FLAG; }");
  one.defines = {"VALUE=41", "FLAG"};
  one.standard = Standard::cpp20;
  const ExecutorResult result = run(one);
  ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
  EXPECT_EQ(values_of<int>(result.outputs[0])[0], 42);
}

TEST_F(Language, NarrowsIntegersThatFit) {
  ExecutorTask one =
      task("__global__ void k(int* p, bool b, short s, unsigned char c) { *p = b + s + c; }");
  one.arguments.push_back(Argument::i32(1));
  one.arguments.push_back(Argument::i32(-300));
  one.arguments.push_back(Argument::i32(255));
  const ExecutorResult result = run(one);
  ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
  EXPECT_EQ(values_of<int>(result.outputs[0])[0], -44);
  one.arguments[3] = Argument::i32(256);
  EXPECT_EQ(run(one).message,
            "argument 3: kernel takes an integer of 1 bytes, the job's value does not fit");
}

TEST_F(Language, ReturnsWhatWasPrinted) {
  const ExecutorResult result =
      run(task("#include <cstdio>\n__global__ void k(int* p) { if (threadIdx.x == 3) { "
               "printf(\"lane %d\\n\", "
               "threadIdx.x); std::printf(\"%.1f\\n\", 2.5f); } }"));
  ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
  EXPECT_EQ(result.printed, "lane 3\n2.5\n");
}

TEST_F(Language, ShowsTheUsersOwnLinesInErrors) {
  const ExecutorResult result = run(task("int x;\n__global__ void k(int* p) {\n  p[0] = y;\n}\n"));
  EXPECT_EQ(result.reason, base::FailureReason::compile_error);
  EXPECT_NE(result.message.find("job.cu:3:10: error"), std::string::npos) << result.message;
  EXPECT_EQ(result.message.find(shared_cache_folder()), std::string::npos) << result.message;
}

TEST_F(Language, NamesTheKernelsThatAreThere) {
  const std::string source = "__global__ void saxpy(int* p) {} __device__ void helper(int* p) {}";
  const ExecutorResult unknown = run(task(source, "saxpyy"));
  EXPECT_EQ(unknown.reason, base::FailureReason::bad_kernel);
  EXPECT_EQ(unknown.message, "no kernel 'saxpyy'; this source has: saxpy");
  const ExecutorResult helper = run(task(source, "helper"));
  EXPECT_EQ(helper.reason, base::FailureReason::bad_kernel);
  EXPECT_NE(helper.message.find("is not a __global__ function"), std::string::npos);
}

TEST_F(Language, AsksForTemplateArguments) {
  const ExecutorResult result = run(task("template <class T> __global__ void k(T* p) {}"));
  EXPECT_EQ(result.reason, base::FailureReason::bad_kernel);
  EXPECT_NE(result.message.find("k<float>"), std::string::npos) << result.message;
}

TEST_F(Language, SaysThatPtxAndGridGroupsAreNotForTheCpu) {
  const ExecutorResult assembler = run(task(
      "__global__ void k(int* p) { int r; asm(\"mov.u32 %0, %%laneid;\" : \"=r\"(r)); *p = r; }"));
  EXPECT_EQ(assembler.reason, base::FailureReason::not_supported_on_device);
  EXPECT_NE(assembler.message.find("inline PTX is not supported on the CPU device"),
            std::string::npos)
      << assembler.message;
  const ExecutorResult groups =
      run(task("#include <cooperative_groups.h>\n__global__ void k(int* p) {}"));
  EXPECT_EQ(groups.reason, base::FailureReason::not_supported_on_device);
}

TEST_F(Language, SaysThatTexturesAndLaunchesInTheSourceAreNotForTheCpu) {
  const std::pair<const char*, const char*> cases[] = {
      {"texture<float, cudaTextureType1D, cudaReadModeElementType> t; __global__ void k(int* p) { "
       "*p = (int)tex1Dfetch(t, 3); }",
       "a texture is not supported on the CPU device"},
      {"__global__ void k(int* p) { cudaTextureObject_t t = 0; *p = (int)tex2D<float>(t, 1.f, "
       "2.f); "
       "}",
       "tex2D reads or writes a texture or surface, which is not supported on the CPU device"},
      {"__global__ void child(int* p) { *p = 1; } __global__ void k(int* p) { child<<<1, 1>>>(p); "
       "}",
       "a kernel launch in the source (<<<...>>>) is not supported on the CPU device"},
      {"#include <mma.h>\n__global__ void k(int* p) {}",
       "mma.h is not supported on the CPU device"},
  };
  for (const auto& [source, reason] : cases) {
    const ExecutorResult result = run(task(source));
    EXPECT_EQ(result.reason, base::FailureReason::not_supported_on_device) << source;
    EXPECT_NE(result.message.find(reason), std::string::npos) << result.message;
  }
}

TEST_F(Language, HasASmallHeapForEachLaunch) {
  const std::string source = R"(
struct Node { int value; Node* next; ~Node() { delete next; } };
__global__ void k(int* p) {
  Node* list = nullptr;
  for (int i = 0; i < 10; ++i) list = new Node{i, list};
  int sum = 0;
  for (Node* n = list; n; n = n->next) sum += n->value;
  delete list;
  int* kept = (int*)malloc(64 << 10);  // 4 MiB over all threads; nobody frees them
  if (!kept || malloc(8 << 20)) sum = -1;
  p[threadIdx.x] = sum;
}
)";
  for (int i = 0; i < 3; ++i)
    expect(source, 45);
}

TEST_F(Language, ChecksArgumentsBeforeTheLaunch) {
  ExecutorTask one = task("__global__ void k(int* p, double d, int n) { *p = n; }");
  const auto message = [&one](std::vector<Argument> arguments) {
    one.arguments = std::move(arguments);
    const ExecutorResult result = run(one);
    EXPECT_EQ(result.reason, base::FailureReason::bad_argument);
    return result.message;
  };
  EXPECT_EQ(message({Argument::out(4)}), "kernel takes 3 arguments, job gives 1");
  EXPECT_EQ(message({Argument::out(4), Argument::f32(1), Argument::i32(1)}),
            "argument 1: kernel takes 8 bytes, job gives 4 (f32)");
  EXPECT_EQ(message({Argument::out(4), Argument::f64(1), Argument::f32(1)}),
            "argument 2: kernel takes an integer, job gives 4 (f32)");
  EXPECT_EQ(message({Argument::i32(4), Argument::f64(1), Argument::i32(1)}),
            "argument 0: kernel takes a buffer, job gives a value (i32)");
  EXPECT_EQ(message({Argument::out(4), Argument::f64(1), Argument::out(4)}),
            "argument 2: kernel takes a value of 4 bytes, job gives a buffer");
}

TEST_F(Language, ChecksTheLaunchsLimits) {
  ExecutorTask one = task("__global__ void k(int* p) { *p = 1; }");
  const auto message = [](ExecutorTask wrong) {
    const ExecutorResult result = run(std::move(wrong));
    EXPECT_EQ(result.reason, base::FailureReason::bad_argument);
    return result.message;
  };
  ExecutorTask wrong = one;
  wrong.block = {32, 33, 1};
  EXPECT_EQ(message(wrong), "the number of threads of a block is 1056, the limit is 1024");
  wrong = one;
  wrong.grid = {1, 70'000, 1};
  EXPECT_EQ(message(wrong), "grid y is 70000, the limit is 65535");
  wrong = one;
  wrong.shared_bytes = 1u << 20;
  EXPECT_EQ(message(wrong), "dynamic shared memory in bytes is 1048576, the limit is 232448");
  wrong = one;
  wrong.grid = {0, 1, 1};
  EXPECT_EQ(message(wrong), "grid and block must be at least 1 in each direction");
}

TEST_F(Language, RefusesUnresolvedFunctionsWithTheirName) {
  const ExecutorResult result =
      run(task("__device__ void elsewhere(); __global__ void k(int* p) { elsewhere(); }"));
  EXPECT_EQ(result.reason, base::FailureReason::compile_error);
  EXPECT_NE(result.message.find("elsewhere"), std::string::npos) << result.message;
}

}  // namespace
}  // namespace fastgpu::exec::test
