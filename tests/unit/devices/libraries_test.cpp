// How NVIDIA's libraries are found, and what is said of those that do not serve.

#include "runtime/exec/cuda/libraries.hpp"

#include <algorithm>

#include "tests/unit/devices/device_bed.hpp"

namespace fastgpu::exec::test {
namespace {

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

TEST(CudaLibraries, FindTheDriverThatIsNamed) {
  use_fake_driver();
  const auto driver = cuda::open_driver();
  ASSERT_TRUE(driver.ok()) << driver.error().message;
  EXPECT_EQ(driver.value().path, FASTGPU_TEST_FAKE_CUDA);
  EXPECT_EQ(driver.value().version, 13000);
  EXPECT_TRUE(driver.value().missing.empty());
}

TEST(CudaLibraries, SayWhatWasTriedWhereThereIsNoDriver) {
  setenv("FASTGPU_LIBCUDA", "/nonexistent/libcuda.so.1", 1);
  const auto driver = cuda::open_driver();
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(driver.error().message,
            "no NVIDIA driver on this host: tried /nonexistent/libcuda.so.1");
}

TEST(CudaLibraries, TellTheToolkitsStubFromADriver) {
  use_fake_driver();
  set_knobs("stub\n");
  const auto driver = cuda::open_driver();
  ASSERT_FALSE(driver.ok());
  EXPECT_TRUE(contains(driver.error().message, "is the toolkit's link stub, not a driver"));
}

TEST(CudaLibraries, KnowTheRealStub) {
  const char* stub = "/usr/local/cuda/lib64/stubs/libcuda.so";
  if (!std::filesystem::exists(stub))
    GTEST_SKIP() << "there is no toolkit on this host";
  setenv("FASTGPU_LIBCUDA", stub, 1);
  const auto driver = cuda::open_driver();
  ASSERT_FALSE(driver.ok());
  EXPECT_TRUE(contains(driver.error().message, "is the toolkit's link stub, not a driver"))
      << driver.error().message;
}

TEST(CudaLibraries, SayThatADriverIsTooOld) {
  setenv("FASTGPU_LIBCUDA", FASTGPU_TEST_OLD_DRIVER, 1);
  auto driver = cuda::open_driver();
  ASSERT_FALSE(driver.ok());
  EXPECT_TRUE(
      contains(driver.error().message, "knows CUDA 11.4: FastGPU needs 12.0 or later (r525)"))
      << driver.error().message;
  use_fake_driver();
  set_knobs("driver 11080\n");
  driver = cuda::open_driver();
  ASSERT_FALSE(driver.ok());
  EXPECT_TRUE(contains(driver.error().message, "knows CUDA 11.8"));
}

TEST(CudaLibraries, ListWhatADriverLacksAndGoOnWithoutIt) {
  use_fake_driver();
  set_knobs("lacks cuKernelGetParamInfo\nlacks cuMemPoolTrimTo\n");
  const auto driver = cuda::open_driver();
  ASSERT_TRUE(driver.ok()) << driver.error().message;
  EXPECT_EQ(driver.value().missing,
            (std::vector<std::string>{"cuKernelGetParamInfo", "cuMemPoolTrimTo"}));
  EXPECT_EQ(driver.value().api.cuKernelGetParamInfo, nullptr);
}

TEST(CudaLibraries, RefuseADriverWithoutWhatEveryLaunchNeeds) {
  use_fake_driver();
  set_knobs("lacks cuLaunchKernelEx\n");
  const auto driver = cuda::open_driver();
  ASSERT_FALSE(driver.ok());
  EXPECT_TRUE(contains(driver.error().message, "lacks cuLaunchKernelEx"));
}

TEST(CudaLibraries, FindTheToolkitsCompilerWithoutBeingTold) {
  use_real_driver();
  const auto nvrtc = cuda::open_nvrtc();
  if (!nvrtc.ok()) {
    EXPECT_TRUE(
        contains(nvrtc.error().message, "no NVRTC (CUDA's run-time compiler) on this host"));
    GTEST_SKIP() << nvrtc.error().message;
  }
  EXPECT_GE(nvrtc.value().version, 12000);
}

}  // namespace
}  // namespace fastgpu::exec::test
