/// `--after` as users type it, on real nodes: a chain of commands, and what becomes of it when its
/// first link breaks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {
namespace {

using ::testing::HasSubstr;

class AfterOthers : public ::testing::Test {
 protected:
  std::string submit(std::vector<std::string> flags, const std::string& script) const {
    flags.insert(flags.begin(), {"submit", "-q"});
    flags.insert(flags.end(), {"--", "sh", "-c", script});
    const Finished done = cluster_.fastgpu(flags);
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  }
  int wait(const std::string& job) const { return cluster_.fastgpu({"wait", job}).exit_code; }

  ProcessCluster cluster_;
};

TEST_F(AfterOthers, RunsAChainInItsOrder) {
  const std::string first = submit({}, "sleep 0.3; echo first");
  const std::string second = submit({"--after", first}, "echo second");
  const std::string third = submit({"--after", second + ":any"}, "echo third");
  EXPECT_EQ(wait(third), 0);
  EXPECT_EQ(wait(second), 0);
  EXPECT_EQ(wait(first), 0);
  EXPECT_EQ(cluster_.fastgpu({"logs", third}).out, "third\n");
}

TEST_F(AfterOthers, TellsWhatItWaitsForUntilThatEnds) {
  const std::string first = submit({}, "sleep 1000");
  const std::string second = submit({"--after", first}, "echo never");
  const Finished why = cluster_.fastgpu({"why", second});
  EXPECT_THAT(why.out, HasSubstr("reason: dependency")) << why.err;
  EXPECT_THAT(why.out, HasSubstr("waits for job " + first + " to end well ("));
  EXPECT_THAT(cluster_.fastgpu({"ps"}).out, HasSubstr("waits for job " + first));
  EXPECT_EQ(cluster_.fastgpu({"cancel", first}).exit_code, 0);
  EXPECT_EQ(wait(second), 11);
}

TEST_F(AfterOthers, CancelsWhatWasToFollowASuccessAndRunsWhatWasToFollowAFailure) {
  const std::string first = submit({}, "exit 3");
  const std::string second = submit({"--after", first}, "echo never");
  const std::string mourner = submit({"--after", first + ":fail"}, "echo sorry");
  const std::string last = submit({"--after", second, "--after", mourner}, "echo never");
  EXPECT_EQ(wait(second), 11);
  EXPECT_EQ(wait(mourner), 0);
  EXPECT_EQ(wait(last), 11);
  EXPECT_EQ(cluster_.fastgpu({"logs", second}).out, "");
  EXPECT_THAT(
      cluster_.fastgpu({"why", second}).out,
      HasSubstr("job " + first + " failed, and this job was to run only after it succeeded"));
}

}  // namespace
}  // namespace fastgpu::testing
