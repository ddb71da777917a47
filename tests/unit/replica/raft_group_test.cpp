/// Several RaftLogs that agree, in virtual time. What the machine beneath decides is tested in
/// tests/sim/raft; here it is the adapter: nothing is lost between machine, store and messages.

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>

#include "actors/replica/members_desk.hpp"
#include "tests/unit/replica/replica_group.hpp"

namespace fastgpu::actors::testing {
namespace {

using base::Admission;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

protocol::SharedMemberLists all_know_all(std::uint32_t nodes) {
  auto lists = std::make_shared<protocol::MemberLists>();
  for (std::uint32_t id = 1; id <= nodes; ++id) {
    lists->nodes[{id}] = {1, 1};
  }
  return lists;
}

std::uint32_t wait_for_leader(ReplicaGroup& group) {
  EXPECT_TRUE(group.run_until([&] { return group.leader().has_value(); }));
  return group.leader().value_or(0);
}

TEST(RaftGroup, ElectsALeaderAndGivesOutTheSameToAll) {
  ReplicaGroup group({});
  const std::uint32_t leader = wait_for_leader(group);
  ASSERT_EQ(group.propose(leader, "a"), Admission::accepted);
  ASSERT_EQ(group.propose(leader, "b"), Admission::accepted);
  ASSERT_TRUE(group.run_until([&] { return group.acknowledged().size() == 2; }));
  ASSERT_TRUE(group.settle());
  EXPECT_THAT(group.applied(1), ElementsAre("a", "b"));
  EXPECT_EQ(group.alarms(), 0u);
}

TEST(RaftGroup, GoesOnWhenItsLeaderDiesAndTakesItBack) {
  ReplicaGroup group({});
  const std::uint32_t first = wait_for_leader(group);
  ASSERT_EQ(group.propose(first, "a"), Admission::accepted);
  ASSERT_TRUE(group.run_until([&] { return group.acknowledged().size() == 1; }));
  group.crash(first);
  const base::Time died = group.now();
  const std::uint32_t second = wait_for_leader(group);
  EXPECT_NE(second, first);
  EXPECT_LT(group.now() - died, 2500ms);
  ASSERT_EQ(group.propose(second, "b"), Admission::accepted);
  group.start(first);
  ASSERT_TRUE(group.run_until([&] { return group.acknowledged().size() == 2; }));
  ASSERT_TRUE(group.settle());
  EXPECT_THAT(group.applied(first), ElementsAre("a", "b"));
}

TEST(RaftGroup, CommitsNothingWithoutAMajority) {
  ReplicaGroup group({});
  const std::uint32_t leader = wait_for_leader(group);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (id != leader) {
      group.crash(id);
    }
  }
  (void)group.propose(leader, "a");
  group.run_for(5s);
  EXPECT_THAT(group.acknowledged(), IsEmpty());
  EXPECT_EQ(group.leader(), std::nullopt) << "it has noticed that nobody follows";
}

TEST(RaftGroup, SaysThatAnOutcomeIsUnknownWhenItsLeaderIsCutOff) {
  ReplicaGroup group({});
  const std::uint32_t leader = wait_for_leader(group);
  group.isolate(leader);
  ASSERT_EQ(group.propose(leader, "a"), Admission::accepted);
  group.run_for(3s);
  const auto& events = group.events(leader);
  const auto unknown = std::find_if(events.begin(), events.end(), [](const auto& event) {
    return std::holds_alternative<base::LogOutcomeUnknown>(event);
  });
  ASSERT_NE(unknown, events.end());
  group.join_all();
  ASSERT_TRUE(group.settle());
  EXPECT_THAT(group.applied(leader), IsEmpty());
}

TEST(RaftGroup, ALeaderThatSleptAnswersNoReadFromItsOldState) {
  ReplicaGroup group({});
  const std::uint32_t old = wait_for_leader(group);
  group.freeze(old);
  ASSERT_TRUE(group.run_until([&] { return group.leader() && *group.leader() != old; }));
  ASSERT_EQ(group.propose(*group.leader(), "a"), Admission::accepted);
  ASSERT_TRUE(group.run_until([&] { return group.acknowledged().size() == 1; }));
  // Before it hears anything it is asked, and believes that it leads.
  const std::size_t before = group.events(old).size();
  ASSERT_EQ(group.log(old).read_index({777}), Admission::accepted);
  group.log(old).pump();
  group.thaw(old);
  ASSERT_TRUE(group.settle());
  bool unknown = false;
  for (std::size_t i = before; i < group.events(old).size(); ++i) {
    const base::LogEvent& event = group.events(old)[i];
    EXPECT_FALSE(std::holds_alternative<base::LogReadReady>(event));
    const auto* lost = std::get_if<base::LogOutcomeUnknown>(&event);
    unknown |= lost != nullptr && lost->token == base::LogToken{777};
  }
  EXPECT_TRUE(unknown) << "who asked is told";
}

TEST(RaftGroup, ItsMembersAreBroughtToThePlan) {
  GroupOptions options;
  options.nodes = 4;
  options.founders = 3;
  options.compact_after = 10;
  options.limits.entries_kept_behind_snapshot = 5;
  ReplicaGroup group(options);
  std::vector<std::string> lines;
  std::map<std::uint32_t, std::unique_ptr<MembersDesk>> desks;
  for (std::uint32_t id = 1; id <= 4; ++id) {
    desks[id] = std::make_unique<MembersDesk>(
        base::NodeId{id}, group.log(id), [&](const std::string& line) { lines.push_back(line); });
    desks[id]->see({{1}, {2}, {3}, {4}});
    desks[id]->hear(all_know_all(4));
    desks[id]->know({{{4}, {104}}, {{2}, {102}}, {{3}, {103}}}, group.now());
  }
  const std::uint32_t first = wait_for_leader(group);
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(group.propose(first, "c" + std::to_string(i)), Admission::accepted);
  }
  const auto as_planned = [&] {
    for (auto& [id, desk] : desks) {
      desk->look(group.now());
    }
    const auto& members = group.log(4).machine().log().active().members;
    return group.leader() == 4u && members.size() == 3 && members[0].node == base::NodeId{2};
  };
  ASSERT_TRUE(group.run_until(as_planned, 60s)) << lines.back();
  EXPECT_EQ(group.acknowledged().size(), 30u);
  EXPECT_EQ(group.applied(4), group.acknowledged());
  for (const base::LogEvent& event : group.events(first)) {
    EXPECT_FALSE(std::holds_alternative<base::LogOutcomeUnknown>(event))
        << "nobody hears of the log's own changes";
  }
  EXPECT_FALSE(group.log(1).next_deadline()) << "who left asks for no votes";
  EXPECT_THAT(lines, ::testing::Contains(::testing::HasSubstr("n4 has caught up -> it votes")));
}

