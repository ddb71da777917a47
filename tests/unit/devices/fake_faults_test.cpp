// The CUDA device where a driver or a device fails: everything that a real one cannot be asked for.

#include <regex>

#include "runtime/exec/cpu/kernel_cache.hpp"
#include "runtime/exec/cuda/image.hpp"
#include "runtime/exec/cuda/nvrtc_maker.hpp"
#include "tests/support/fake_cuda/fake_image.hpp"
#include "tests/unit/devices/device_bed.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;
using base::FailureReason;

ExecutorTask counting_task() {
  ExecutorTask task;
  task.source = base::Bytes::copy_of(
      "__global__ void k(int* p, int n) { if (threadIdx.x < n) p[threadIdx.x] = threadIdx.x; }");
  task.kernel = "k";
  task.block = {128, 1, 1};
  task.arguments = {Argument::out(100 * sizeof(int)), Argument::i32(100)};
  return task;
}

class FakeGpu : public ::testing::Test {
 protected:
  FakeGpu() { use_fake_driver(); }
  void start(const std::string& knobs, const std::string& device = fake_gpu) {
    recorder_.reset();
    set_knobs(knobs);
    ProcessExecutorOptions options = cpu_options();
    options.device = "cuda:" + device;
    options.restart_pause_ms = 1;
    recorder_ = std::make_unique<Recorder>(make_process_executor(options));
  }
  void start_well(const std::string& knobs) {
    start(knobs);
    device_ = recorder_->await_ready().device;
  }
  std::string why_it_cannot_start(const std::string& knobs, const std::string& device = fake_gpu) {
    start(knobs, device);
    return recorder_->await_died().reason;
  }
  ExecutorResult run(ExecutorTask task) { return recorder_->run(std::move(task)); }
  void expect_works() {
    const ExecutorResult result = run(counting_task());
    EXPECT_EQ(result.reason, FailureReason::none) << result.message;
  }
  /// What a task meets whose launch ends with the code; the next process is well.
  ExecutorResult meet(int code) {
    start_well("fail_launch 1 " + std::to_string(code) + "\n");
    ExecutorTask task = counting_task();
    task.token = recorder_->next_token();
    EXPECT_TRUE(recorder_->executor().submit(task));
    const ExecutorResult result = recorder_->await_done(task.token);
    set_knobs("");
    EXPECT_EQ(recorder_->await_died().reason, "exit code 86");
    recorder_->await_ready();
    return result;
  }

  std::unique_ptr<Recorder> recorder_;
  DeviceDescription device_;
};

TEST_F(FakeGpu, IsTheOneOfTheUuid) {
  start("devices 3\n", second_fake_gpu);
  EXPECT_EQ(recorder_->await_ready().device.uuid, second_fake_gpu);
}

TEST_F(FakeGpu, MayBeASliceOfADividedDevice) {
  start("devices 1\nslices 2\n", fake_slice);
  const DeviceDescription device = recorder_->await_ready().device;
  EXPECT_EQ(device.uuid, fake_slice);
  EXPECT_EQ(device.model, "Fake GPU MIG 1g.5gb");
  expect_works();
}

TEST_F(FakeGpu, CannotStartAndSaysWhy) {
  EXPECT_NE(why_it_cannot_start("", "GPU-00000000-0000-0000-0000-000000000000")
                .find("the driver finds no device GPU-00000000-0000-0000-0000-000000000000"),
            std::string::npos);
  EXPECT_NE(why_it_cannot_start("stub\n").find("is the toolkit's link stub"), std::string::npos);
  EXPECT_NE(why_it_cannot_start("driver 11080\n").find("FastGPU needs 12.0 or later"),
            std::string::npos);
  EXPECT_NE(why_it_cannot_start("init 100\n").find("CUDA_ERROR_NO_DEVICE (100)"),
            std::string::npos);
  EXPECT_NE(why_it_cannot_start("init 803\n").find("restart the host"), std::string::npos);
}

TEST_F(FakeGpu, ComesBackWhenItsDriverDoes) {
  EXPECT_NE(why_it_cannot_start("init 999\n").find("does not start"), std::string::npos);
  set_knobs("");
  recorder_->await_ready();
  expect_works();
}

