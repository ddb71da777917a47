// Who belongs to the cluster, who may come, and where the shards' replicas should be.

#include "runtime/ledger/tables/member_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/base/random.hpp"
#include "runtime/ledger/tables/replica_plan.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger::testing {
namespace {

using protocol::MemberState;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t shards = 8;

base::ObjectHash token(std::uint8_t number) {
  base::ObjectHash hash;
  hash.bytes[0] = number;
  return hash;
}

class Book : public ::testing::Test {
 protected:
  base::Result<MemberBook::Added> join(std::uint32_t number, base::ObjectHash by = {},
                                       base::WallTimeMs at_ms = 0) {
    protocol::MemberRecord record{request(number, root),
                                  {{}, "n" + std::to_string(number), "127.0.0.1:7600"}};
    record.info.key = "key " + std::to_string(number);
    record.token = by;
    record.joined_at_ms = at_ms;
    return book.add(record, {++index});
  }
  /// n1 to the given number.
  void join_all(std::uint32_t count) {
    for (std::uint32_t number = 1; number <= count; ++number) {
      ASSERT_TRUE(join(number).ok());
    }
  }
  void make_token(std::uint8_t number) {
    ASSERT_TRUE(
        book.add(protocol::TokenRecord{request(50, root), {token(number), 1000}, 0}, {1}).ok());
  }
  base::Status put(std::uint32_t node, MemberState state) {
    return book.change({request(100 + ++index, root), {node}, state}, {index});
  }
  base::Status ask_for(std::uint32_t replicas) {
    return book.set(protocol::ReplicasRecord{request(70, root), replicas}, {++index});
  }
  std::set<base::NodeId> keepers_of_all() const {
    std::set<base::NodeId> nodes;
    for (const protocol::ShardPlan& shard : book.as_told().plan) {
      nodes.insert(shard.replicas.begin(), shard.replicas.end());
    }
    return nodes;
  }
  MemberBook book{shards};
  std::uint64_t index{0};
};

TEST_F(Book, PlansThreeReplicasOfEachShardOnceThereAreThreeNodes) {
  for (std::uint32_t nodes = 1; nodes <= 4; ++nodes) {
    ASSERT_TRUE(join(nodes).ok());
    EXPECT_THAT(book.as_told().plan.at(0).replicas, SizeIs(std::min(nodes, replicas_wanted)));
  }
  for (const protocol::ShardPlan& shard : book.as_told().plan) {
    EXPECT_THAT(shard.replicas, SizeIs(3));
  }
}

TEST_F(Book, PlansFiveReplicasWhereTheyAreAskedForOnceThereAreFiveNodes) {
  ASSERT_TRUE(ask_for(5).ok());
  for (std::uint32_t nodes = 1; nodes <= 6; ++nodes) {
    ASSERT_TRUE(join(nodes).ok());
    EXPECT_THAT(book.as_told().plan.at(0).replicas, SizeIs(std::min(nodes, 5u)));
  }
  EXPECT_EQ(book.as_told().replicas, 5u);
}

TEST_F(Book, PlansAnewWhenAnotherNumberOfReplicasIsAskedFor) {
  join_all(5);
  const std::uint64_t before = book.version();
  for (const std::uint32_t asked : {5u, 1u, 3u}) {
    ASSERT_TRUE(ask_for(asked).ok());
    for (const protocol::ShardPlan& shard : book.as_told().plan) {
      EXPECT_THAT(shard.replicas, SizeIs(asked));
    }
  }
  EXPECT_GT(book.version(), before);
  const std::uint64_t then = book.version();
  ASSERT_TRUE(ask_for(3).ok());
  EXPECT_EQ(book.version(), then) << "nothing changed";
}

TEST_F(Book, RefusesNumbersOfReplicasThatSurviveNoMore) {
  join_all(5);
  const protocol::Members before = book.as_told();
  for (const std::uint32_t asked : {0u, 2u, 4u, 6u, 7u}) {
    const base::Status done = ask_for(asked);
    ASSERT_FALSE(done.ok()) << asked;
    EXPECT_EQ(done.error().code, base::ErrorCode::bad_argument);
    EXPECT_FALSE(done.error().hint.empty());
  }
  EXPECT_EQ(book.as_told(), before);
}

TEST_F(Book, LetsATokenInOnceAndNotAfterItExpired) {
  make_token(1);
  make_token(2);
  EXPECT_EQ(join(1, token(3), 10).error().code, base::ErrorCode::denied);
  EXPECT_TRUE(join(1, token(1), 10).ok());
  EXPECT_EQ(join(2, token(1), 11).error().code, base::ErrorCode::denied);
  EXPECT_EQ(join(2, token(2), 1000).error().code, base::ErrorCode::denied);
}

TEST_F(Book, TellsAllNodesWhichTokensAreGood) {
  const std::uint64_t before = book.version();
  make_token(1);
  EXPECT_GT(book.version(), before);
  EXPECT_THAT(book.as_told().tokens, SizeIs(1));
  EXPECT_TRUE(join(1, token(1), 10).ok());
  EXPECT_THAT(book.as_told().tokens, SizeIs(0));
}

TEST_F(Book, AnswersARepeatedJoinWithTheSamePlaceThoughItsTokenIsUsed) {
  make_token(1);
  const base::NodeId first = join(1, token(1), 10).value().info.node;
  const auto again = join(1, token(1), 20);
  EXPECT_TRUE(again.value().repeated);
  EXPECT_EQ(again.value().info.node, first);
}

TEST_F(Book, RefusesAKeyThatAnotherMemberHas) {
  join_all(1);
  protocol::MemberRecord twin{request(9, root), {{}, "n9", "127.0.0.1:7609"}};
  twin.info.key = "key 1";
  EXPECT_EQ(book.add(twin, {9}).error().code, base::ErrorCode::conflict);
}

TEST_F(Book, GivesADrainingNodeNoReplicaAndTakesItBack) {
  join_all(4);
  ASSERT_TRUE(put(1, MemberState::draining).ok());
  EXPECT_FALSE(keepers_of_all().contains({1}));
  ASSERT_TRUE(put(1, MemberState::active).ok());
  EXPECT_TRUE(keepers_of_all().contains({1}));
}

TEST_F(Book, RemovesForGoodAndGivesTheNameButNotTheIdAgain) {
  join_all(2);
  ASSERT_TRUE(put(2, MemberState::removed).ok());
  EXPECT_EQ(put(2, MemberState::active).error().code, base::ErrorCode::conflict);
  protocol::MemberRecord again{request(9, root), {{}, "n2", "127.0.0.1:7602"}};
  EXPECT_EQ(book.add(again, {9}).value().info.node, base::NodeId{3});
}

TEST_F(Book, KeepsTheLastActiveNode) {
  join_all(2);
  ASSERT_TRUE(put(2, MemberState::draining).ok());
  EXPECT_EQ(put(1, MemberState::draining).error().code, base::ErrorCode::conflict);
  EXPECT_EQ(put(1, MemberState::removed).error().code, base::ErrorCode::conflict);
}

TEST_F(Book, NeverLetsARevokedClientInAgain) {
  const auto set = [&](bool revoked, const std::string& key) {
    return book.set({request(60, root), {"alice", key, revoked}}, {++index});
  };
  EXPECT_TRUE(set(false, "k1").ok());
  EXPECT_EQ(set(false, "k2").error().code, base::ErrorCode::name_taken);
  EXPECT_TRUE(set(true, "k1").ok());
  EXPECT_EQ(set(false, "k1").error().code, base::ErrorCode::name_taken);
  EXPECT_TRUE(book.as_told().clients.at(0).revoked);
}

TEST_F(Book, IsTheSameAfterASnapshot) {
  make_token(1);
  join_all(2);
  ASSERT_TRUE(book.set({request(60, root), {"alice", "k1", false}}, {++index}).ok());
  ASSERT_TRUE(put(2, MemberState::draining).ok());
  ASSERT_TRUE(ask_for(5).ok());
  protocol::LedgerImage image;
  book.put_into(image);
  MemberBook restored(shards);
  restored.restore(image);
  EXPECT_EQ(restored.as_told(), book.as_told());
  EXPECT_TRUE(restored.has_token(token(1), 999));
  EXPECT_EQ(restored.replicas(), 5u);
}

// --- the plan ------------------------------------------------------------------------------------

using Plan = std::vector<protocol::ShardPlan>;

std::vector<base::NodeId> nodes(std::uint32_t count) {
  std::vector<base::NodeId> all;
  for (std::uint32_t node = 1; node <= count; ++node) {
    all.push_back({node});
  }
  return all;
}

std::pair<std::size_t, std::size_t> least_and_most(const std::map<base::NodeId, std::size_t>& of) {
  std::size_t least = SIZE_MAX;
  std::size_t most = 0;
  for (const auto& [node, count] : of) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  return {least, most};
}

std::size_t moved(const Plan& before, const Plan& after) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    for (const base::NodeId node : after[i].replicas) {
      const auto& old = before[i].replicas;
      count += std::find(old.begin(), old.end(), node) == old.end() ? 1 : 0;
    }
  }
  return count;
}

