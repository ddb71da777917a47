// Whole clusters whose members change under load: nodes come, are drained and die, and the shards
// move with them. Nothing is lost, every task ends once, all replicas end up equal.

#include <gtest/gtest.h>

#include <string>

#include "tests/sim/members/moving_cluster.hpp"
#include "tests/sim/trouble.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

TEST(Members, AFourthJoinsUnderLoadTheFirstIsDrainedAndAnotherDies) {
  MovingCluster cluster(three_of(4));
  SimWorld& world = cluster.world;
  ASSERT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s));
  cluster.load(60s);
  world.run_for(3s);

  cluster.join(3);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  const std::size_t before = cluster.accepted.size();
  EXPECT_GT(before, 20u);

  EXPECT_TRUE(cluster.keeps_some(3)) << "it took over replicas:" << cluster.shape();

  cluster.change(0, protocol::MemberState::draining);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  EXPECT_FALSE(cluster.keeps_some(0)) << cluster.shape();
  cluster.crash(0);
  cluster.change(0, protocol::MemberState::removed);
  world.run_for(3s);
  cluster.crash(2);
  const std::size_t then = cluster.accepted.size();
  ASSERT_TRUE(world.run_until([&] { return cluster.accepted.size() > then + 20; }, 20s))
      << "two of three go on";
  world.start(2);
  cluster.expect_whole();
  EXPECT_EQ(cluster.unanswered, 0u) << "every submit was accepted in time";
}

TEST(Members, OneThatIsDrainedSaysWhenThatIsOverAndVotesAgainWhenItIsTakenBack) {
  MovingCluster cluster(three_of(4));
  SimWorld& world = cluster.world;
  ASSERT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s));
  cluster.join(3);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  world.run_for(1s);
  EXPECT_EQ(cluster.shown(0).duties, (protocol::NodeDuties{3, 0, true}));
  cluster.change(0, protocol::MemberState::draining);
  int looks = 0;
  for (; looks < 600 && !cluster.shown(0).drained; ++looks) {
    world.run_for(100ms);
  }
  EXPECT_GT(looks, 10) << "the replicas have to move first";
  EXPECT_FALSE(cluster.votes(0)) << cluster.shape();
  EXPECT_EQ(cluster.shown(0).duties, (protocol::NodeDuties{0, 0, true}));
  EXPECT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  world.run_for(1s);
  EXPECT_TRUE(cluster.shown(0).drained);
  cluster.change(0, protocol::MemberState::active);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  world.run_for(1s);
  EXPECT_FALSE(cluster.shown(0).drained);
  EXPECT_EQ(cluster.shown(0).duties, (protocol::NodeDuties{3, 0, true}));
}

TEST(Members, OneNodeGrowsToThreeAndShrinksAgain) {
  SimOptions options = three_of(3);
  options.founding_nodes = 1;
  options.replicas = 3;
  MovingCluster cluster(options);
  SimWorld& world = cluster.world;
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 10s)) << cluster.shape();
  cluster.load(30s);
  world.run_for(2s);
  for (const std::uint32_t next : {1u, 2u}) {
    cluster.join(next);
    ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 30s)) << cluster.shape();
  }
  cluster.crash(0);
  ASSERT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s)) << cluster.shape();
  world.start(0);
  cluster.change(0, protocol::MemberState::draining);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 30s)) << cluster.shape();
  cluster.change(1, protocol::MemberState::draining);
  cluster.expect_whole();
}

TEST(Members, OfFiveWithFiveReplicasAnyTwoMayDie) {
  SimOptions options = three_of(5);
  options.founding_nodes = 5;
  options.replicas = 5;
  MovingCluster cluster(options);
  SimWorld& world = cluster.world;
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 30s)) << cluster.shape();
  ASSERT_EQ(cluster.watch->members().replicas, 5u);
  cluster.load(60s);
  world.run_for(3s);
  cluster.crash(0);
  cluster.crash(1);
  const std::size_t then = cluster.accepted.size();
  ASSERT_TRUE(world.run_until([&] { return cluster.accepted.size() > then + 20; }, 20s))
      << "three of five go on";
  cluster.crash(2);
  world.run_for(3s);
  const std::size_t last = cluster.accepted.size();
  world.run_for(5s);
  EXPECT_EQ(cluster.accepted.size(), last) << "two of five accept nothing";
  for (const std::uint32_t node : {0u, 1u, 2u}) {
    world.start(node);
  }
  ASSERT_TRUE(world.run_until([&] { return cluster.accepted.size() > last + 20; }, 30s))
      << cluster.shape();
  cluster.expect_whole();
}

