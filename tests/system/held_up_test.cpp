/// A command that goes on and on holds up its own device only: what was sent behind it goes to the
/// one that becomes free.

#include "tests/system/command_cluster.hpp"
#include "tests/system/lives.hpp"

namespace fastgpu::testing {
namespace {

class HeldUp : public CommandCluster {
 protected:
  HeldUp() : CommandCluster({.nodes = 1, .cpu_devices = 2}) {}

  std::string begin_life() {
    const std::string job = submit({"--out", "result-{}"}, living_script);
    EXPECT_TRUE(await([&] { return !lives_of(cluster_, job).empty(); }));
    return job;
  }
};

TEST_F(HeldUp, AreTheJobsBehindALongOneOnlyUntilAnotherDeviceIsFree) {
  const std::string lasting = begin_life();
  const std::string first_to_end = begin_life();
  const std::vector<std::string> waiting{submit({}, "true"), submit({}, "true")};
  lives_of(cluster_, first_to_end).at(0).let_go();
  EXPECT_EQ(fastgpu({"wait", first_to_end}).exit_code, 0);
  for (const std::string& job : waiting) {
    EXPECT_EQ(fastgpu({"wait", job}).exit_code, 0)
        << fastgpu({"why", job}).out << fastgpu({"events", job}).out << fastgpu({"gpus"}).out;
  }
  EXPECT_FALSE(lives_of(cluster_, lasting).empty()) << "it was to outlive them";
  lives_of(cluster_, lasting).at(0).let_go();
  EXPECT_EQ(fastgpu({"wait", lasting}).exit_code, 0);
}

}  // namespace
}  // namespace fastgpu::testing
