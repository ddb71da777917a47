// The majority of the replicas is gone for good, and the shards are founded anew from what one node
// has: all of that is there, the cluster grows again, and whoever comes back from before has no
// say.

#include "actors/replica/recovery.hpp"

#include <gtest/gtest.h>

#include "tests/sim/members/moving_cluster.hpp"

namespace fastgpu::testing {
namespace {

using Jobs = std::map<base::JobId, protocol::JobSpec>;

SimOptions slow_devices() {
  SimOptions options = three_of(5);
  options.executor.run_min = 20ms;
  options.executor.run_max = 200ms;
  return options;
}

class Recovery : public ::testing::Test {
 protected:
  explicit Recovery(const SimOptions& options = three_of(5)) : cluster(options) {}

  /// Three nodes that have work, all of which is on the disks of all of them.
  void begin() {
    ASSERT_TRUE(world.run_until([this] { return cluster.as_planned(); }, 30s)) << cluster.shape();
    cluster.load(3s);
    ASSERT_TRUE(world.run_until([this] { return cluster.is_quiet(); }, 30s));
    ASSERT_GT(cluster.accepted.size(), 10u);
    ASSERT_TRUE(world.run_until([this] { return cluster.all_equal(); }, 10s));
  }
  actors::RecoveryOf of(std::uint32_t index) const {
    return {world.info(index).node, {world.shard_count()}, {}};
  }
  store::MemoryStore store_of(std::uint32_t index) {
    return store::MemoryStore(world.disk(index), {}, base::Random(0));
  }
  /// As `fastgpu-node recover --force` does it.
  void found_anew(std::uint32_t index) {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      const auto writes = actors::found_anew(store_of(index), of(index), {shard});
      ASSERT_TRUE(writes.ok()) << writes.error().message;
      for (const store::Write& write : writes.value()) {
        world.disk(index).apply(write);
      }
    }
    cluster.watch_anew();
  }
  bool leads_all(std::uint32_t index) const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (cluster.watch->leader_of({shard}) != world.info(index).node) {
        return false;
      }
    }
    return true;
  }
  void replace_the_lost() {
    cluster.change(1, protocol::MemberState::removed);
    cluster.change(2, protocol::MemberState::removed);
    ASSERT_TRUE(world.run_until([this] { return cluster.all_recorded(); }, 30s));
    cluster.join(3);
    cluster.join(4);
    ASSERT_TRUE(world.run_until([this] { return cluster.as_planned(); }, 60s)) << cluster.shape();
  }
  /// More is accepted within the limit, under load.
  bool accepts(base::Duration limit) {
    const std::size_t before = cluster.accepted.size();
    return world.run_until([&] { return cluster.accepted.size() > before + 10; }, limit);
  }

  MovingCluster cluster;
  SimWorld& world = cluster.world;
};

TEST_F(Recovery, FromOneLogHasAllThatWasInItAndTheGroupsAreThreeAgain) {
  begin();
  for (const std::uint32_t node : {0u, 1u, 2u}) {
    cluster.crash(node);
  }
  world.lose_disk(1);
  world.lose_disk(2);
  found_anew(0);
  world.start(0);
  ASSERT_TRUE(world.run_until([this] { return leads_all(0); }, 5s)) << cluster.shape();
  cluster.load(4s);
  ASSERT_TRUE(accepts(4s));
  replace_the_lost();
  for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
    EXPECT_EQ(cluster.watch->members_of({shard}).voters(), 3u) << cluster.shape();
  }
  cluster.crash(0);
  cluster.load(4s);
  ASSERT_TRUE(accepts(4s)) << "of three any one may die again";
  world.start(0);
  cluster.expect_whole();
}

TEST_F(Recovery, LosesWhatOnlyTheOthersHadAndGivesItsNumbersToNobody) {
  begin();
  const Jobs kept = cluster.accepted;
  cluster.crash(0);
  cluster.load(4s);
  ASSERT_TRUE(world.run_until([this] { return cluster.is_quiet(); }, 30s));
  const Jobs all = cluster.accepted;
  ASSERT_GT(all.size(), kept.size() + 10);
  cluster.crash(1);
  cluster.crash(2);
  world.lose_disk(1);
  world.lose_disk(2);
  found_anew(0);
  world.start(0);
  cluster.accepted = kept;
  cluster.load(5s);
  ASSERT_TRUE(world.run_until([this] { return cluster.is_quiet(); }, 60s));
  ASSERT_GT(cluster.accepted.size(), kept.size() + 10);
  for (const auto& [job, spec] : cluster.accepted) {
    EXPECT_EQ(kept.contains(job), all.contains(job)) << "job " << job.value << " was another's";
  }
  replace_the_lost();
  cluster.expect_whole();
}

