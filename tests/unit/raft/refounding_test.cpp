#include "runtime/raft/recovery/refounding.hpp"

#include "tests/unit/raft/raft_bench.hpp"

namespace fastgpu::raft::testing {
namespace {

/// The log of node 1 of a group of three, of epoch 1: three commands that may be committed or not.
class RaftRefounding : public RaftBench {
 protected:
  RaftRefounding() {
    Configuration members;
    for (std::uint32_t node = 1; node <= 3; ++node) {
      members.members.push_back({{node}, store_of(node), true});
    }
    StoredState empty;
    empty.store = store_of(1);
    state = founded(empty, {1}, members).value();
    state.hard = {{4}, base::NodeId{2}};
    for (int i = 0; i < 3; ++i) {
      Entry entry;
      entry.index = {state.last().index.value + 1};
      entry.term = {3};
      entry.kind = EntryKind::command;
      entry.data = base::Bytes::copy_of("command");
      entry.chain = chain_after(state.entries.back().chain, entry);
      state.entries.push_back(entry);
    }
  }
  static base::Bytes image() { return base::Bytes::copy_of("all that they did"); }
  void refound() { apply(state, refounding(state, {1}, {1}, image()).value()); }
  /// Starts on what is stored.
  void start(std::uint64_t epoch) {
    RaftOptions options;
    options.self = {1};
    options.store = state.store;
    options.epoch = {epoch};
    machine = RaftMachine::open(options, state).value();
    step(Started{});
  }
  /// From node `from` in that epoch.
  void hear(std::uint32_t from, std::uint64_t epoch, std::uint64_t term, Body body) {
    step(Received{{{from}, store_of(from), {1}, state.store, {epoch}, {term}, std::move(body)}});
  }
  std::vector<AlarmKind> alarms() {
    std::vector<AlarmKind> kinds;
    for (const Alarm& alarm : take<Alarm>()) {
      kinds.push_back(alarm.kind);
    }
    return kinds;
  }

