/// A node on a host that has a GPU, as far as it can tell: the fake driver stands in for NVIDIA's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/system/command_cluster.hpp"

namespace fastgpu::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The driver of the nodes that this process starts.
struct FakeDriver {
  FakeDriver() {
    for (const char* name : {"FASTGPU_LIBCUDA", "FASTGPU_LIBNVRTC", "FASTGPU_LIBNVML"}) {
      ::setenv(name, FASTGPU_TEST_FAKE_CUDA, 1);
    }
  }
};

class GpuNode : private FakeDriver, public CommandCluster {
 protected:
  GpuNode() : CommandCluster({.nodes = 1, .cpu_devices = 1}) {}
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

}  // namespace
}  // namespace fastgpu::testing
