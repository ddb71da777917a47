/// A node on a host that has a GPU, as far as it can tell: the fake driver stands in for NVIDIA's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>

#include "tests/system/command_cluster.hpp"
#include "tests/system/fake_driver.hpp"

namespace fastgpu::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class GpuNode : public CommandCluster {
 protected:
  GpuNode() : CommandCluster(node_with_fake_gpus(1)) {}
  void SetUp() override {
    ASSERT_TRUE(await([&] {
      const std::string gpus = fastgpu({"gpus"}).out;
      return gpus.find("Fake GPU") != std::string::npos &&
             gpus.find("no commands") == std::string::npos;
    }));
  }
};

TEST_F(GpuNode, RunsKernelsOfTheSameSourceOnItsGpu) {
  folder_.write(
      "k.cu", "__global__ void k(int* out, int first) { out[threadIdx.x] = first + threadIdx.x; }");
  for (const char* device : {"gpu", "cpu"}) {
    const Finished run =
        fastgpu({"run", "--device", device, "--kernel", "k", "--source", "k.cu", "--block", "4",
                 "--arg", std::string("out:") + device + "=16", "--arg", "i32:7"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_THAT(run.out, HasSubstr(std::string("n1 ") + device + ":"));
  }
  EXPECT_EQ(read_file(folder_.file("gpu")), read_file(folder_.file("cpu")));
}

TEST_F(GpuNode, TellsACommandWhichGpuIsItsOwn) {
  const Finished gpu = run({"--device", "gpu"}, "echo $CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(gpu.exit_code, 0) << gpu.err;
  EXPECT_THAT(gpu.out, StartsWith("GPU-"));
  EXPECT_EQ(run({"--device", "cpu"}, "echo $CUDA_VISIBLE_DEVICES").out, "\n");
}

/// What the fake driver is to say is in a file.
class SickGpu : public ::testing::Test {
 protected:
  SickGpu() {
    say("");
    cluster_ = std::make_unique<ProcessCluster>(node_with_fake_gpus(1, folder_.file("knobs")));
  }
  void say(const std::string& knobs) {
    folder_.write("knobs.new", knobs);
    std::filesystem::rename(folder_.file("knobs.new"), folder_.file("knobs"));
  }
  /// True once the GPU is so.
  bool await_gpu(bool healthy) {
    return await_item(*cluster_, 0, {"gpus"}, [healthy](const nlohmann::json& device) {
      return device.value("kind", "") == "gpu" && device.value("healthy", !healthy) == healthy;
    });
  }

  const TemporaryFolder folder_;
  std::unique_ptr<ProcessCluster> cluster_;
};

TEST_F(SickGpu, IsQuarantinedForWhatItsDriverReportsAndTakenBackWhenItPassesItsSelfTest) {
  ASSERT_TRUE(await_gpu(true));
  say("lost\n");
  ASSERT_TRUE(await_gpu(false));
  EXPECT_THAT(cluster_->fastgpu({"gpus"}).out,
              HasSubstr("is unhealthy: quarantined: its driver cannot reach it any more"));
  say("");
  ASSERT_TRUE(await_gpu(true));
  say("xid 79\n");
  EXPECT_TRUE(await([&] {
    return cluster_->fastgpu({"events"})
               .out.find("is unhealthy: quarantined: its driver reported Xid 79") !=
           std::string::npos;
  })) << cluster_->fastgpu({"events"}).out;
  ASSERT_TRUE(await_gpu(true));
}

TEST_F(SickGpu, ShowsWhatItsDriverTellsOfIt) {
  say("utilisation 87\ntemperature 61\npower 312000\necc 3\nmemory_used 268435456\nxid 43\n");
  ASSERT_TRUE(await_item(*cluster_, 0, {"gpus"}, [](const nlohmann::json& device) {
    return device["telemetry"].is_object() && device["telemetry"]["last_xid"] == 43;
  }));
  const nlohmann::json expected = {{"memory_bytes_used", 268435456},
                                   {"utilisation_percent", 87},
                                   {"temperature_celsius", 61},
                                   {"power_milliwatts", 312000},
                                   {"ecc_errors", 3},
                                   {"last_xid", 43},
                                   {"remark", ""}};
  EXPECT_TRUE(await_item(*cluster_, 0, {"gpus"}, [&](const nlohmann::json& device) {
    return device["telemetry"] == expected;
  })) << cluster_->fastgpu({"gpus", "--json"}).out;
  EXPECT_THAT(cluster_->fastgpu({"gpus"}).out, HasSubstr("87 %"));
}

TEST_F(GpuNode, SaysOfAnEndlessKernelHowSoonItsExecutorWasBack) {
  folder_.write("endless.cu",
                "__global__ void k(int* out) { while (*(volatile int*)out == 0) {} }");
  folder_.write("zero", std::string(4, '\0'));
  for (const char* device : {"gpu", "cpu"}) {
    const Finished run = fastgpu({"run", "--device", device, "--kernel", "k", "--source",
                                  "endless.cu", "--arg", "inout:zero", "--time-limit", "1s"});
    EXPECT_NE(run.exit_code, 0);
    EXPECT_THAT(run.err, ContainsRegex("the executor restarted in [0-9.]+ ms")) << device;
  }
}

/// The fake driver counts for the processes that a test names.
TEST_F(SickGpu, EndsACommandThatUsesMoreOfItThanItAskedForWithBothNumbers) {
  ASSERT_TRUE(await_gpu(true));
  ASSERT_TRUE(await(
      [&] { return cluster_->fastgpu({"gpus"}).out.find("no commands") == std::string::npos; }));
  const std::string word = "4" + std::to_string(getpid()) + ".25";
  const std::string job =
      cluster_
          ->fastgpu({"submit", "-q", "--device", "gpu", "--gpu-mem", "256MiB", "--", "sleep", word})
          .out;
  std::string process;
  ASSERT_TRUE(await([&] {
    process = run_command({"pgrep", "-x", "-f", "sleep " + word}).out;
    return !process.empty();
  }));
  say("process " + process.substr(0, process.find('\n')) + " 536870912\n");
  const std::string number = job.substr(0, job.find('\n'));
  cluster_->fastgpu({"wait", number});
  const nlohmann::json task = job_of(*cluster_, number)["tasks"][0];
  EXPECT_EQ(task["reason"], "cuda_out_of_memory") << task.dump();
  EXPECT_EQ(task["code"], "FG6110");
  EXPECT_EQ(task["message"],
            "used 512 MiB of its GPU's memory, its limit is 256 MiB (536870912 of 268435456 "
            "bytes)");
  EXPECT_EQ(run_command({"pgrep", "-x", "-f", "sleep " + word}).out, "");
}

}  // namespace
}  // namespace fastgpu::testing