TEST_F(Recovery, DoneAgainChangesNothing) {
  begin();
  for (const std::uint32_t node : {0u, 1u, 2u}) {
    cluster.crash(node);
  }
  const auto before = actors::find_replica(store_of(0), of(0), {1});
  ASSERT_TRUE(before.ok() && before.value());
  EXPECT_TRUE(before.value()->votes);
  EXPECT_FALSE(before.value()->votes_alone);
  found_anew(0);
  const auto after = actors::find_replica(store_of(0), of(0), {1});
  ASSERT_TRUE(after.ok() && after.value());
  EXPECT_TRUE(after.value()->votes_alone);
  EXPECT_GT(after.value()->epoch, before.value()->epoch);
  EXPECT_EQ(after.value()->jobs, before.value()->jobs);
  EXPECT_EQ(actors::found_anew(store_of(0), of(0), {1}).error().code, base::ErrorCode::conflict);
  EXPECT_EQ(actors::find_replica(store_of(3), of(3), {1}).value(), std::nullopt)
      << "a node that holds nothing";
  EXPECT_EQ(actors::found_anew(store_of(3), of(3), {1}).error().code, base::ErrorCode::not_found);
}

// Both come back: together they are a majority of the old groups.
TEST_F(Recovery, OldReplicasThatComeBackNeitherVoteNorLeadForLong) {
  begin();
  for (const std::uint32_t node : {0u, 1u, 2u}) {
    cluster.crash(node);
  }
  found_anew(0);
  cluster.relay->apart = {world.info(1).node, world.info(2).node};
  world.start(0);
  ASSERT_TRUE(world.run_until([this] { return leads_all(0); }, 5s)) << cluster.shape();
  world.start(1);
  world.start(2);
  ASSERT_TRUE(world.run_until(
      [this] { return cluster.relay->outdated.size() == 2u * world.shard_count(); }, 10s));
  const std::uint64_t led = cluster.relay->led_apart;
  cluster.load(4s);
  ASSERT_TRUE(accepts(4s));
  world.run_for(5s);
  EXPECT_EQ(cluster.relay->led_apart, led) << "they lead no more";
  EXPECT_TRUE(leads_all(0)) << cluster.shape();
  for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
    EXPECT_EQ(cluster.watch->members_of({shard}).voters(), 1u) << cluster.shape();
  }
  cluster.crash(1);
  cluster.crash(2);
  replace_the_lost();
  cluster.expect_whole();
}

/// Work lasts.
class RecoveryAmidWork : public Recovery {
 protected:
  RecoveryAmidWork() : Recovery(slow_devices()) {}
};

// A node that only stood still wakes up with work of the old groups, and results of it.
TEST_F(RecoveryAmidWork, LateResultsOfTheOldGroupsAreFencedOnceTheirTasksWerePlacedAnew) {
  begin();
  ASSERT_FALSE(cluster.all_ended()) << "there is work on all nodes";
  world.freeze(1);
  cluster.watch->died(world.info(1).node);
  cluster.crash(0);
  cluster.crash(2);
  world.lose_disk(2);
  const base::Epoch old = actors::find_replica(store_of(0), of(0), {1}).value()->epoch;
  found_anew(0);
  cluster.relay->apart = {world.info(1).node};
  world.start(0);
  ASSERT_TRUE(world.run_until([this] { return leads_all(0); }, 5s)) << cluster.shape();
  std::erase_if(cluster.accepted, [this](const auto& job) {
    return cluster.watch->watch().find(job.first) == nullptr;  // only the others had it
  });
  ASSERT_GT(cluster.accepted.size(), 10u);
  world.run_for(3s);
  world.thaw(1);
  ASSERT_TRUE(world.run_until(
      [this] { return cluster.relay->outdated.size() == world.shard_count(); }, 10s));
  ASSERT_TRUE(world.run_until([this] { return cluster.all_ended(); }, 60s));
  std::size_t placed_anew = 0;
  std::size_t superseded = 0;  // they were on the node that slept
  for (const auto& [id, spec] : cluster.accepted) {
    const ledger::Job* job = cluster.watch->watch().find(id);
    for (const auto& [attempt, about] : job->attempts) {
      placed_anew += attempt.epoch > old ? 1 : 0;
      const bool slept = attempt.epoch == old && about.device.node == world.info(1).node;
      superseded += slept && job->attempts.rbegin()->first.epoch > old ? 1 : 0;
    }
    cluster.watch->watch().check_end(id, spec, false);
  }
  EXPECT_GT(superseded, 0u);
  EXPECT_GT(placed_anew, 0u);
  EXPECT_TRUE(cluster.watch->watch().violations().empty())
      << cluster.watch->watch().violations().front();
}

}  // namespace
}  // namespace fastgpu::testing
