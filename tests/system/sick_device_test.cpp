/// A device whose process cannot start, beside a good one: it is shown with its reason, its
/// neighbour does the work, and it comes back by itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/system/cluster_views.hpp"
#include "tests/system/processor_clock.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// One node of two devices. As long as a file `sick` is there, the second one does not start.
class SickDevice : public ::testing::Test {
 protected:
  SickDevice() {
    folder_.write("sick", "");
    const std::string wrapper =
        folder_.write("executor", "#!/bin/sh\ncase \"$*\" in *\"--device cpu:1 \"*) [ -e " +
                                      folder_.file("sick") + " ] && exit 3;; esac\nexec " +
                                      program("fastgpu-executor") + " \"$@\"\n");
    std::filesystem::permissions(wrapper, std::filesystem::perms::owner_all |
                                              std::filesystem::perms::group_exec |
                                              std::filesystem::perms::others_exec);
    cluster_ = std::make_unique<ProcessCluster>(ProcessClusterOptions{
        .nodes = 1, .cpu_devices = 2, .environment = {"FASTGPU_EXECUTOR=" + wrapper}});
    source_ = folder_.write("hold.cu", hold_source);
  }
  /// Waits until the second device is so.
  bool await_second(bool healthy) {
    return await_item(*cluster_, 0, {"gpus"}, [healthy](const json& device) {
      return device.value("device", -1) == 1 && device.value("healthy", !healthy) == healthy;
    });
  }
  /// The devices on which `tasks` tasks ended well that each hold one for a while.
  std::set<int> devices_of_a_job(int tasks) {
    const std::string until = std::to_string(processor_clock() + rate_.in(Seconds{2}));
    const Finished submitted = cluster_->fastgpu(
        {"submit", "-q", "--kernel", "hold", "--source", source_, "--arg", "u32:{}", "--arg",
         "i64:" + until, "--arg", "out:o_{}=4", "--tasks", std::to_string(tasks)});
    const std::string job = submitted.out.substr(0, submitted.out.find('\n'));
    EXPECT_EQ(cluster_->fastgpu({"wait", job}).exit_code, 0) << submitted.err;
    std::set<int> devices;
    for (const json& task : tasks_of(*cluster_, job)) {
      EXPECT_EQ(task["state"], "succeeded") << task.dump();
      devices.insert(task.value("device", -1));
    }
    return devices;
  }

  const ProcessorClockRate rate_;
  const TemporaryFolder folder_;
  std::unique_ptr<ProcessCluster> cluster_;
  std::string source_;
};

TEST_F(SickDevice, IsShownWithItsReasonWhileItsNeighbourWorksAndComesBack) {
  ASSERT_TRUE(await_second(false));
  const std::string reason = "quarantined: it failed to start";
  EXPECT_THAT(cluster_->fastgpu({"gpus"}).out, HasSubstr("n1 cpu:1 is unhealthy: " + reason));
  EXPECT_THAT(cluster_->fastgpu({"events"}).out, HasSubstr("cpu:1 is unhealthy: " + reason));
  EXPECT_EQ(devices_of_a_job(4), (std::set<int>{0}));

  // Longer than anybody looks: it is cancelled below.
  const std::string until = std::to_string(processor_clock() + rate_.in(Seconds{3600}));
  const Finished submitted =
      cluster_->fastgpu({"submit", "-q", "--kernel", "hold", "--source", source_, "--arg", "u32:{}",
                         "--arg", "i64:" + until, "--arg", "out:o_{}=4", "--tasks", "1500"});
  const std::string job = submitted.out.substr(0, submitted.out.find('\n'));
  EXPECT_TRUE(await([&] {
    return cluster_->fastgpu({"why", job}).out.find("unhealthy (" + reason) != std::string::npos;
  })) << cluster_->fastgpu({"why", job}).out;
  EXPECT_EQ(cluster_->fastgpu({"cancel", job}).exit_code, 0);

  std::filesystem::remove(folder_.file("sick"));
  ASSERT_TRUE(await_second(true));
  EXPECT_EQ(devices_of_a_job(40), (std::set<int>{0, 1}));
}

}  // namespace
}  // namespace fastgpu::testing
