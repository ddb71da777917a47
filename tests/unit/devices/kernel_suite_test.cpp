// The kernels of tests/data/kernels through a real executor process on every device, each against
// the host.

#include "tests/support/kernels/sample_kernels.hpp"
#include "tests/unit/devices/device_bed.hpp"
#include "tests/unit/devices/sample_task.hpp"

namespace fastgpu::exec::test {
namespace {

using testing::SampleKernel;

using Case = std::tuple<DeviceBed, SampleKernel>;

class KernelSuite : public ::testing::TestWithParam<Case> {
 protected:
  /// One executor for all kernels of a device, made with the first.
  void SetUp() override {
    const DeviceBed& bed = std::get<0>(GetParam());
    if (bed_name() != bed.name) {
      recorder().reset();
      bed_name() = bed.name;
      why_not() = bed.enter();
      if (why_not().empty()) {
        recorder() = std::make_unique<Recorder>(make_process_executor(bed.options()));
        recorder()->await_ready();
      }
    }
    if (!why_not().empty())
      GTEST_SKIP() << why_not();
  }
  static void TearDownTestSuite() {
    recorder().reset();
    bed_name().clear();
  }
  static std::unique_ptr<Recorder>& recorder() {
    static std::unique_ptr<Recorder> one;
    return one;
  }
  static std::string& bed_name() {
    static std::string name;
    return name;
  }
  static std::string& why_not() {
    static std::string why;
    return why;
  }
};

TEST_P(KernelSuite, AgreesWithTheHost) {
  expect_right(*recorder(), std::get<1>(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Sample, KernelSuite,
                         ::testing::Combine(::testing::ValuesIn(device_beds()),
                                            ::testing::ValuesIn(testing::sample_kernels())),
                         [](const auto& made) {
                           return std::get<0>(made.param).name + "_" +
                                  std::get<1>(made.param).test_name();
                         });

TEST(CpuDevice, RunsALoopAlsoAsFibres) {
  Recorder recorder(make_process_executor(cpu_options()));
  recorder.await_ready();
  expect_right(recorder, testing::sample_kernel("saxpy"), true);
}

}  // namespace
}  // namespace fastgpu::exec::test