void expect_sound(const Plan& plan, const std::vector<base::NodeId>& among,
                  std::uint32_t replicas = replicas_wanted) {
  std::map<base::NodeId, std::size_t> loads;
  for (const base::NodeId node : among) {
    loads[node] = 0;
  }
  for (const protocol::ShardPlan& shard : plan) {
    const std::set<base::NodeId> different(shard.replicas.begin(), shard.replicas.end());
    EXPECT_EQ(different.size(), std::min<std::size_t>(replicas, among.size()));
    EXPECT_EQ(different.size(), shard.replicas.size());
    for (const base::NodeId node : shard.replicas) {
      ASSERT_TRUE(loads.contains(node));
      ++loads[node];
    }
  }
  const auto [least, most] = least_and_most(loads);
  EXPECT_LE(most, least + 1);
}

TEST(ReplicaPlan, SpreadsReplicasAndLeadershipsEvenly) {
  for (const std::uint32_t count : {1u, 2u, 3u, 5u, 8u, 16u}) {
    const Plan plan = plan_replicas({}, nodes(count), 16);
    expect_sound(plan, nodes(count));
    std::map<base::NodeId, std::size_t> leads;
    for (const base::NodeId node : nodes(count)) {
      leads[node] = 0;
    }
    for (const protocol::ShardPlan& shard : plan) {
      ++leads[shard.replicas.front()];
    }
    const auto [least, most] = least_and_most(leads);
    EXPECT_LE(most, least + 2) << count << " nodes";
  }
}