TEST_F(FakeGpu, TellsEachStickyErrorInItsOwnWords) {
  struct Row {
    int code;
    FailureReason reason;
    const char* words;
  };
  for (const Row& row :
       {Row{700, FailureReason::out_of_bounds, "memory outside its buffers"},
        Row{716, FailureReason::out_of_bounds, "not a multiple of the value's size"},
        Row{710, FailureReason::kernel_assert, "an assertion in the kernel failed"},
        Row{702, FailureReason::time_limit, "the driver's watchdog ended the kernel"},
        Row{715, FailureReason::cuda_error, "an illegal instruction was executed"},
        Row{719, FailureReason::cuda_error, "the kernel failed while it ran"},
        Row{214, FailureReason::device_lost, "an error that cannot be corrected"},
        Row{999, FailureReason::device_lost, "CUDA_ERROR_UNKNOWN (999)"}}) {
    SCOPED_TRACE(row.code);
    const ExecutorResult result = meet(row.code);
    EXPECT_EQ(result.reason, row.reason);
    EXPECT_NE(result.message.find(row.words), std::string::npos) << result.message;
    EXPECT_NE(result.message.find("(" + std::to_string(row.code) + ")"), std::string::npos);
    EXPECT_NE(result.message.find("; kernel k, grid (1,1,1), block size (128,1,1)"),
              std::string::npos);
    expect_works();
  }
}

TEST_F(FakeGpu, AnErrorThatIsInNoTableAndStaysEndsTheProcessToo) {
  EXPECT_EQ(meet(790).reason, FailureReason::cuda_error);
  expect_works();
}

TEST_F(FakeGpu, BlamesNoOtherTaskThanTheOneThatRan) {
  start_well("fail_launch 3 700\n");
  expect_works();
  expect_works();
  EXPECT_EQ(run(counting_task()).reason, FailureReason::out_of_bounds);
  EXPECT_TRUE(recorder_->await_died().in_flight.empty());
  recorder_->await_ready();
  expect_works();
}

TEST_F(FakeGpu, HasTooLittleMemoryWithNumbersAndLivesOn) {
  start_well("out_of_memory 1048576\n");
  ExecutorTask task = counting_task();
  task.arguments[0] = Argument::out(2 << 20);
  const ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::cuda_out_of_memory);
  EXPECT_TRUE(std::regex_search(
      result.message, std::regex("the device gives no memory for buffer argument 0 \\(2097152 "
                                 "bytes\\): the task's 0 of \\d+ bytes are in use, \\d+ bytes of "
                                 "the device are free")))
      << result.message;
  expect_works();
}

TEST_F(FakeGpu, MemoryThatRunsOutHalfWayIsGivenBack) {
  start_well("out_of_memory 1048576\n");
  ExecutorTask task = counting_task();
  task.source = base::Bytes::copy_of("__global__ void k(int* a, int* b, int n) {}");
  task.arguments = {Argument::out(700 << 10), Argument::out(700 << 10), Argument::i32(1)};
  for (int round = 0; round < 3; ++round)
    EXPECT_EQ(run(task).reason, FailureReason::cuda_out_of_memory);
  task.arguments[1] = Argument::out(100 << 10);
  EXPECT_EQ(run(task).reason, FailureReason::none);
}

TEST_F(FakeGpu, SaysWhatABlockNeedsWhenItDoesNotFit) {
  start_well("refuse_launch 701\n");
  const ExecutorResult result = run(counting_task());
  EXPECT_EQ(result.reason, FailureReason::bad_argument);
  EXPECT_EQ(result.message,
            "a block of 128 threads needs more than there is: each thread of the kernel uses 255 "
            "registers, a block may have 256 threads of it");
  set_knobs("");
  expect_works();
}

TEST_F(FakeGpu, AnErrorThatPassesEndsTheTaskAlone) {
  start_well("refuse_launch 801\n");
  const ExecutorResult result = run(counting_task());
  EXPECT_EQ(result.reason, FailureReason::cuda_error);
  EXPECT_NE(result.message.find("CUDA, launching: "), std::string::npos) << result.message;
  set_knobs("");
  expect_works();
}

TEST_F(FakeGpu, AHangingDeviceIsKilledAndComesBack) {
  start_well("hang_launch 1\n");
  ExecutorTask task = counting_task();
  task.token = recorder_->next_token();
  ASSERT_TRUE(recorder_->executor().submit(task));
  recorder_->executor().kill("time limit");
  EXPECT_EQ(recorder_->await_died().in_flight, std::vector<TaskToken>{task.token});
  set_knobs("");
  recorder_->await_ready();
  expect_works();
}

