// What every device promises, whatever it is: the same test over the CPU device, the CUDA device on
// the fake driver, and a real GPU where there is one.

#include <set>

#include "tests/unit/devices/device_bed.hpp"
#include "tests/unit/devices/sample_task.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;
using base::FailureReason;

class AnyDevice : public ::testing::TestWithParam<DeviceBed> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().enter(); !why.empty())
      GTEST_SKIP() << why;
    start(GetParam().options());
  }
  void start(const ProcessExecutorOptions& options) {
    recorder_.reset();
    recorder_ = std::make_unique<Recorder>(make_process_executor(options));
    device_ = recorder_->await_ready().device;
  }
  /// A kernel k(int* p, int n) over 4 blocks of 256 threads, with 1000 integers and a 0.
  static ExecutorTask task_with(const std::string& body) {
    ExecutorTask task;
    task.source = base::Bytes::copy_of(
        "__global__ void k(int* p, int n) {\n  int i = blockIdx.x * blockDim.x + threadIdx.x;\n  " +
        body + "\n}\n");
    task.kernel = "k";
    task.grid = {4, 1, 1};
    task.block = {256, 1, 1};
    task.arguments = {Argument::out(1000 * sizeof(int)), Argument::i32(0)};
    return task;
  }
  static ExecutorTask good_task() { return task_with("if (i < 1000) p[i] = i + n;"); }
  ExecutorResult run(ExecutorTask task) { return recorder_->run(std::move(task)); }
  void expect_works() {
    const ExecutorResult result = run(good_task());
    ASSERT_EQ(result.reason, FailureReason::none) << result.message;
    EXPECT_EQ(values_of<int>(result.outputs.at(0))[999], 999);
  }
  void expect_refused(ExecutorTask task, FailureReason reason, const std::string& words) {
    const ExecutorResult result = run(std::move(task));
    EXPECT_EQ(result.reason, reason) << result.message;
    EXPECT_NE(result.message.find(words), std::string::npos) << result.message;
  }
  /// Runs a task that ends the process, sees that another comes and works.
  ExecutorResult crash(ExecutorTask task) {
    const ExecutorResult result = run(std::move(task));
    EXPECT_EQ(recorder_->await_died().reason, "exit code 86");
    recorder_->await_ready();
    expect_works();
    return result;
  }

  std::unique_ptr<Recorder> recorder_;
  DeviceDescription device_;
};
INSTANTIATE_TEST_SUITE_P(Beds, AnyDevice, ::testing::ValuesIn(device_beds()),
                         [](const auto& made) { return made.param.name; });

TEST_P(AnyDevice, SaysWhatItIs) {
  EXPECT_EQ(device_.kind, GetParam().is_gpu ? DeviceKind::cuda : DeviceKind::cpu);
  EXPECT_FALSE(device_.model.empty());
  EXPECT_FALSE(device_.uuid.empty());
  EXPECT_GT(device_.memory_bytes, 0u);
  EXPECT_FALSE(device_.walls.empty());
}

TEST_P(AnyDevice, RunsAKernelAndTellsItsTimes) {
  const ExecutorResult first = run(good_task());
  ASSERT_EQ(first.reason, FailureReason::none) << first.message;
  EXPECT_EQ(values_of<int>(first.outputs.at(0))[7], 7);
  EXPECT_GT(first.timings.compile_ns, 0u);
  EXPECT_GT(first.timings.copy_in_ns, 0u);
  EXPECT_GT(first.timings.run_ns, 0u);
  EXPECT_GT(first.timings.copy_out_ns, 0u);
  EXPECT_TRUE(run(good_task()).timings.compile_cached);
}

TEST_P(AnyDevice, GivesOutAndScratchAsZeroes) {
  ExecutorTask task;
  task.source = base::Bytes::copy_of(
      "__global__ void k(int* out, const int* scratch, int* both, int n) { for (int i = 0; i < n; "
      "++i) { both[i] += out[i] | scratch[i]; } out[n] = 5; }");
  task.kernel = "k";
  const std::vector<int> seven(100, 7);
  task.arguments = {Argument::out(101 * sizeof(int)), Argument::scratch(100 * sizeof(int)),
                    Argument::inout(bytes_of(seven)), Argument::i32(100)};
  for (int round = 0; round < 3; ++round) {
    const ExecutorResult result = run(task);
    ASSERT_EQ(result.reason, FailureReason::none) << result.message;
    EXPECT_EQ(values_of<int>(result.outputs.at(0)).back(), 5);
    EXPECT_EQ(values_of<int>(result.outputs.at(1)), seven);
  }
}

TEST_P(AnyDevice, TakesBuffersOfNoBytes) {
  ExecutorTask task = task_with("if (p == nullptr && n != 0) p[0] = 1;");
  task.arguments[0] = Argument::out(0);
  const ExecutorResult result = run(task);
  ASSERT_EQ(result.reason, FailureReason::none) << result.message;
  EXPECT_EQ(result.outputs.at(0).size(), 0u);
}

