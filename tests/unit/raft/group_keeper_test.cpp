/// What a keeper of members does, and what it leaves alone, one rule at a time; then any group, any
/// plan and any trouble, in which it must neither lose the majority nor stop half-way.

#include "runtime/raft/keeper/group_keeper.hpp"

#include <gmock/gmock.h>

#include <bit>

#include "tests/unit/raft/keeper_bench.hpp"

namespace fastgpu::raft::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

KeeperEffect change(MemberChange what, std::uint32_t node) {
  const bool added = what == MemberChange::add_learner;
  return KeeperChange{what, {node}, added ? KeeperBench::first_store(node) : StoreId{}};
}

/// Three voters that answer, led by 1.
KeeperBench three() {
  KeeperBench group({KeeperBench::voter(1), KeeperBench::voter(2), KeeperBench::voter(3)}, 1);
  group.sight.near = {{1}, {2}, {3}};
  group.sight.told = group.sight.near;
  return group;
}

TEST(GroupKeeper, DoesNothingWhileThereIsNoPlan) {
  KeeperBench group = three();
  EXPECT_EQ(group.look(), KeeperEffects{});
  EXPECT_EQ(group.keeper().next_deadline(), std::nullopt);
}

TEST(GroupKeeper, LeavesAGroupAloneThatIsAsIntended) {
  KeeperBench group = three();
  group.plan({1, 2, 3});
  EXPECT_EQ(group.look(), KeeperEffects{});
  EXPECT_EQ(group.keeper().next_deadline(), std::nullopt) << "it costs nothing while idle";
  EXPECT_EQ(group.keeper().waits_for(), "");
}

TEST(GroupKeeper, DoesNothingWhereItDoesNotLead) {
  KeeperBench group = three();
  group.plan({4, 5, 6});
  group.sight.leads = false;
  EXPECT_EQ(group.keeper().step(group.sight, group.now), KeeperEffects{});
}

TEST(GroupKeeper, ReplacesAMemberStepByStep) {
  KeeperBench group = three();
  group.plan({1, 2, 4});
  group.run();
  EXPECT_THAT(group.done,
              ElementsAre(change(MemberChange::add_learner, 4), change(MemberChange::promote, 4),
                          change(MemberChange::demote, 3), change(MemberChange::remove, 3)));
  EXPECT_EQ(group.members(), "1 2 4");
  EXPECT_THAT(group.said.back(), HasSubstr("as it is intended"));
}

TEST(GroupKeeper, WaitsForALearnerToCatchUpAndSaysSo) {
  KeeperBench group = three();
  group.plan({1, 2, 4});
  group.apply(*group.act());
  group.sight.near.erase({4});
  group.run_for(2s);
  EXPECT_EQ(group.members(), "1 2 3 4?");
  EXPECT_EQ(group.keeper().waits_for(), "n4 to catch up");
  EXPECT_THAT(group.said, Contains(HasSubstr("n4 to catch up")).Times(1)) << "said once";
  group.sight.near.insert({4});
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 4");
}

TEST(GroupKeeper, RemindsOfAWaitThatLasts) {
  KeeperBench group = three();
  group.die(4);
  group.plan({1, 2, 4});
  group.run_for(100s);
  EXPECT_EQ(group.keeper().waits_for(), "n4 to be up");
  EXPECT_THAT(group.said, Contains(HasSubstr("n4 to be up")).Times(4));
}

TEST(GroupKeeper, TriesAgainAfterARefusal) {
  KeeperBench group = three();
  group.plan({1, 2, 4});
  group.apply(*group.act());
  ASSERT_EQ(group.act(), change(MemberChange::promote, 4));
  group.keeper().step(KeeperRefused{Refusal::not_caught_up}, group.now);
  EXPECT_EQ(group.act(), std::nullopt) << "not at once";
  group.now = group.keeper().next_deadline().value();
  EXPECT_EQ(group.act(), change(MemberChange::promote, 4));
}

