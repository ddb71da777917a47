/// `fastgpu logs -f` of a command on another node than the one that is asked: how soon its lines
/// are there, and that nothing is lost, repeated or ended in silence when nodes are killed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "tests/system/command_cluster.hpp"
#include "tests/system/lives.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// Lines of that kind, in their order.
std::vector<std::string> lines_with(const std::string& begin, const std::string& text) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(begin)) {
      found.push_back(line);
    }
  }
  return found;
}

/// Three nodes and a talking command on each. Their ledger is n3's.
class FollowLogs : public CommandCluster {
 protected:
  void SetUp() override {
    ASSERT_TRUE(await_devices(cluster_, 2, 3));
    job_ = submit_through(cluster_.address(2), {"--tasks", "3", "--lease", "10s"}, talking_script);
    ASSERT_TRUE(await([&] { return lives_of(cluster_, job_).size() == 3; }));
  }
  Life life_on(int node) const {
    for (const Life& life : lives_of(cluster_, job_)) {
      if (life.node == node) {
        return life;
      }
    }
    ADD_FAILURE() << "no task runs on node " << node + 1;
    return {};
  }
  std::string name_of(const Life& life) const { return job_ + "." + std::to_string(life.task); }
  std::vector<std::string> follow_through(const std::string& servers, const Life& life) const {
    return {program("fastgpu"), "--server", servers, "logs", "-f", name_of(life)};
  }
  void let_all_go() const {
    for (const Life& life : lives_of(cluster_, job_)) {
      life.let_go();
    }
  }

  std::string job_;
};

TEST_F(FollowLogs, ShowALineOfAnotherNodeWithinHalfASecond) {
  const Life on2 = life_on(1);
  Process follower(follow_through(cluster_.address(0), on2));
  ASSERT_TRUE(follower.await_line("line 1 "));
  const double following_since = boot_seconds();
  std::vector<double> delays;
  for (int number = 2; delays.size() < 21; ++number) {
    const std::string begin = "line " + std::to_string(number) + " ";
    ASSERT_TRUE(follower.await_line(begin)) << follower.err();
    const double seen = boot_seconds();
    const std::string& said = follower.said();
    const double printed = std::stod(said.substr(said.find("\n" + begin) + 1 + begin.size()));
    if (printed > following_since) {
      delays.push_back(seen - printed);
    }
  }
  std::sort(delays.begin(), delays.end());
  RecordProperty("median_ms", std::to_string(delays[10] * 1000));
  EXPECT_LT(delays[10], 0.5) << "the fastest took " << delays.front() << " s, the slowest "
                             << delays.back();
  let_all_go();
  EXPECT_EQ(follower.await_end(), 0) << follower.err();
}

TEST_F(FollowLogs, MissAndRepeatNoLineThoughTheNodeThatIsAskedIsKilled) {
  const Life on2 = life_on(1);
  Process follower(follow_through(cluster_.address(0) + "," + cluster_.address(2), on2));
  ASSERT_TRUE(follower.await_line("line 5 "));
  cluster_.kill(0);
  const std::size_t lines = lines_with("line ", follower.said()).size();
  ASSERT_TRUE(follower.await_line("line " + std::to_string(lines + 40) + " ")) << follower.err();
  on2.let_go();
  life_on(2).let_go();
  // The task of the killed node runs again somewhere: what is followed goes on until the job ends.
  ASSERT_TRUE(await([&] {
    let_all_go();
    return run_command({program("fastgpu"), "--server", cluster_.address(2), "--timeout", "1s",
                        "wait", job_})
               .exit_code == 0;
  }));
  EXPECT_EQ(follower.await_end(), 0) << follower.err();
  const std::string shown = follower.out();
  const std::vector<std::string> numbered = lines_with("line ", shown);
  for (std::size_t i = 0; i < numbered.size(); ++i) {
    ASSERT_EQ(numbered[i].find("line " + std::to_string(i + 1) + " "), 0u) << numbered[i];
  }
  EXPECT_EQ(shown, fastgpu_through(cluster_.address(2), {"logs", name_of(on2)}).out)
      << "what is kept is what was shown";
}

TEST_F(FollowLogs, SayThatTheNodeThatKeepsThemIsGoneAndGoOnWithTheNextAttempt) {
  const Life on2 = life_on(1);
  const Life on1 = life_on(0);
  Process follower(follow_through(cluster_.address(0), on2));
  ASSERT_TRUE(follower.await_line("living on n2"));
  ASSERT_TRUE(follower.await_line("line 5 "));
  cluster_.kill(1);
  on1.let_go();  // a device becomes free
  EXPECT_TRUE(follower.await_error("not readable now")) << follower.err();
  EXPECT_THAT(follower.err(), HasSubstr("n2"));
  ASSERT_TRUE(follower.await_line("living on n1")) << follower.err();
  let_all_go();
  EXPECT_EQ(follower.await_end(), 0) << follower.err();
  const json task = show(job_)["tasks"][on2.task];
  EXPECT_EQ(task["state"], "succeeded");
  EXPECT_NE(task["node"], "n2");
}

}  // namespace
}  // namespace fastgpu::testing