TEST_P(AnyDevice, HasDeviceVariablesFreshForEachTask) {
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    expect_right(*recorder_, testing::sample_kernel("last_block"));
  }
}

TEST_P(AnyDevice, TakesDefinesAndTheStandard) {
  ExecutorTask task = task_with(
      "if (i == 0) p[0] = WORTH;\n#if __cplusplus >= 202002L\n  if (i == 0) p[1] = 20;\n#endif");
  task.defines = {"WORTH=42"};
  task.standard = Standard::cpp20;
  const ExecutorResult result = run(task);
  ASSERT_EQ(result.reason, FailureReason::none) << result.message;
  const auto values = values_of<int>(result.outputs.at(0));
  EXPECT_EQ(values[0], 42);
  EXPECT_EQ(values[1], 20);
}

TEST_P(AnyDevice, HandsOnWhatAKernelPrints) {
  const ExecutorTask task = task_with("if (i == 3) printf(\"thread %d of %d\\n\", i, 1024);");
  for (int round = 0; round < 2; ++round)
    EXPECT_EQ(run(task).printed, "thread 3 of 1024\n");
  EXPECT_EQ(run(good_task()).printed, "");
}

TEST_P(AnyDevice, IncludesTheUsualHeaders) {
  ExecutorTask task = good_task();
  task.source = base::Bytes::copy_of(
      "#include <cuda_runtime.h>\n#include <cstdint>\n#include <cmath>\n#include <cassert>\n"
      "#include <cstdio>\n#include <math_constants.h>\n"
      "__global__ void k(std::int32_t* p, int n) { uint64_t i = threadIdx.x; assert(n == 0); "
      "p[i] = (int)std::sqrt(49.0f) + (CUDART_PI_F < 4.0f); }");
  const ExecutorResult result = run(task);
  ASSERT_EQ(result.reason, FailureReason::none) << result.message;
  EXPECT_EQ(values_of<int>(result.outputs.at(0))[5], 8);
}