TEST(GroupKeeper, WaitsWhileAChangeIsNotCommitted) {
  KeeperBench group = three();
  group.plan({1, 2, 4});
  group.apply(*group.act());
  group.sight.changing = true;
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 3 4?");
  EXPECT_EQ(group.keeper().waits_for(), "") << "that is how it goes";
  group.run_for(3s);
  EXPECT_EQ(group.keeper().waits_for(), "the last change of members to be on enough disks");
}

TEST(GroupKeeper, TakesNoVoteBeforeAllIntendedVote) {
  KeeperBench group = three();
  group.die(5);
  group.plan({1, 4, 5});
  group.run_for(60s);
  EXPECT_EQ(group.members(), "1 2 3 4");
  group.sight.up.insert({5});
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 4 5");
}

TEST(GroupKeeper, TakesNoVoteByAPlanThatHasJustCome) {
  KeeperBench group = three();
  group.plan({1});
  group.now -= 1s;
  EXPECT_EQ(group.act(), std::nullopt) << "the cluster may be told of its members one by one";
  EXPECT_EQ(group.keeper().waits_for(), "the plan to stand for a moment");
  group.plan({1, 2, 3});
  group.run_for(5s);
  EXPECT_EQ(group.members(), "1 2 3");
  EXPECT_TRUE(group.done.empty());
}

TEST(GroupKeeper, TakesTheVotesOfTheDeadFirst) {
  KeeperBench group = three();
  group.plan({1, 4, 5});
  group.die(3);
  group.run();
  EXPECT_THAT(
      group.done,
      ElementsAre(change(MemberChange::add_learner, 4), change(MemberChange::add_learner, 5),
                  change(MemberChange::promote, 4), change(MemberChange::promote, 5),
                  change(MemberChange::demote, 3), change(MemberChange::demote, 2),
                  change(MemberChange::remove, 2), change(MemberChange::remove, 3)));
}

TEST(GroupKeeper, KeepsAVoteThatTheRestNeeds) {
  KeeperBench group = three();
  group.die(2);
  group.plan({1, 2});  // two: 1 is to vote alone
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2?") << "the dead one first, then the other is not needed";
  KeeperBench other(
      {KeeperBench::voter(1), KeeperBench::voter(2), KeeperBench::voter(3), KeeperBench::voter(4)},
      1);
  other.sight.near = {{1}, {3}, {4}};
  other.die(2);
  other.plan({1, 2, 3});
  other.run_for(1s);
  EXPECT_EQ(other.members(), "1 2 3") << "two of three answer";
  KeeperBench last = three();
  last.die(2);
  last.plan({2});
  last.run_for(60s);
  EXPECT_EQ(last.members(), "1 2 3") << "2 alone would be nobody";
  EXPECT_THAT(last.keeper().waits_for(), HasSubstr("before n3 may go"));
}

TEST(GroupKeeper, ALearnerVotesOnceItKnowsAllVotersAndMostOfThemKnowIt) {
  KeeperBench group = three();
  group.forget(1, 4);
  group.forget(2, 4);
  group.forget(4, 3);
  group.plan({1, 2, 4});
  group.run_for(2s);
  EXPECT_EQ(group.members(), "1 2 3 4?");
  EXPECT_EQ(group.keeper().waits_for(), "n4 and the voters to know each other");
  group.learn(2, 4);
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 3 4?") << "it does not know all";
  group.learn(4, 3);
  group.run();
  EXPECT_EQ(group.members(), "1 2 3 4") << "two of three know it";
  group.forget(2, 4);
  group.learn(1, 4);
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 3 4") << "but all that stay must, before one of four goes";
  EXPECT_THAT(group.keeper().waits_for(), HasSubstr("to know each other, before n3 may go"));
  group.learn(2, 4);
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 4");
}

TEST(GroupKeeper, WhoDiedUnacquaintedIsReplacedAllTheSame) {
  KeeperBench group = three();
  group.die(3);
  group.forget(3, 4);
  group.forget(3, 5);
  group.plan({1, 4, 5});
  group.run();
  EXPECT_THAT(
      group.done,
      ElementsAre(change(MemberChange::add_learner, 4), change(MemberChange::add_learner, 5),
                  change(MemberChange::promote, 4), change(MemberChange::demote, 3),
                  change(MemberChange::promote, 5), change(MemberChange::demote, 2),
                  change(MemberChange::remove, 2), change(MemberChange::remove, 3)))
      << "before the fifth voter comes it has to go: those two could not find each other";
}

