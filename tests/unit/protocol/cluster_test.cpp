#include "runtime/protocol/cluster.hpp"

#include <gtest/gtest.h>

namespace fastgpu::protocol {
namespace {

/// The second of three drains and has nothing left.
struct Cluster {
  Cluster() : nodes(3) {
    for (NodeView& node : nodes) {
      node.duties = NodeDuties{2, 0, true};
    }
    drains().info.state = MemberState::draining;
    drains().duties->voting_replicas = 0;
    drains().devices.resize(1);
  }
  NodeView& drains() { return nodes[1]; }
  NodeView& other() { return nodes[2]; }
  bool is_over() { return is_drained(drains(), nodes); }

  std::vector<NodeView> nodes;
};

TEST(IsDrained, OnceNothingIsLeft) {
  Cluster cluster;
  EXPECT_TRUE(cluster.is_over());
  EXPECT_FALSE(is_drained(cluster.other(), cluster.nodes)) << "it does not drain";
}

TEST(IsDrained, NotBeforeTheNodeSaysSo) {
  Cluster cluster;
  cluster.drains().duties.reset();
  EXPECT_FALSE(cluster.is_over());
  cluster = {};
  cluster.drains().state = NodeState::suspect;
  EXPECT_FALSE(cluster.is_over());
}

TEST(IsDrained, NotWhileAReplicaOfItVotes) {
  Cluster cluster;
  cluster.drains().duties->voting_replicas = 1;
  EXPECT_FALSE(cluster.is_over());
}

TEST(IsDrained, NotWhileATaskRunsOrIsQueuedThere) {
  Cluster cluster;
  cluster.drains().devices[0].slots_free = 0;
  EXPECT_FALSE(cluster.is_over());
  cluster = {};
  cluster.drains().devices[0].queued_tasks = 1;
  EXPECT_FALSE(cluster.is_over());
}

TEST(IsDrained, NotWhileCopiesAreDueThereOrWhereItsOwnMayBeTheOnlyOther) {
  Cluster cluster;
  cluster.drains().duties->copies_due = 1;
  EXPECT_FALSE(cluster.is_over());
  cluster = {};
  cluster.other().duties->copies_due = 1;
  EXPECT_FALSE(cluster.is_over());
  cluster.other().duties = NodeDuties{2, 0, false};
  EXPECT_FALSE(cluster.is_over()) << "some may be due";
  cluster.other().duties.reset();
  EXPECT_FALSE(cluster.is_over());
  cluster.other().state = NodeState::down;
  EXPECT_TRUE(cluster.is_over()) << "the others answer for its objects";
}

}  // namespace
}  // namespace fastgpu::protocol
