#include "runtime/session/cluster_map.hpp"

#include <gtest/gtest.h>

#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

constexpr std::uint32_t shards = 4;

TEST(ClusterMapOfReplicas, AShardBetweenTwoLeadersIsNotTakenForEmpty) {
  ClusterMap alone({1}, shards);
  ClusterMap replicated({1}, shards, true);
  const auto view = view_of(1, {node_view(1, {0}), node_view(2, {1}), node_view(3, {2})});
  alone.update(view);
  replicated.update(view);
  EXPECT_TRUE(alone.is_empty({3}));
  EXPECT_FALSE(replicated.is_empty({3}));
}

TEST(ClusterMapOfReplicas, OnlyShardsWithoutALeaderAreSilentWhoeverIsDown) {
  ClusterMap map({1}, shards, true);
  map.update(view_of(1, {node_view(1, {0, 1, 2, 3}), node_view(2, {}),
                         node_view(3, {}, protocol::NodeState::down)}));
  EXPECT_EQ(map.shards_silent(), 0u);
  map.update(view_of(
      1, {node_view(1, {0, 1}), node_view(2, {}), node_view(3, {}, protocol::NodeState::down)}));
  EXPECT_EQ(map.shards_silent(), 2u);
}

TEST(ClusterMapOfReplicas, OfTwoThatClaimAShardTheOneOfTheLaterTermLeads) {
  ClusterMap map({1}, shards, true);
  auto before = node_view(1, {2});
  auto after = node_view(2, {2});
  after.leads[0].term = {9};
  map.update(view_of(1, {before, after}));
  EXPECT_EQ(map.leader_of({2}), base::NodeId{2});
  std::swap(before.leads[0].term, after.leads[0].term);
  map.update(view_of(1, {before, after}));
  EXPECT_EQ(map.leader_of({2}), base::NodeId{1});
}

}  // namespace
}  // namespace fastgpu::session::test