TEST_P(AnyDevice, NamesTheLineThatDoesNotCompile) {
  ExecutorTask task = task_with("p[i] = missing;");
  const ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::compile_error);
  EXPECT_NE(result.message.find("job.cu"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("missing"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("compiled with"), std::string::npos) << result.message;
}

TEST_P(AnyDevice, SaysWhichKernelsThereAre) {
  ExecutorTask task = good_task();
  task.kernel = "kk";
  expect_refused(task, FailureReason::bad_kernel, "no kernel 'kk'; this source has: k");
  task.source = base::Bytes::copy_of("template <class T> __global__ void k(T* p, int n) {}");
  task.kernel = "k";
  expect_refused(task, FailureReason::bad_kernel, "a template needs its arguments, as in k<float>");
  task.source = base::Bytes::copy_of(
      "__device__ void helper(int* p, int n) {}\n__global__ void k(int* p, int n) {}");
  task.kernel = "helper";
  expect_refused(task, FailureReason::bad_kernel, "this source has: k");
}

TEST_P(AnyDevice, ChecksArgumentsBeforeTheLaunch) {
  ExecutorTask task = good_task();
  task.arguments.push_back(Argument::i32(1));
  expect_refused(task, FailureReason::bad_argument, "kernel takes 2 arguments, job gives 3");
  task.arguments = {Argument::out(4000), Argument::f64(1)};
  expect_refused(task, FailureReason::bad_argument,
                 "argument 1: kernel takes 4 bytes, job gives 8 (f64)");
  task.arguments = {Argument::out(4000), Argument::f32(1)};
  expect_refused(task, FailureReason::bad_argument,
                 "argument 1: kernel takes an integer, job gives 4 (f32)");
  task.arguments = {Argument::u64(1), Argument::i32(1)};
  expect_refused(task, FailureReason::bad_argument,
                 "argument 0: kernel takes a buffer, job gives a value (u64)");
  task.arguments = {Argument::out(4000), Argument::out(4000)};
  expect_refused(task, FailureReason::bad_argument,
                 "argument 1: kernel takes a value of 4 bytes, job gives a buffer");
}

TEST_P(AnyDevice, RefusesLaunchesBeyondItsLimits) {
  ExecutorTask task = good_task();
  task.block = {2048, 1, 1};
  expect_refused(task, FailureReason::bad_argument, "is 2048, the limit is 1024");
  task = good_task();
  task.grid = {1, 70'000, 1};
  expect_refused(task, FailureReason::bad_argument, "grid y is 70000, the limit is 65535");
  task = good_task();
  task.shared_bytes = 1 << 20;
  expect_refused(task, FailureReason::bad_argument, "dynamic shared memory in bytes is 1048576");
}

TEST_P(AnyDevice, GivesMoreThanTheUsualSharedMemory) {
  ExecutorTask task = task_with(
      "extern __shared__ int s[]; s[threadIdx.x * 32] = i; __syncthreads(); "
      "if (i < 1000) p[i] = s[threadIdx.x * 32];");
  task.shared_bytes = 60 << 10;
  const ExecutorResult result = run(task);
  ASSERT_EQ(result.reason, FailureReason::none) << result.message;
  EXPECT_EQ(values_of<int>(result.outputs.at(0))[999], 999);
}

TEST_P(AnyDevice, HasItsMemoryBackAfterEachTaskGoodOrBad) {
  ProcessExecutorOptions options = GetParam().options();
  options.memory_bytes = 8 << 20;
  start(options);
  ExecutorTask large = good_task();
  large.arguments[0] = Argument::out(6 << 20);
  ExecutorTask wrong = large;
  wrong.arguments.pop_back();
  ExecutorTask beyond = large;
  beyond.arguments[0] = Argument::out(9 << 20);
  for (int round = 0; round < 15; ++round) {
    ASSERT_EQ(run(large).reason, FailureReason::none) << "round " << round;
    ASSERT_EQ(run(wrong).reason, FailureReason::bad_argument);
    expect_refused(beyond, FailureReason::cuda_out_of_memory,
                   "the buffers need 9437184 bytes, the device has 8388608");
  }
}

TEST_P(AnyDevice, AFaultEndsOneTaskAndTheNextRuns) {
  const ExecutorResult result = crash(task_with("p[i + (1ll << 36)] = 1;"));
  EXPECT_EQ(result.reason, FailureReason::out_of_bounds) << result.message;
  EXPECT_NE(result.message.find("kernel k, grid (4,1,1), block size (256,1,1)"), std::string::npos)
      << result.message;
}

TEST_P(AnyDevice, AFailedAssertEndsOneTaskAndTheNextRuns) {
  const ExecutorResult result = crash(task_with("assert(i < 900);"));
  EXPECT_EQ(result.reason, FailureReason::kernel_assert) << result.message;
  const std::string condition = GetParam().is_gpu && !GetParam().is_real ? "as faked" : "i < 900";
  EXPECT_NE(result.message.find("assertion failed: " + condition + " at job.cu:"),
            std::string::npos)
      << result.message;
  if (GetParam().is_gpu) {
    EXPECT_NE(result.message.find(", block (3,0,0), thread ("), std::string::npos)
        << result.message;
  }
}

TEST_P(AnyDevice, HandsBackTheTasksBehindOneThatFaults) {
  expect_works();
  ExecutorTask faulty = task_with("p[i + (1ll << 36)] = 1;");
  ASSERT_EQ(crash(faulty).reason, FailureReason::out_of_bounds);  // now it is compiled
  faulty.token = recorder_->next_token();
  ASSERT_TRUE(recorder_->executor().submit(faulty));
  std::set<TaskToken> others;
  for (int i = 0; i < 3; ++i) {
    ExecutorTask task = good_task();
    task.token = recorder_->next_token();
    if (recorder_->executor().submit(task))
      others.insert(task.token);
  }
  EXPECT_EQ(recorder_->await_done(faulty.token).reason, FailureReason::out_of_bounds);
  for (const TaskToken token : recorder_->await_died().in_flight)
    EXPECT_EQ(others.count(token), 1u);
  recorder_->await_ready();
  expect_works();
}

TEST_P(AnyDevice, AnEndlessKernelCanBeKilledAndTheNextRuns) {
  ExecutorTask task = task_with("volatile int* q = p; while (q[0] == 0) {}");
  task.token = recorder_->next_token();
  ASSERT_TRUE(recorder_->executor().submit(task));
  recorder_->executor().kill("time limit");
  const ExecutorDied died = recorder_->await_died();
  EXPECT_EQ(died.reason, "killed: time limit");
  EXPECT_EQ(died.in_flight, std::vector<TaskToken>{task.token});
  recorder_->await_ready();
  expect_works();
}

/// What is a promise of the CPU device only.
class CpuDeviceAlone : public AnyDevice {};
INSTANTIATE_TEST_SUITE_P(Beds, CpuDeviceAlone, ::testing::Values(device_beds().front()),
                         [](const auto& made) { return made.param.name; });

TEST_P(CpuDeviceAlone, SaysOfPtxThatItNeedsAGpu) {
  ExecutorTask task = good_task();
  task.source = base::Bytes::copy_of("//\n.version 8.0\n.target sm_80\n");
  expect_refused(task, FailureReason::not_supported_on_device,
                 "the job gives PTX: that runs on a GPU only");
}

TEST_P(AnyDevice, ShowsNoFileOfTheHostToASource) {
  ExecutorTask task = good_task();
  task.source =
      base::Bytes::copy_of("#include \"/etc/passwd\"\n" + std::string(task.source.text()));
  const ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::compile_error);
  EXPECT_EQ(result.message.find("root:"), std::string::npos) << result.message;
}

}  // namespace
}  // namespace fastgpu::exec::test