TEST(GroupKeeper, TwoVotersAreJoinedByAThirdThatBothKnow) {
  KeeperBench group({KeeperBench::voter(1), KeeperBench::voter(2)}, 1);
  group.sight.near.insert({2});
  group.forget(2, 3);
  group.plan({1, 2, 3});
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 3?");
  group.learn(2, 3);
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 3");
}

TEST(GroupKeeper, OfTwoTheSecondLearnsOnly) {
  KeeperBench group({KeeperBench::voter(1)}, 1);
  group.plan({1, 2});
  group.run_for(10s);
  EXPECT_EQ(group.members(), "1 2?");
  KeeperBench fewer = three();
  fewer.plan({1, 2});
  fewer.run_for(10s);
  EXPECT_EQ(fewer.members(), "1 2?");
  KeeperBench one = three();
  one.plan({1});
  one.run_for(10s);
  EXPECT_EQ(one.members(), "1");
}

TEST(GroupKeeper, ALoneVoterIsJoinedByTwoAtATime) {
  KeeperBench group({KeeperBench::voter(1)}, 1);
  group.plan({1, 2, 3});
  group.apply(*group.act());
  group.apply(*group.act());
  group.sight.near.erase({3});
  group.run_for(10s);
  EXPECT_EQ(group.members(), "1 2? 3?");
  EXPECT_EQ(group.keeper().waits_for(), "a third replica, since two voters survive nothing");
  group.sight.near.insert({3});
  group.forget(2, 3);
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2? 3?") << "the third could not follow";
  group.learn(2, 3);
  group.run_for(1s);
  EXPECT_EQ(group.members(), "1 2 3");
}

TEST(GroupKeeper, AMemberWithAnotherDiskGoesAndComesAnew) {
  KeeperBench group = three();
  group.sight.near.erase({3});
  Plan plan{{{1}, {101}}, {{2}, {102}}, {{3}, {777}}};
  group.plan_for(plan);
  group.run();
  EXPECT_THAT(group.done,
              ElementsAre(change(MemberChange::remove, 3),
                          KeeperEffect(KeeperChange{MemberChange::add_learner, {3}, {777}}),
                          change(MemberChange::promote, 3)));
  EXPECT_EQ(group.sight.members.find({3})->store, StoreId{777});
}

TEST(GroupKeeper, AReplicaWithoutAKnownDiskIsNotAdded) {
  KeeperBench group = three();
  group.plan_for(Plan{{{1}, {}}, {{2}, {}}, {{3}, {}}, {{4}, {}}});
  group.run_for(10s);
  EXPECT_EQ(group.members(), "1 2 3");
  EXPECT_EQ(group.keeper().waits_for(), "n4 to be up");
}

TEST(GroupKeeper, ALeaderThatMustGoHandsOverFirst) {
  KeeperBench group = three();
  group.plan({2, 3, 4});
  group.run();
  EXPECT_EQ(group.leader, base::NodeId{2});
  EXPECT_EQ(group.handovers(), 1u);
  EXPECT_EQ(group.members(), "2 3 4") << "its successor went on";
}

TEST(GroupKeeper, ALeaderThatMustGoStaysWhileNobodyCanLead) {
  KeeperBench group = three();
  group.plan({2});
  group.die(2);
  group.run_for(60s);
  EXPECT_EQ(group.leader, base::NodeId{1});
  KeeperBench lone({KeeperBench::voter(1), KeeperBench::voter(2)}, 1);
  lone.plan({2});
  lone.run_for(60s);
  EXPECT_EQ(lone.keeper().waits_for(), "a voter that answers, to lead in place of this replica");
}

