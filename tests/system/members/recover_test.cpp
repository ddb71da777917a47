// Real processes: the disks of two of three nodes are lost, and the cluster goes on from the third.

#include <filesystem>

#include "tests/system/members/member_jobs.hpp"

namespace fastgpu::testing {
namespace {

class Recovered : public MemberJobs {
 protected:
  static Finished recover(const ProcessCluster& cluster, const std::vector<std::string>& flags) {
    std::vector<std::string> command{program("fastgpu-node"), "recover", "--dir",
                                     cluster.folder(0)};
    command.insert(command.end(), flags.begin(), flags.end());
    return run_command(command);
  }
  static void expect_said(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
    }
  }
};

TEST_F(Recovered, FromOneOfThreeHasAllJobsOfItsLogAndGrowsToThreeAgain) {
  ProcessCluster cluster({.nodes = 3, .later_nodes = 2});
  cluster.await_replicas();
  for (int i = 0; i < 6; ++i) {
    expect_accepted(cluster, i % 3);
  }
  cluster.kill(1);
  for (int i = 0; i < 4; ++i) {
    expect_accepted(cluster, 2 * (i % 2));  // needs the first one's disk
  }
  cluster.kill(0);
  const Finished early = recover(cluster, {"--force"});
  EXPECT_EQ(early.exit_code, 4) << early.out << "n3 lives, so there is a majority";
  expect_said(early.err, {"n3", "may be alive"});
  cluster.kill(2);
  std::filesystem::remove_all(cluster.folder(1));
  std::filesystem::remove_all(cluster.folder(2));

  const Finished shown = recover(cluster, {});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  expect_said(shown.out, {"SHARD", "n1,n2,n3", "votes", "--shards 0,1,2,3,4,5,6,7 --force"});
  const Finished done = recover(cluster, {"--force"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  expect_said(done.out, {"Shard 7: founded anew with epoch 2", "What may be lost",
                         "fastgpu node remove n2", "fastgpu node remove n3"});
  const Finished again = recover(cluster, {"--force"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  expect_said(again.out, {"votes alone", "Nothing to recover"});

  cluster.start(0);
  expect_all_there(cluster, 0);
  expect_accepted(cluster, 0);
  for (const char* lost : {"n2", "n3"}) {
    const Finished removed = cluster.fastgpu_at(0, {"node", "remove", lost});
    EXPECT_EQ(removed.exit_code, 0) << removed.err;
  }
  cluster.join_another(0);
  cluster.join_another(0);
  // Of eight shards; they are led as planned once they have their replicas.
  EXPECT_TRUE(await([&] {
    return led_by(cluster, 0, "n1") <= 3 && led_by(cluster, 0, "n4") >= 2 &&
           led_by(cluster, 0, "n5") >= 2;
  })) << cluster.fastgpu_at(0, {"node", "list"}).out;
  cluster.kill(0);
  expect_accepted(cluster, 3);
  expect_accepted(cluster, 4);
  expect_all_there(cluster, 4);
}

TEST_F(Recovered, IsNotDisturbedByAnOldMemberThatComesBackAndIsToldSo) {
  ProcessCluster cluster;
  cluster.await_replicas();
  for (int i = 0; i < 3; ++i) {
    expect_accepted(cluster, i);
  }
  for (const int node : {1, 2, 0}) {
    cluster.kill(node);
  }
  const Finished done = recover(cluster, {"--force"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  cluster.start(0);
  cluster.start(1);
  EXPECT_TRUE(cluster.await_error(1, "was founded anew without this node's replica"));
  expect_accepted(cluster, 0);
  expect_accepted(cluster, 1);
  EXPECT_EQ(led_by(cluster, 1, "n2"), 0u);
  cluster.kill(1);
  const Finished removed = cluster.fastgpu_at(0, {"node", "remove", "--force", "n2"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  expect_accepted(cluster, 0);
  expect_all_there(cluster, 0);
}

}  // namespace
}  // namespace fastgpu::testing