TEST_F(FakeGpu, TimesAreTheDevicesOwn) {
  start_well("delay_ms 30\n");
  const ExecutorResult result = run(counting_task());
  EXPECT_GE(result.timings.run_ns, 30'000'000u);
  EXPECT_LT(result.timings.copy_out_ns, 30'000'000u);
}

TEST_F(FakeGpu, WorksWithoutWhatOlderDriversLack) {
  start_well("lacks cuKernelGetParamInfo\nlacks cuLibraryEnumerateKernels\nlacks cuCtxSetLimit\n");
  expect_works();
}

TEST_F(FakeGpu, SaysForWhichDevicesItsCompilerBuilds) {
  start_well("arch 70\n");
  const ExecutorResult result = run(counting_task());
  EXPECT_EQ(result.reason, FailureReason::not_supported_on_device);
  // A sanitizer may have words of its own behind it.
  EXPECT_TRUE(result.message.starts_with(
      "NVRTC 13.0 does not build for sm_70; it builds for sm_80, sm_90\n"))
      << result.message;
}

TEST_F(FakeGpu, SaysThatItsCompilerIsNewerThanItsDriver) {
  start_well("driver 12040\n");
  const ExecutorResult result = run(counting_task());
  EXPECT_EQ(result.reason, FailureReason::not_supported_on_device);
  EXPECT_NE(result.message.find("NVRTC 13.0 makes code that this host's driver of CUDA 12.4 does "
                                "not load: update the driver, or install the toolkit of CUDA 12"),
            std::string::npos)
      << result.message;
  start_well("driver 12040\nnvrtc 12\n");
  expect_works();
}

TEST_F(FakeGpu, WithoutACompilerSaysWhatWasTried) {
  setenv("FASTGPU_LIBNVRTC", "/nonexistent/libnvrtc.so", 1);
  start_well("");
  const ExecutorResult result = run(counting_task());
  EXPECT_EQ(result.reason, FailureReason::not_supported_on_device);
  EXPECT_NE(result.message.find("this GPU cannot compile: no NVRTC (CUDA's run-time compiler) on "
                                "this host: tried /nonexistent/libnvrtc.so"),
            std::string::npos)
      << result.message;
}

/// Machine code of the counting task, as somebody would bring it along.
std::string cubin() {
  NvrtcMakerOptions options;
  options.child_program = FASTGPU_TEST_EXECUTOR;
  options.folder = shared_cache_folder();
  options.arch = 90;
  KernelCacheOptions cache_options;
  cache_options.compiler.folder = shared_cache_folder();
  KernelCache cache(cache_options, std::make_unique<NvrtcMaker>(options), {});
  KernelRequest request;
  request.source = counting_task().source.text();
  request.expression = "k";
  const auto entry = cache.wait(cache.request(request));
  EXPECT_EQ(entry->reason, FailureReason::none) << entry->message;
  return entry->image ? entry->image->bytes : "";
}

TEST_F(FakeGpu, RunsMachineCodeByTheNameThatTheSourceGave) {
  start_well("");
  ExecutorTask task = counting_task();
  task.source = base::Bytes::copy_of(cubin());
  for (const char* name : {"k", "_Z1kPvi"}) {
    task.kernel = name;
    const ExecutorResult result = run(task);
    ASSERT_EQ(result.reason, FailureReason::none) << result.message;
    EXPECT_EQ(values_of<int>(result.outputs.at(0))[42], 42);
  }
  task.kernel = "kk";
  const ExecutorResult unknown = run(task);
  EXPECT_EQ(unknown.reason, FailureReason::bad_kernel);
  EXPECT_EQ(unknown.message, "no kernel 'kk'; the image has: k");
  task.kernel = "k";
  task.arguments.pop_back();
  EXPECT_EQ(run(task).message, "kernel takes 2 arguments, job gives 1");
}

TEST_F(FakeGpu, SaysForWhichDeviceMachineCodeIs) {
  start_well("");
  ExecutorTask task = counting_task();
  testing::FakeImage image;
  image.arch = 80;
  image.object = "code";
  task.source = base::Bytes::copy_of(testing::write_fake_image(image));
  const ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::bad_kernel);
  EXPECT_EQ(result.message,
            "the cubin is built for sm_80, the device is sm_90: build it for sm_90, or give the "
            "source in its place");
}

