/// A node on a host that has a GPU, as far as it can tell: the fake driver stands in for NVIDIA's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "tests/system/command_cluster.hpp"
#include "tests/system/fake_driver.hpp"

namespace fastgpu::testing {
namespace {

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

}  // namespace
}  // namespace fastgpu::testing