TEST(GroupKeeper, ALearnerHearsThatItHasNoVoteBeforeItGoes) {
  KeeperBench group = three();
  group.plan({1, 2, 4});
  group.run_for(0s);
  KeeperBench slow = three();
  slow.plan({1, 2, 4});
  while (slow.members() != "1 2 3? 4") {
    slow.apply(*slow.act());
  }
  slow.sight.told.erase({3});
  slow.run_for(1s);
  EXPECT_EQ(slow.members(), "1 2 3? 4");
  EXPECT_EQ(slow.keeper().waits_for(), "n3 to hear that it votes no more");
  slow.run_for(5s);
  EXPECT_EQ(slow.members(), "1 2 4") << "it had its time";
}

TEST(GroupKeeper, TheFirstOfThePlanLeadsOnceItHasStayedForAWhile) {
  KeeperBench group = three();
  group.plan({2, 1, 3});
  group.run_for(2s);
  EXPECT_EQ(group.handovers(), 0u);
  group.die(2);
  group.run_for(2s);
  group.sight.up.insert({2});
  group.sight.near.insert({2});
  group.run_for(2500ms);
  EXPECT_EQ(group.handovers(), 0u) << "its time began anew";
  group.run_for(1s);
  EXPECT_EQ(group.handovers(), 1u);
  EXPECT_EQ(group.leader, base::NodeId{2});
}

TEST(GroupKeeper, AHandoverInVainIsTriedAgainLaterEachTime) {
  KeeperBench group = three();
  group.plan({2, 1, 3});
  std::vector<base::Duration> pauses;
  base::Time last = group.now;
  while (pauses.size() < 12) {
    const auto effect = group.act();
    if (effect) {
      ASSERT_EQ(*effect, KeeperEffect(KeeperHandOver{{2}}));
      pauses.push_back(group.now - last);
      last = group.now;  // and it does not come about
    }
    group.now = std::max(group.now, group.keeper().next_deadline().value());
  }
  for (std::size_t i = 2; i < pauses.size(); ++i) {
    EXPECT_GE(pauses[i] + 500ms, std::min<base::Duration>(2 * pauses[i - 1], 5min)) << i;
    EXPECT_LE(pauses[i], 5min + 1s);
  }
}

TEST(GroupKeeper, ALeadershipThatComesBackCountsAsAHandoverInVain) {
  KeeperBench group = three();
  group.plan({2, 1, 3});
  std::vector<base::Time> handed;
  for (int i = 0; i < 5; ++i) {
    while (group.leader.value == 1) {
      if (group.handovers() > handed.size()) {
        break;
      }
      group.run_for(250ms);
    }
    handed.push_back(group.now);
    group.die(2);
    group.lead({1});
    group.sight.up.insert({2});
    group.sight.near.insert({2});
  }
  EXPECT_GT(handed[4] - handed[3], 2 * (handed[2] - handed[1]));
}

// --- any group, any plan, any trouble ------------------------------------------------------------

