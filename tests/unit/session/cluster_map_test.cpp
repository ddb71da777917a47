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

/// Five nodes keep shard 2, the first so many of them are up.
protocol::SharedView view_with_up(std::uint32_t up) {
  std::vector<protocol::NodeView> nodes;
  auto members = std::make_shared<protocol::Members>();
  members->plan = {{{2}, {}}};
  for (std::uint32_t node = 1; node <= 5; ++node) {
    nodes.push_back(
        node_view(node, {}, node <= up ? protocol::NodeState::up : protocol::NodeState::suspect));
    members->plan[0].replicas.push_back({node});
  }
  protocol::ClusterView view = *view_of(1, std::move(nodes));
  view.members = std::move(members);
  return std::make_shared<const protocol::ClusterView>(std::move(view));
}

TEST(ClusterMapOfReplicas, SaysWhichReplicasAreAwayWhereAShardLacksItsMajority) {
  ClusterMap map({1}, shards, true);
  map.update(view_with_up(3));
  EXPECT_FALSE(map.lacks_majority({2}).has_value());
  map.update(view_with_up(2));
  const std::optional<base::Error> error = map.lacks_majority({2});
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, base::ErrorCode::no_majority);
  EXPECT_EQ(error->kind, base::ErrorKind::unavailable);
  EXPECT_EQ(error->message,
            "shard 2 has no majority: of its 5 replicas 2 are up, 3 are needed; n3, n4, n5 not");
  EXPECT_FALSE(error->hint.empty());
  EXPECT_FALSE(map.lacks_majority({3}).has_value()) << "nothing is known of it";
  ClusterMap single({1}, shards, false);
  single.update(view_with_up(2));
  EXPECT_FALSE(single.lacks_majority({2}).has_value()) << "one replica each: its node is away";
}

}  // namespace
}  // namespace fastgpu::session::test