TEST(ReplicaPlan, MovesNoMoreThanANewNodesShare) {
  Plan plan = plan_replicas({}, nodes(3), 16);
  for (std::uint32_t count = 4; count <= 10; ++count) {
    Plan next = plan_replicas(plan, nodes(count), 16);
    EXPECT_LE(moved(plan, next), 16 * replicas_wanted / count + 1);
    plan = std::move(next);
  }
}

TEST(ReplicaPlan, MovesNothingWhereNothingChanged) {
  const Plan plan = plan_replicas({}, nodes(5), 16);
  EXPECT_EQ(plan_replicas(plan, nodes(5), 16), plan);
}

class ReplicaPlanOf : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Replicas, ReplicaPlanOf, ::testing::Values(1, 3, 5));

TEST_P(ReplicaPlanOf, StaysSoundWhileNodesComeAndGo) {
  base::Random random(7);
  std::set<base::NodeId> there{{1}};
  Plan plan;
  for (std::uint32_t step = 0; step < 300; ++step) {
    const base::NodeId node{1 + static_cast<std::uint32_t>(random.below(12))};
    if (!there.insert(node).second && there.size() > 1) {
      there.erase(node);
    }
    const std::vector<base::NodeId> among(there.begin(), there.end());
    plan = plan_replicas(plan, among, shards, GetParam());
    expect_sound(plan, among, GetParam());
  }
}

}  // namespace
}  // namespace fastgpu::ledger::testing