  StoredState state;
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(RaftRefounding, MakesThisReplicaTheOnlyVoterOfALaterEpoch) {
  const Persist persist = refounding(state, {1}, {1}, image()).value();
  EXPECT_GT(*persist.epoch, base::Epoch{1});
  apply(state, persist);
  ASSERT_TRUE(checked(state).ok());
  EXPECT_EQ(members_in(state), (Configuration{{{{1}, store_of(1), true}}}));
  EXPECT_TRUE(votes_alone(state, {1}));
  EXPECT_GT(state.hard.term, base::Term{4}) << "no vote of before counts";
  EXPECT_EQ(state.hard.vote, std::nullopt);
}

TEST_F(RaftRefounding, TakesAllOfTheLogForCommittedAndGoesOnFarBehindIt) {
  const base::LogIndex index = refounding_index(state);
  EXPECT_GT(index.value, state.last().index.value + 1'000'000);
  refound();
  EXPECT_TRUE(state.entries.empty());
  EXPECT_EQ(state.snapshot.last.index, index);
  EXPECT_EQ(state.snapshot.data.text(), "all that they did");
}

TEST_F(RaftRefounding, LeadsAtOnceInTheLaterEpochAfterItsStart) {
  refound();
  start(2);
  ASSERT_THAT(take<Restored>(), ::testing::SizeIs(1));
  now = *machine->next_deadline();
  step(Tick{});
  sync();
  sync();
  const auto leading = take<Leading>();
  ASSERT_EQ(leading.size(), 1u);
  EXPECT_EQ(leading[0].epoch, base::Epoch{2});
  EXPECT_THAT(take<Send>(), IsEmpty()) << "it knows nobody else";
}

TEST_F(RaftRefounding, IsNotDoneTwice) {
  refound();
  const auto again = refounding(state, {2}, {1}, image());
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, base::ErrorCode::conflict);
}

TEST_F(RaftRefounding, RefusesAStoreThatHoldsNothingOfTheGroup) {
  StoredState pristine;
  pristine.store = store_of(1);
  EXPECT_EQ(refounding(pristine, {1}, {1}, image()).error().code, base::ErrorCode::not_found);
  pristine.hard.term = {7};
  EXPECT_EQ(refounding(pristine, {1}, {1}, image()).error().code, base::ErrorCode::not_found)
      << "a term alone is no log";
}

TEST_F(RaftRefounding, OnTwoNodesByMistakeGivesTwoEpochs) {
  const Persist one = refounding(state, {1}, {1}, image()).value();
  const Persist other = refounding(state, {1}, {3}, image()).value();
  EXPECT_NE(*one.epoch, *other.epoch);
}

TEST_F(RaftRefounding, CanGoOnFromALearner) {
  StoredState learner = state;
  Entry& members = learner.entries.front();
  members.configuration.members[0].voter = false;
  Chain chain;
  for (Entry& entry : learner.entries) {
    chain = entry.chain = chain_after(chain, entry);
  }
  const auto persist = refounding(learner, {1}, {1}, image());
  ASSERT_TRUE(persist.ok());
  apply(learner, persist.value());
  EXPECT_TRUE(votes_alone(learner, {1}));
}

// --- messages of another founding ----------------------------------------------------------------

TEST_F(RaftRefounding, AnOldReplicaGetsNoVoteAndIsToldOfTheLaterEpoch) {
  refound();
  start(2);
  effects.clear();
  hear(2, 1, 9, VoteRequest{false, {9}, {{9'000'000'000}, {8}}, false});
  EXPECT_THAT(alarms(), ElementsAre(AlarmKind::earlier_epoch));
  const auto answers = take<Send>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].message.epoch, base::Epoch{2});
  EXPECT_FALSE(std::get<VoteReply>(answers[0].message.body).granted);
  EXPECT_EQ(machine->term(), base::Term{5}) << "its term means nothing here";
}

TEST_F(RaftRefounding, AnOldLeadersEntriesAreNotTakenAndItsAnswersNotAnswered) {
  refound();
  start(2);
  effects.clear();
  const LogPosition last = machine->log().last();
  hear(2, 1, 9, Append{last, {}, {last.index.value}, {1}});
  EXPECT_THAT(alarms(), ElementsAre(AlarmKind::earlier_epoch));
  EXPECT_EQ(sent<AppendReply>().size(), 1u);
  hear(2, 1, 9, AppendReply{});
  hear(2, 1, 9, VoteReply{true, {6}, true});
  EXPECT_THAT(take<Send>(), IsEmpty());
  EXPECT_EQ(machine->leader(), std::nullopt);
}

TEST_F(RaftRefounding, AnOldReplicaThatHearsOfTheLaterEpochStopsForGood) {
  start(1);
  effects.clear();
  hear(2, 2, 5, VoteReply{false, {5}, false});
  EXPECT_THAT(alarms(), ElementsAre(AlarmKind::later_epoch));
  EXPECT_TRUE(machine->outdated());
  EXPECT_EQ(machine->next_deadline(), std::nullopt) << "it campaigns no more";
  hear(3, 1, 9, VoteRequest{false, {9}, {{90}, {8}}, false});
  hear(3, 1, 9, Append{state.last(), {}, {}, {1}});
  hear(2, 2, 9, Append{state.last(), {}, {}, {1}});
  EXPECT_THAT(take<Send>(), IsEmpty()) << "neither the old group nor the new one has it";
  EXPECT_THAT(take<Persist>(), IsEmpty());
}

TEST_F(RaftRefounding, AnOldLeaderThatHearsOfTheLaterEpochLeadsNoMore) {
  open(3);
  lead();
  state.store = store_of(1);
  step(Propose{{7}, base::Bytes::copy_of("x")});
  effects.clear();
  hear(2, 2, 3, Append{{{1}, {1}}, {}, {}, {1}});
  EXPECT_EQ(machine->role(), RoleKind::follower);
  EXPECT_EQ(take<NotLeading>().size(), 1u);
  EXPECT_EQ(take<OutcomeUnknown>().size(), 1u);
  step(Propose{{8}, base::Bytes::copy_of("y")});
  EXPECT_EQ(take<Refused>().at(0).why, Refusal::not_leading);
}

TEST_F(RaftRefounding, AnEmptyReplicaTakesTheEpochOfTheLeaderThatCallsItAndWritesItFirst) {
  state = {};
  state.store = store_of(1);
  start(1);
  hear(2, 5, 3, VoteRequest{true, {4}, {{9}, {3}}, false});
  EXPECT_THAT(take<Send>(), IsEmpty()) << "a candidate is no leader";
  EXPECT_THAT(alarms(), IsEmpty());
  hear(2, 5, 3, Append{{{9}, {3}}, {}, {}, {1}});
  const auto written = take<Persist>();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].epoch, base::Epoch{5});
  EXPECT_THAT(take<Send>(), IsEmpty()) << "not on its disk yet";
  sync();
  const auto answers = take<Send>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].message.epoch, base::Epoch{5});
  hear(3, 1, 9, Append{{{9}, {3}}, {}, {}, {1}});
  EXPECT_THAT(alarms(), ElementsAre(AlarmKind::earlier_epoch)) << "from now on";
}

}  // namespace
}  // namespace fastgpu::raft::testing