TEST_F(FakeGpu, CountsArgumentsAlsoWhereTheDriverCannot) {
  start_well("lacks cuKernelGetParamInfo\n");
  ExecutorTask task = counting_task();
  task.arguments.pop_back();
  const ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::bad_argument);
  EXPECT_EQ(result.message, "kernel takes 2 arguments, job gives 1");
}

TEST_F(FakeGpu, RefusesImagesThatItCannotRunBeforeLoadingThem) {
  start_well("driver 12040\n");
  ExecutorTask task = counting_task();
  task.source = base::Bytes::copy_of(".version 9.0\n.target sm_80\n.address_size 64\n");
  ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::bad_kernel);
  EXPECT_EQ(result.message,
            "PTX 9.0 needs a driver of CUDA 13.0 (r580) or later, this host's is of 12.4: update "
            "it, build the PTX with an older toolkit, or give the source in its place");
  task.source = base::Bytes::copy_of(".version 8.0\n.target sm_120\n.address_size 64\n");
  result = run(task);
  EXPECT_EQ(result.reason, FailureReason::bad_kernel);
  EXPECT_EQ(result.message,
            "the PTX is for sm_120 and later, the device is sm_90: build it for sm_90 or an "
            "earlier one, or give the source in its place");
  task.source = base::Bytes::copy_of(".version 8.0\n.target sm_80\nnonsense\n");
  result = run(task);
  EXPECT_EQ(result.reason, FailureReason::bad_kernel);
  EXPECT_NE(result.message.find("CUDA_ERROR_INVALID_PTX (218)"), std::string::npos);
}

TEST_F(FakeGpu, TellsWhatItsDriverHasAgainstAnImage) {
  struct Row {
    int code;
    const char* words;
  };
  ExecutorTask task = counting_task();
  task.source = base::Bytes::copy_of(".version 8.0\n.target sm_80\n.address_size 64\n");
  for (const Row& row :
       {Row{200, "the kernel's image is not one that the driver takes\nptxas fatal"},
        Row{209,
            "the kernel's image is built for other devices, the device is sm_90: build it for "
            "sm_90, or give the source in its place\nptxas fatal"},
        Row{218, "the driver cannot compile the PTX\nptxas fatal   : as faked"},
        Row{222,
            "the PTX is newer than this host's driver of CUDA 13.0: update it, build the PTX with "
            "an older toolkit, or give the source in its place\nptxas fatal"}}) {
    SCOPED_TRACE(row.code);
    start_well("refuse_load " + std::to_string(row.code) + "\n");
    const ExecutorResult result = run(task);
    EXPECT_EQ(result.reason, FailureReason::bad_kernel);
    EXPECT_NE(result.message.find("(" + std::to_string(row.code) + ")"), std::string::npos);
    EXPECT_NE(result.message.find(row.words), std::string::npos) << result.message;
    set_knobs("");
    expect_works();
  }
}

TEST_F(FakeGpu, SaysWhoCouldTellMoreOfAFaultThanAGpuCan) {
  const char* hint = "(run it with --device cpu --precise to learn the thread)";
  for (const int code : {700, 716, 717, 710})
    EXPECT_NE(meet(code).message.find(hint), std::string::npos) << code;
  EXPECT_EQ(meet(702).message.find(hint), std::string::npos);
}

TEST_F(FakeGpu, SaysHowItCompiledWhatDoesNotCompile) {
  start_well("");
  ExecutorTask task = counting_task();
  task.source = base::Bytes::copy_of("__global__ void k(int* p, int n) {\n  p[0] = missing;\n}\n");
  task.defines = {"WORTH=42", "PLAIN"};
  task.standard = Standard::cpp20;
  const ExecutorResult result = run(task);
  EXPECT_EQ(result.reason, FailureReason::compile_error);
  EXPECT_NE(result.message.find("job.cu"), std::string::npos) << result.message;
  EXPECT_EQ(result.message.find(shared_cache_folder()), std::string::npos) << result.message;
  EXPECT_TRUE(
      result.message.ends_with("compiled with NVRTC 13.0 for sm_90, C++20, -DWORTH=42, -DPLAIN\n"))
      << result.message;
}

}  // namespace
}  // namespace fastgpu::exec::test
