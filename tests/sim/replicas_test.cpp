// Whole clusters whose shards have three replicas each: the loss of any one node loses nothing and
// stops nothing for long.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "tests/sim/watch.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

class Replicas : public ::testing::Test {
 protected:
  static SimOptions three() {
    SimOptions options;
    options.nodes = 3;
    options.replicas = 3;
    return options;
  }
  std::uint32_t index_of(base::NodeId node) const { return node.value - 1; }
  /// Every shard had a leader.
  bool all_led() const {
    for (std::uint32_t shard = 0; shard < world.node_count(); ++shard) {
      if (!watch->leader_of({shard})) {
        return false;
      }
    }
    return true;
  }
  void begin() {
    ASSERT_TRUE(world.run_until([this] { return all_led(); }, 10s));
  }
  /// Asks for a job in that shard; the answer goes to `reply` when it comes.
  void submit(base::ShardId shard, const protocol::JobSpec& spec, base::Duration limit) {
    reply.reset();
    const base::RequestId request{shard, 7, ++requests};
    client.call(protocol::Submit{request, {std::make_shared<const protocol::JobSpec>(spec)}}, limit,
                [this](const protocol::ClientReply& answer) { reply = answer; });
  }
  std::optional<base::JobId> accepted() const {
    const auto* job = reply ? std::get_if<protocol::Accepted>(&*reply) : nullptr;
    return job ? std::optional(job->job) : std::nullopt;
  }
  void expect_no_violation() const {
    for (const std::string& violation : watch->violations()) {
      ADD_FAILURE() << violation;
    }
  }

  std::shared_ptr<Watch> watch{std::make_shared<Watch>()};
  SimWorld world{three(), watch};
  SimClient client{world};
  std::uint64_t requests{0};
  std::optional<protocol::ClientReply> reply;
};

TEST_F(Replicas, JobsGoOnAndEndThroughAnotherLeaderWhenTheirLeaderDies) {
  begin();
  const protocol::JobSpec spec = simple_job(200);
  submit({1}, spec, 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  const base::JobId job = *accepted();
  const base::NodeId first = *watch->leader_of({1});
  ASSERT_FALSE(watch->has_ended(job)) << "it dies in the middle of the work";
  world.crash(index_of(first));
  ASSERT_TRUE(world.run_until([&] { return watch->has_ended(job); }, 60s));
  EXPECT_NE(watch->leader_of({1}), first);
  watch->check_end(job, spec, false);
  expect_no_violation();
}

TEST_F(Replicas, AShardWhoseLeaderDiesTakesTheNextJobSoon) {
  begin();
  base::Duration longest{};
  for (int round = 0; round < 9; ++round) {
    const base::ShardId shard{static_cast<std::uint32_t>(round % 3)};
    const std::uint32_t victim = index_of(*watch->leader_of(shard));
    world.crash(victim);
    const base::Time died = world.now();
    submit(shard, simple_job(1), 10s);
    ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s)) << round;
    longest = std::max(longest, world.now() - died);
    world.start(victim);
    world.run_for(3s);
    ASSERT_TRUE(all_led());
  }
  EXPECT_LT(longest, 2500ms);
  RecordProperty("longest_ms", std::to_string(longest / 1ms));
  expect_no_violation();
}

TEST_F(Replicas, NothingIsAcceptedWithoutAMajorityAndThenItGoesOn) {
  begin();
  world.crash(1);
  world.crash(2);
  submit({0}, simple_job(2), 5s);
  world.run_for(6s);
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(std::holds_alternative<base::Error>(*reply));
  world.start(1);
  submit({0}, simple_job(2), 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 11s));
  ASSERT_TRUE(world.run_until([&] { return watch->has_ended(*accepted()); }, 30s));
  expect_no_violation();
}

TEST_F(Replicas, ANodeThatLostItsDiskIsNotTakenBackUnderItsName) {
  begin();
  submit({0}, simple_job(5), 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  world.crash(2);
  world.lose_disk(2);
  const base::Status started = world.try_start(2);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::ErrorCode::conflict);
  submit({2}, simple_job(5), 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  expect_no_violation();
}

TEST_F(Replicas, ANodeWhoseSyncFailsEndsItselfAndTheOthersCarryItsWork) {
  begin();
  const protocol::JobSpec spec = simple_job(200);
  submit({1}, spec, 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  const base::JobId job = *accepted();
  const std::uint32_t victim = index_of(*watch->leader_of({1}));
  ASSERT_FALSE(watch->has_ended(job)) << "it ends in the middle of the work";
  world.crash_in_sync(victim, store::SyncPoint::failure);
  ASSERT_TRUE(world.run_until([&] { return !world.is_up(victim); }, 10s));
  ASSERT_TRUE(world.run_until([&] { return watch->has_ended(job); }, 60s));
  watch->check_end(job, spec, false);
  world.start(victim);
  const std::set<base::NodeId> all{{1}, {2}, {3}};
  EXPECT_TRUE(world.run_until([&] { return watch->all_equal(all); }, 30s));
  expect_no_violation();
}

TEST_F(Replicas, ANodeWhoseDiskIsDamagedIsRefusedAndTheOthersGoOn) {
  begin();
  submit({0}, simple_job(5), 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  world.crash(2);
  base::Random random(1);
  ASSERT_TRUE(world.disk(2).rot(random));
  const base::Status started = world.try_start(2);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code, base::ErrorCode::corrupt);
  submit({2}, simple_job(5), 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  expect_no_violation();
}

TEST_F(Replicas, ALeaderThatStoodStillIsFollowedByAnotherAndGivesWay) {
  begin();
  const base::NodeId first = *watch->leader_of({1});
  world.freeze(index_of(first));
  submit({1}, simple_job(5), 10s);
  ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
  EXPECT_NE(watch->leader_of({1}), first);
  world.run_for(10s);
  world.thaw(index_of(first));
  const std::set<base::NodeId> all{{1}, {2}, {3}};
  EXPECT_TRUE(
      world.run_until([&] { return watch->has_ended(*accepted()) && watch->all_equal(all); }, 60s));
  expect_no_violation();
}

TEST_F(Replicas, AllThatWasAcceptedIsThereAfterThePowerFailed) {
  begin();
  std::map<base::JobId, protocol::JobSpec> jobs;
  for (std::uint32_t i = 0; i < 12; ++i) {
    const protocol::JobSpec spec = simple_job(10);
    submit({i % 3}, spec, 10s);
    ASSERT_TRUE(world.run_until([this] { return accepted().has_value(); }, 10s));
    jobs[*accepted()] = spec;
  }
  for (std::uint32_t node = 0; node < 3; ++node) {
    world.crash(node);
  }
  for (std::uint32_t node = 0; node < 3; ++node) {
    world.start(node);
  }
  for (const auto& [job, spec] : jobs) {
    ASSERT_TRUE(world.run_until([&, id = job] { return watch->has_ended(id); }, 60s));
    watch->check_end(job, spec, false);
  }
  expect_no_violation();
}

}  // namespace
}  // namespace fastgpu::testing