TEST(RaftGroup, ReplacesWhatAReplicaMissedByASnapshotThatTheOthersKept) {
  GroupOptions options;
  options.compact_after = 10;
  options.limits.entries_kept_behind_snapshot = 5;
  ReplicaGroup group(options);
  const std::uint32_t leader = wait_for_leader(group);
  const std::uint32_t late = leader == 1 ? 2 : 1;
  group.isolate(late);
  for (int i = 0; i < 45; ++i) {
    ASSERT_EQ(group.propose(leader, "c" + std::to_string(i)), Admission::accepted);
  }
  ASSERT_TRUE(group.run_until([&] { return group.acknowledged().size() == 45; }));
  const std::uint64_t before = group.installs();
  group.join_all();
  ASSERT_TRUE(group.settle());
  EXPECT_EQ(group.applied(late).size(), 45u);
  EXPECT_GT(group.installs(), before);
}

/// Random crashes at any moment, of one or of all at once, and lost messages, with proposals to
/// whoever leads; then peace.
struct Story {
  std::vector<std::string> violations;
  std::size_t acknowledged{};
  std::uint64_t installs{};
  int crashes{0};
};

Story tell(std::uint64_t seed, store::MemoryStoreFaults faults) {
  base::Random random(seed);
  GroupOptions options;
  options.seed = random.next();
  options.loss_ppm = 30'000;
  options.compact_after = 7;
  options.limits.entries_kept_behind_snapshot = random.below(10);
  options.store.faults = faults;
  ReplicaGroup group(options);
  Story story;
  std::uint64_t next = 0;
  for (int i = 0; i < 60; ++i) {
    group.run_for(base::Duration{static_cast<std::int64_t>(random.below(300'000'000))});
    for (std::uint64_t n = random.below(4); n > 0 && group.leader(); --n) {
      (void)group.propose(*group.leader(), "c" + std::to_string(++next));
    }
    if (random.chance(200'000)) {
      group.run_for(base::Duration{static_cast<std::int64_t>(random.below(8'000'000))});
      story.crashes += group.crash_all();
      continue;
    }
    const auto victim = static_cast<std::uint32_t>(1 + random.below(3));
    if (!group.is_up(victim)) {
      group.start(victim);
    } else if (random.chance(400'000)) {
      group.crash(victim);
      ++story.crashes;
    }
  }
  group.set_loss_ppm(0);
  for (std::uint32_t id = 1; id <= 3; ++id) {
    if (!group.is_up(id)) {
      group.start(id);
    }
  }
  story.violations = group.violations();
  if (!group.settle()) {
    story.violations.push_back("the replicas do not agree in peace");
  }
  for (const std::string& command : group.acknowledged()) {
    if (std::count(group.applied(1).begin(), group.applied(1).end(), command) != 1) {
      story.violations.push_back(command + " was acknowledged and is not there once");
    }
  }
  story.acknowledged = group.acknowledged().size();
  story.installs = group.installs();
  return story;
}

TEST(RaftGroup, LosesNothingThatItAcknowledgedOverRandomCrashes) {
  std::size_t acknowledged = 0;
  std::uint64_t installs = 0;
  int crashes = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const Story story = tell(seed, {});
    ASSERT_THAT(story.violations, IsEmpty()) << "seed " << seed;
    acknowledged += story.acknowledged;
    installs += story.installs;
    crashes += story.crashes;
  }
  EXPECT_GT(acknowledged, 1000u);
  EXPECT_GT(installs, 60u);
  EXPECT_GT(crashes, 600);
}

TEST(RaftGroup, LosesWhatItAcknowledgedWhenTheStoresLie) {
  // The run's own judge sees it, or a replica that finds a committed entry gone ends itself first.
  const auto until_noticed = [] {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      if (!tell(seed, {.lie_about_durability = true}).violations.empty()) {
        std::fputs("the judge saw it\n", stderr);
        std::abort();
      }
    }
  };
  EXPECT_DEATH(until_noticed(), "the judge saw it|a leader without all committed entries");
}

}  // namespace
}  // namespace fastgpu::actors::testing
