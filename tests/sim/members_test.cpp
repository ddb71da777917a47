// Whole clusters whose members change under load: nodes come, are drained and die, and the shards
// move with them. Nothing is lost, every task ends once, all replicas end up equal.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "tests/sim/group_watch.hpp"
#include "tests/sim/trouble.hpp"
#include "tests/support/sim_client.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

/// A cluster that nodes join and leave, with a user who submits all the time.
class MovingCluster {
 public:
  explicit MovingCluster(SimOptions options)
      : random_(options.seed * 0x9e3779b97f4a7c15u + 7),
        world(options, watch),
        client_(std::make_unique<SimClient>(world)) {}

  void load(base::Duration lasting) { submit_until(world.now() + lasting); }
  /// Starts it and lets it join, after those that were to join before: ids are given in order.
  void join(std::uint32_t index) {
    if (!world.is_up(index)) {
      world.start(index);
    }
    joins_.push_back(index);
    if (joins_.size() == 1) {
      begin_join();
    }
  }
  void change(std::uint32_t index, protocol::MemberState state) {
    ask(protocol::ChangeMember{next_request(), world.info(index).node, state});
  }
  /// All that was asked for is recorded.
  bool all_recorded() const { return asked_ == recorded_ && joins_.empty(); }
  void crash(std::uint32_t node) {
    world.crash(node);
    watch->died(world.info(node).node);
  }

  bool all_led() const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!watch->leader_of({shard})) {
        return false;
      }
    }
    return true;
  }
  /// Every group is as the root has it in its plan by now, led by whom it names first.
  bool as_planned() const {
    if (!all_recorded() || watch->members().plan.size() != world.shard_count()) {
      return false;
    }
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!as_planned(shard)) {
        return false;
      }
    }
    return true;
  }
  bool all_equal() const {
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      if (!watch->is_equal({shard})) {
        return false;
      }
    }
    return true;
  }
  bool all_ended() const {
    return std::all_of(accepted.begin(), accepted.end(),
                       [this](const auto& job) { return watch->watch().has_ended(job.first); });
  }
  bool keeps_some(std::uint32_t index) const {
    bool some = false;
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      some |= watch->members_of({shard}).find(world.info(index).node) != nullptr;
    }
    return some;
  }
  std::string shape() const {
    std::string text;
    for (std::uint32_t shard = 0; shard < world.shard_count(); ++shard) {
      text += " " + std::to_string(shard) + ":";
      for (const raft::Member& member : watch->members_of({shard}).members) {
        text += to_string(member.node) + (member.voter ? "" : "?");
      }
      const auto leader = watch->leader_of({shard});
      text += "/" + (leader ? to_string(*leader) : "nobody");
    }
    return text;
  }
  void expect_accepted(std::size_t jobs, base::Duration limit) {
    EXPECT_TRUE(world.run_until([&] { return accepted.size() >= jobs; }, limit)) << shape();
  }
  /// Peace, and what must have come of it all.
  void expect_whole() {
    EXPECT_TRUE(world.run_until([this] { return !loading_ && submits_open_ == 0; }, 90s));
    EXPECT_TRUE(world.run_until([this] { return as_planned(); }, 120s)) << shape();
    EXPECT_TRUE(world.run_until([this] { return all_ended(); }, 120s)) << "jobs wait";
    EXPECT_TRUE(world.run_until([this] { return all_equal(); }, 20s)) << "replicas differ";
    for (const auto& [job, spec] : accepted) {
      watch->watch().check_end(job, spec, false);
    }
    for (const std::string& violation : watch->watch().violations()) {
      ADD_FAILURE() << violation;
    }
  }

 private:
  base::Random random_;

 public:
  std::shared_ptr<GroupWatch> watch{std::make_shared<GroupWatch>()};
  SimWorld world;
  std::map<base::JobId, protocol::JobSpec> accepted;
  std::uint64_t unanswered{0};

 private:
  void begin_join() {
    const protocol::NodeInfo& info = world.info(joins_.front());
    const std::string token = "of " + info.name;
    const protocol::Join join{next_request(), info.name, info.address, token,
                              world.first_store(joins_.front())};
    ask(protocol::AddToken{next_request(), ledger::hash_of_token(token),
                           base::Duration(std::chrono::hours(1)).count()},
        [this, join] { ask(join, [this] { end_join(); }); });
  }
  void end_join() {
    joins_.pop_front();
    if (!joins_.empty()) {
      begin_join();
    }
  }
  bool as_planned(std::uint32_t shard) const {
    const std::vector<base::NodeId>& plan = watch->members().plan[shard].replicas;
    const raft::Configuration members = watch->members_of({shard});
    if (members.members.size() != plan.size() || watch->leader_of({shard}) != plan[0]) {
      return false;
    }
    return std::all_of(plan.begin(), plan.end(), [&](base::NodeId node) {
      const raft::Member* member = members.find(node);
      return member != nullptr && member->voter == (plan.size() != 2 || node == plan[0]);
    });
  }
  base::RequestId next_request() { return {{0}, 77, ++requests_}; }
  /// Again and again, since it is done once, until it is done, or refused (the last active node is
  /// not drained).
  void ask(const protocol::ClientRequest& request, const std::function<void()>& then = {}) {
    ++asked_;
    ask_again(request, then);
  }
  void ask_again(const protocol::ClientRequest& request, const std::function<void()>& then) {
    client_->call(request, 3s, [this, request, then](const protocol::ClientReply& reply) {
      const auto* error = std::get_if<base::Error>(&reply);
      if (error != nullptr && error->kind != base::ErrorKind::rejected) {
        world.agenda().note_in(100ms, [this, request, then] { ask_again(request, then); });
        return;
      }
      ++recorded_;
      if (then) {
        then();
      }
    });
  }
  void submit_until(base::Time end) {
    loading_ = world.now() < end;
    if (!loading_) {
      return;
    }
    protocol::JobSpec spec = simple_job(1 + static_cast<std::uint32_t>(random_.below(10)));
    spec.crash_limit = 1000;
    ++submits_open_;
    client_->submit(spec, 8s, [this, spec](const protocol::ClientReply& reply) {
      --submits_open_;
      if (const auto* job = std::get_if<protocol::Accepted>(&reply)) {
        accepted.emplace(job->job, spec);
      } else {
        ++unanswered;
      }
    });
    world.agenda().note_in(
        base::Duration{20ms} + base::Duration{static_cast<std::int64_t>(random_.below(80'000'000))},
        [this, end] { submit_until(end); });
  }

  std::unique_ptr<SimClient> client_;
  std::deque<std::uint32_t> joins_;  ///< the first is under way
  bool loading_{false};              ///< there is a submit to come
  std::uint64_t submits_open_{0};
  std::uint64_t requests_{0};
  std::uint64_t asked_{0};
  std::uint64_t recorded_{0};
};

SimOptions three_of(std::uint32_t nodes) {
  SimOptions options;
  options.nodes = nodes;
  options.founding_nodes = 3;
  options.replicas = 3;
  options.shards = 4;
  options.ledger_limits.compact_after_entries = 40;
  options.raft_limits.entries_kept_behind_snapshot = 20;
  return options;
}

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