/// What is answered to whatever the keeper asks for.
class Trouble {
 public:
  explicit Trouble(std::uint64_t seed) : random_(seed), bench_(draw_members(), 1) {
    for (const Member& one : bench_.sight.members.members) {
      if (one.voter) {
        bench_.leader = one.node;
      }
      if (random_.chance(850'000)) {
        bench_.sight.near.insert(one.node);
      }
    }
    bench_.plan_for(draw_plan());
    for (std::uint32_t node = 1; node <= 9; ++node) {
      if (random_.chance(250'000) && !intends(node) && node != bench_.leader.value) {
        bench_.die(node);
      }
    }
    bench_.sight.near.insert(bench_.leader);
    revive_a_majority();
    forget_strangers();
  }

  void run() {
    for (int i = 0; i < 400; ++i) {
      disturb();
      one_step();
    }
    // Peace: who is intended is up and follows.
    for (const Intended& intended : bench_.planned) {
      bench_.sight.up.insert(intended.node);
    }
    for (int i = 0; i < 2000 && !done(); ++i) {
      catch_up(1'000'000);
      hear_of_acquaintance(1'000'000);
      one_step(0);
      bench_.now += 250ms;
    }
    EXPECT_TRUE(done()) << bench_.members() << " led by " << bench_.leader.value << ", waits for "
                        << bench_.keeper().waits_for();
  }

 private:
  std::vector<Member> draw_members() {
    std::vector<Member> members;
    for (std::uint32_t node = 1; node <= 9; ++node) {
      if (random_.chance(450'000)) {
        members.push_back(random_.chance(750'000) ? KeeperBench::voter(node)
                                                  : KeeperBench::learner(node));
      }
    }
    if (std::none_of(members.begin(), members.end(), [](const auto& one) { return one.voter; })) {
      members = {KeeperBench::voter(5)};
    }
    return members;
  }
  Plan draw_plan() {
    std::vector<std::uint32_t> nodes{1, 2, 3, 4, 5, 6, 7, 8, 9};
    Plan plan;
    for (std::size_t size = 1 + random_.below(5); plan.size() < size;) {
      const auto at = nodes.begin() + static_cast<std::ptrdiff_t>(random_.below(nodes.size()));
      if (random_.chance(100'000)) {
        lose_disk(*at);
      }
      plan.push_back({{*at}, store_of(*at)});
      nodes.erase(at);
    }
    return plan;
  }
  /// If the group can do without it.
  void lose_disk(std::uint32_t node) {
    const GroupSight before = bench_.sight;
    bench_.die(node);
    if (bench_.leader.value == node || !has_majority(bench_)) {
      bench_.sight = before;
      return;
    }
    bench_.sight.up.insert({node});
    ++disks_lost_[node];
    on_disk_[{node}] = {{node}};
    bench_.sight.known.erase({node});
  }
  StoreId store_of(std::uint32_t node) {
    return {KeeperBench::first_store(node).value + 1000 * disks_lost_[node]};
  }
  bool intends(std::uint32_t node) const {
    return std::any_of(bench_.planned.begin(), bench_.planned.end(),
                       [&](const Intended& one) { return one.node.value == node; });
  }
  static bool has_majority(const KeeperBench& bench) {
    std::size_t answering = 0;
    for (const Member& one : bench.sight.members.members) {
      answering += one.voter && bench.sight.near.contains(one.node) ? 1 : 0;
    }
    return answering >= bench.sight.members.majority();
  }
  /// Else nobody would lead, and nothing could be asked for.
  void revive_a_majority() {
    for (const Member& one : bench_.sight.members.members) {
      if (one.voter && !has_majority(bench_)) {
        bench_.sight.up.insert(one.node);
        bench_.sight.near.insert(one.node);
      }
    }
  }
  /// Who is up follows sooner or later.
  void catch_up(std::uint32_t ppm) {
    for (const Member& one : bench_.sight.members.members) {
      if (bench_.sight.up.contains(one.node) && one.store == store_of(one.node.value) &&
          random_.chance(ppm)) {
        bench_.sight.near.insert(one.node);
        bench_.sight.told.insert(one.node);
      }
    }
  }
  /// The members know each other, and nobody else knows or is known to anybody.
  void forget_strangers() {
    bench_.sight.known.clear();
    for (const Member& one : bench_.sight.members.members) {
      for (const Member& other : bench_.sight.members.members) {
        on_disk_[one.node].insert(other.node);
      }
    }
  }
  /// Who is up gets the list of all, sooner or later, and the leader hears of it.
  void hear_of_acquaintance(std::uint32_t ppm) {
    for (std::uint32_t node = 1; node <= 9; ++node) {
      if (!bench_.sight.up.contains({node})) {
        continue;
      }
      for (std::uint32_t other = 1; other <= 9 && random_.chance(ppm); ++other) {
        on_disk_[{node}].insert({other});
      }
      if (random_.chance(ppm)) {
        bench_.sight.known[{node}] = on_disk_[{node}];
      }
    }
  }
  bool know_each_other(base::NodeId one, base::NodeId other) {
    return on_disk_[one].contains(other) && on_disk_[other].contains(one);
  }
  /// Whichever majority of the voters restarts, they are one circle of acquaintances. Who has lost
  /// its disk is a voter that never comes back.
  bool any_majority_meets() {
    std::vector<base::NodeId> voters;
    for (const Member& one : bench_.sight.members.members) {
      if (one.voter && one.store == store_of(one.node.value)) {
        voters.push_back(one.node);
      }
    }
    for (std::uint32_t some = 1; some < 1u << voters.size(); ++some) {
      if (static_cast<std::size_t>(std::popcount(some)) == bench_.sight.members.majority() &&
          met(voters, some) != some) {
        return false;
      }
    }
    return true;
  }
  /// Of `some` of the voters, those whom the first of them comes to know.
  std::uint32_t met(const std::vector<base::NodeId>& voters, std::uint32_t some) {
    std::uint32_t met = some & -some;
    for (std::uint32_t before = 0; before != met;) {
      before = met;
      for (std::size_t i = 0; i < voters.size(); ++i) {
        for (std::size_t j = 0; j < voters.size(); ++j) {
          if ((met >> i & 1) != 0 && (some >> j & 1) != 0 &&
              know_each_other(voters[i], voters[j])) {
            met |= 1u << j;
          }
        }
      }
    }
    return met;
  }
  void disturb() {
    const auto victim = static_cast<std::uint32_t>(1 + random_.below(9));
    if (random_.chance(150'000) && victim != bench_.leader.value) {
      const auto before = bench_.sight;
      bench_.die(victim);
      if (!has_majority(bench_)) {
        bench_.sight = before;
      }
    }
    if (random_.chance(150'000)) {
      bench_.sight.up.insert({victim});
    }
    if (random_.chance(30'000)) {
      bench_.plan_for(draw_plan());
    }
    bench_.sight.changing = random_.chance(100'000);
    catch_up(400'000);
    hear_of_acquaintance(200'000);
    if (random_.chance(50'000)) {
      bench_.sight.known.clear();  // the leader's node restarts, and has to hear it anew
    }
    bench_.now += base::Duration{static_cast<std::int64_t>(random_.below(2'000'000'000))};
  }
  void one_step(std::uint32_t refused_ppm = 300'000) {
    bench_.sight.changing = refused_ppm > 0 && bench_.sight.changing;
    const auto effect = bench_.act();
    if (!effect) {
      return;
    }
    EXPECT_FALSE(bench_.sight.changing) << "one change at a time";
    if (random_.chance(refused_ppm)) {
      const Refusal why = static_cast<Refusal>(random_.below(7));
      bench_.keeper().step(KeeperRefused{why}, bench_.now);
      return;
    }
    if (const auto* order = std::get_if<KeeperHandOver>(&*effect)) {
      const Member* heir = bench_.sight.members.find(order->to);
      EXPECT_TRUE(heir != nullptr && heir->voter && bench_.sight.near.contains(heir->node));
      if (random_.chance(refused_ppm)) {
        return;  // in vain
      }
    }
    const std::string before = bench_.members();
    bench_.apply(*effect);
    EXPECT_TRUE(has_majority(bench_)) << before << " became " << bench_.members();
    EXPECT_TRUE(any_majority_meets()) << before << " became " << bench_.members();
    EXPECT_NE(bench_.sight.members.find(bench_.leader), nullptr) << "the leader left";
    EXPECT_GT(bench_.sight.members.voters(), 0u);
  }
  bool done() const {
    const auto& members = bench_.sight.members.members;
    return members.size() == bench_.planned.size() && bench_.leader == bench_.planned[0].node &&
           std::all_of(members.begin(), members.end(), [this](const Member& one) {
             const auto at = std::find(bench_.planned.begin(), bench_.planned.end(),
                                       Intended{one.node, one.store});
             const bool votes = bench_.planned.size() != 2 || at == bench_.planned.begin();
             return at != bench_.planned.end() && one.voter == votes;
           });
  }

  base::Random random_;
  std::map<std::uint32_t, std::uint64_t> disks_lost_;
  std::map<base::NodeId, std::set<base::NodeId>> on_disk_;  ///< whom each node knows
  KeeperBench bench_;
};

TEST(GroupKeeper, BringsAnyGroupToAnyPlanAndNeverLosesTheMajority) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Trouble(seed).run();
    if (::testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace fastgpu::raft::testing
