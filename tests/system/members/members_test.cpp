#include "tests/system/members/member_jobs.hpp"

namespace fastgpu::testing {
namespace {

class Members : public MemberJobs {};

TEST_F(Members, ThatAreTooFewSayThatTheyLackAMajorityAndGoOnWhenTheOthersAreBack) {
  ProcessCluster cluster;
  cluster.await_replicas();
  for (int node = 0; node < 3; ++node) {
    expect_accepted(cluster, node);
  }
  cluster.kill(0);
  expect_accepted(cluster, 1);
  cluster.kill(1);
  const Finished refused = await_refusal(cluster, 2);
  for (const char* part : {"of its 3 replicas 1 are up, 2 are needed", "n1", "n2", "start them"}) {
    EXPECT_NE(refused.err.find(part), std::string::npos) << part << ": " << refused.err;
  }
  cluster.start(0);
  expect_accepted(cluster, 2);
  cluster.start(1);
  expect_all_there(cluster, 1);
}

TEST_F(Members, ThatAreAllKilledAtOnceHaveEverythingThatWasAccepted) {
  ProcessCluster cluster;
  cluster.await_replicas();
  for (int i = 0; i < 9; ++i) {
    expect_accepted(cluster, i % 3);
  }
  for (int node = 0; node < 3; ++node) {
    cluster.kill(node);
  }
  for (int node = 0; node < 3; ++node) {
    cluster.start(node);
  }
  expect_all_there(cluster, 0);
}

TEST_F(Members, OfFiveWithFiveReplicasAreEnoughWhileAnyTwoAreKilled) {
  ProcessCluster cluster({.nodes = 5, .replicas = 5});
  cluster.await_replicas();
  for (int node = 0; node < 5; ++node) {
    expect_accepted(cluster, node);
  }
  cluster.kill(0);
  cluster.kill(3);
  for (const int node : {1, 2, 4}) {
    expect_accepted(cluster, node);
  }
  expect_all_there(cluster, 4);
  cluster.start(0);
  cluster.start(3);
  cluster.kill(1);
  cluster.kill(2);
  for (const int node : {0, 3, 4}) {
    expect_accepted(cluster, node);
  }
  expect_all_there(cluster, 3);
}

TEST_F(Members, OfFiveWithFiveReplicasSayNothingWrongWhileThreeAreKilledAndGoOnWithOneMore) {
  ProcessCluster cluster({.nodes = 5, .replicas = 5});
  cluster.await_replicas();
  for (int node = 0; node < 5; ++node) {
    expect_accepted(cluster, node);
  }
  expect_all_there(cluster, 4);
  for (const int node : {0, 1, 2}) {
    cluster.kill(node);
  }
  for (const int node : {3, 4}) {
    const Finished refused = await_refusal(cluster, node);
    EXPECT_NE(refused.err.find("of its 5 replicas 2 are up, 3 are needed"), std::string::npos)
        << refused.err;
    expect_nothing_wrong(cluster, node);
  }
  cluster.start(2);
  expect_accepted(cluster, 3);
  cluster.start(0);
  cluster.start(1);
  expect_accepted(cluster, 1);
  expect_all_there(cluster, 0);
}

TEST_F(Members, OfFiveWithFiveReplicasThatAreAllKilledAtOnceHaveEverythingThatWasAccepted) {
  ProcessCluster cluster({.nodes = 5, .replicas = 5});
  cluster.await_replicas();
  for (int i = 0; i < 10; ++i) {
    expect_accepted(cluster, i % 5);
  }
  for (int node = 0; node < 5; ++node) {
    cluster.kill(node);
  }
  for (int node = 0; node < 5; ++node) {
    cluster.start(node);
  }
  expect_all_there(cluster, 0);
}

// That the fourth keeps replicas that count is seen when another one dies.
TEST_F(Members, TakeTheReplicasOfOneThatIsDrainedAndRemovedUnderLoad) {
  ProcessCluster cluster({.nodes = 3, .later_nodes = 1});
  cluster.await_replicas();
  expect_accepted(cluster, 0);
  cluster.join_another(1);
  expect_accepted(cluster, 3);
  const Finished drained = cluster.fastgpu_at(1, {"node", "drain", "n1"});
  EXPECT_EQ(drained.exit_code, 0) << drained.err;
  EXPECT_TRUE(await([&] {
    expect_accepted(cluster, 1);
    // Of eight shards; they are led as planned once they have their replicas.
    return led_by(cluster, 1, "n1") == 0 && led_by(cluster, 1, "n2") <= 3 &&
           led_by(cluster, 1, "n3") <= 3 && led_by(cluster, 1, "n4") >= 2 &&
           is_drained(cluster, 1, "n1");
  })) << cluster.fastgpu_at(1, {"node", "list"}).out;
  const Finished removed = cluster.fastgpu_at(1, {"node", "remove", "n1"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  cluster.kill(0);
  expect_accepted(cluster, 2);
  cluster.kill(1);
  expect_accepted(cluster, 3);
  expect_accepted(cluster, 2);
  expect_all_there(cluster, 3);
}

}  // namespace
}  // namespace fastgpu::testing