// What a replica knows to be committed is on no disk: who restarts knows of a member that came
// later only what it has kept itself.
TEST(Members, WhoKeepsAShardIsFoundFromTheDisksOfAMajorityAlone) {
  MovingCluster cluster(three_of(4));
  SimWorld& world = cluster.world;
  ASSERT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s));
  cluster.join(3);
  cluster.change(0, protocol::MemberState::draining);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  ASSERT_TRUE(cluster.keeps_some(3)) << cluster.shape();
  for (const std::uint32_t node : {0u, 1u, 2u, 3u}) {
    cluster.crash(node);
  }
  world.start(2);
  world.start(3);
  EXPECT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s)) << cluster.shape();
  cluster.load(1s);
  cluster.expect_accepted(5, 20s);
}

TEST(Members, WhoWasAwayWhileANodeCameIsNotNeededByThatNodeAlone) {
  MovingCluster cluster(three_of(4));
  SimWorld& world = cluster.world;
  ASSERT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s));
  cluster.crash(2);
  cluster.join(3);
  cluster.change(0, protocol::MemberState::draining);
  world.run_for(20s);
  EXPECT_TRUE(cluster.keeps_some(3)) << "it came while one was away:" << cluster.shape();
  EXPECT_TRUE(cluster.keeps_some(0)) << "the third has not heard of it:" << cluster.shape();
  cluster.crash(1);
  world.start(2);
  EXPECT_TRUE(world.run_until([&] { return cluster.all_led(); }, 10s)) << cluster.shape();
  world.start(1);
  ASSERT_TRUE(world.run_until([&] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  EXPECT_FALSE(cluster.keeps_some(0)) << cluster.shape();
  cluster.expect_whole();
}

// --- seeds ---------------------------------------------------------------------------------------

PerFault<bool> some_trouble(base::Random& random) {
  PerFault<bool> kinds{};
  for (const FaultKind kind : {FaultKind::crash, FaultKind::cut, FaultKind::stall}) {
    kinds[static_cast<std::size_t>(kind)] = random.chance(600'000);
  }
  return kinds;
}

/// Nodes join, are drained and taken back at any time, while others nodes crash, pause and are cut
/// off.
void run_seed(std::uint64_t seed) {
  base::Random random(seed);
  SimOptions options = three_of(5);
  options.seed = seed;
  options.shards = 3;
  if (random.chance(500'000)) {
    options.network.loss_ppm = 20'000;
    options.network.duplicate_ppm = 20'000;
    options.network.reorder_ppm = 50'000;
  }
  MovingCluster cluster(options);
  Trouble trouble(cluster.world, random, some_trouble(random), [&random] {
    return base::Duration{static_cast<std::int64_t>(random.below(2'500'000'000))};
  });
  cluster.load(12s);
  std::uint32_t joined = options.founding_nodes;
  for (int i = 0; i < 24; ++i) {
    cluster.world.run_for(base::Duration{static_cast<std::int64_t>(random.below(1'000'000'000))});
    trouble.make();
    if (random.chance(350'000)) {
      const auto node = static_cast<std::uint32_t>(random.below(joined));
      cluster.change(node, random.chance(500'000) ? protocol::MemberState::draining
                                                  : protocol::MemberState::active);
    }
    if (joined < options.nodes && random.chance(150'000)) {
      cluster.join(joined++);
    }
  }
  trouble.make_peace();
  while (joined < options.nodes) {
    cluster.join(joined++);
  }
  cluster.expect_whole();
  EXPECT_GT(cluster.accepted.size(), 5u);
}

class MemberSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(MemberSeeds, LoseNothingWhileReplicasMove) {
  for (std::uint64_t seed = GetParam() * 10 + 1; seed <= GetParam() * 10 + 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run_seed(seed);
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Batch, MemberSeeds, ::testing::Range<std::uint64_t>(0, 6));

}  // namespace
}  // namespace fastgpu::testing
