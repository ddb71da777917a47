#include "runtime/raft/raft_machine.hpp"

#include "tests/unit/raft/raft_bench.hpp"

namespace fastgpu::raft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using RaftReplica = RaftBench;

const base::Bytes command = base::Bytes::copy_of("do it");

Entry entry(std::uint64_t index, std::uint64_t term, Chain before) {
  Entry one;
  one.index = {index};
  one.term = {term};
  one.kind = EntryKind::command;
  one.data = command;
  one.chain = chain_after(before, one);
  return one;
}

TEST_F(RaftReplica, AloneItLeadsOnceItsVoteAndItsNoOpAreOnDisk) {
  open(1);
  now = *machine->next_deadline();
  step(Tick{});
  EXPECT_EQ(machine->role(), RoleKind::candidate);
  EXPECT_THAT(take<Leading>(), IsEmpty());
  sync();
  EXPECT_EQ(machine->role(), RoleKind::leader);
  EXPECT_THAT(take<Leading>(), IsEmpty());
  sync();
  EXPECT_THAT(take<Leading>(), ElementsAre(Leading{{1}, {2}}));
  EXPECT_THAT(take<Committed>(), SizeIs(2)) << "the founding members and the no-op";
  step(Propose{{9}, command});
  EXPECT_THAT(take<Committed>(), IsEmpty());
  sync();
  const auto committed = take<Committed>();
  ASSERT_THAT(committed, SizeIs(1));
  EXPECT_EQ(committed[0].token, base::LogToken{9});
  EXPECT_EQ(committed[0].entry.data, command);
  step(Read{{10}});
  EXPECT_THAT(take<ReadReady>(), ElementsAre(ReadReady{{10}, {3}}));
}

TEST_F(RaftReplica, AVoteLeavesOnlyOnceItIsOnDisk) {
  open(3);
  receive(2, 5, VoteRequest{false, {5}, {{1}, {1}}, false});
  EXPECT_THAT(sent<VoteReply>(), IsEmpty());
  const auto writes = take<Persist>();
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_EQ(writes[0].hard, (HardState{{5}, base::NodeId{2}}));
  EXPECT_TRUE(writes[0].urgent);
  sync();
  EXPECT_THAT(sent<VoteReply>(), ElementsAre(VoteReply{false, {5}, true}));
  receive(3, 5, VoteRequest{false, {5}, {{9}, {4}}, false});
  EXPECT_THAT(sent<VoteReply>(), ElementsAre(VoteReply{false, {5}, false}));
}

TEST_F(RaftReplica, AVoteOfATermThatIsOverNeverLeaves) {
  open(3);
  receive(2, 5, VoteRequest{false, {5}, {{1}, {1}}, false});
  receive(3, 6, Append{{{1}, {1}}, {}, {1}, {1}});
  sync();
  EXPECT_THAT(sent<VoteReply>(), IsEmpty());
}

TEST_F(RaftReplica, EntriesAreAcknowledgedOnceTheyAreOnDiskWithoutHoldingUpEvents) {
  open(3);
  const Chain founding = machine->log().chain_at({1});
  const Entry second = entry(2, 2, founding);
  const Entry third = entry(3, 2, second.chain);
  receive(2, 2, Append{{{1}, {1}}, {second}, {1}, {1}});
  receive(2, 2, Append{{{2}, {2}}, {third}, {1}, {1}});
  EXPECT_EQ(machine->log().last().index, base::LogIndex{3});
  EXPECT_THAT(take<Persist>(), SizeIs(2)) << "the second does not wait for the first";
  effects.clear();
  step(Persisted{{1}});
  auto replies = sent<AppendReply>();
  ASSERT_FALSE(replies.empty());
  EXPECT_EQ(replies[0].match, base::LogIndex{2});
  step(Persisted{{2}});
  replies = sent<AppendReply>();
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].match, base::LogIndex{3});
}

TEST_F(RaftReplica, AHeartbeatIsAnsweredWithoutASync) {
  open(3);
  receive(2, 2, Append{{{1}, {1}}, {}, {1}, {1}});
  sync();
  effects.clear();
  receive(2, 2, Append{{{1}, {1}}, {}, {1}, {7}});
  EXPECT_THAT(take<Persist>(), IsEmpty());
  EXPECT_THAT(sent<AppendReply>(), ElementsAre(AppendReply{{7}, {1}, std::nullopt, {}}));
}

TEST_F(RaftReplica, OnlyAnAnswerWithoutNewsToAHeartbeatMayWait) {
  open(3);
  const Entry second = entry(2, 2, machine->log().chain_at({1}));
  receive(2, 2, Append{{{1}, {1}}, {second}, {1}, {1}});
  sync();
  effects.clear();
  receive(2, 2, Append{{{1}, {1}}, {second}, {1}, {1}});
  auto answers = take<Send>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_FALSE(answers[0].may_wait) << "entries come again when their answer was lost";
  receive(2, 2, Append{{{2}, {2}}, {}, {1}, {1}});
  answers = take<Send>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_TRUE(answers[0].may_wait);
  receive(2, 2, Append{{{2}, {2}}, {}, {1}, {2}});
  answers = take<Send>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_FALSE(answers[0].may_wait) << "a read waits for its round";
}

TEST_F(RaftReplica, AppendsLeaveBeforeTheLeadersOwnDiskHasThem) {
  open(3);
  lead();
  step(Propose{{9}, command});
  EXPECT_THAT(take<Persist>(), SizeIs(1));
  const auto appends = sent<Append>();
  ASSERT_FALSE(appends.empty());
  EXPECT_EQ(appends[0].entries.at(0).data, command);
  receive(2, 2, AppendReply{{1}, {3}, std::nullopt, {}});
  EXPECT_THAT(take<Committed>(), IsEmpty()) << "on one disk of three";
  receive(3, 2, AppendReply{{1}, {3}, std::nullopt, {}});
  EXPECT_EQ(machine->commit_index(), base::LogIndex{3}) << "a majority without the leader's disk";
  EXPECT_THAT(take<Committed>(), IsEmpty()) << "what is given out is on the own disk too";
  sync();
  EXPECT_THAT(take<Committed>(), SizeIs(1));
}

TEST_F(RaftReplica, FullMeansRefusedAtOnce) {
  RaftLimits limits;
  limits.proposals_in_flight_max = 2;
  limits.reads_in_flight_max = 1;
  open(3, limits);
  step(Propose{{8}, command});
  EXPECT_THAT(take<Refused>(), ElementsAre(Refused{{8}, Refusal::not_leading}));
  lead();
  for (std::uint64_t token : {9u, 10u, 11u}) {
    step(Propose{{token}, command});
  }
  EXPECT_THAT(take<Refused>(), ElementsAre(Refused{{11}, Refusal::full}));
  step(Read{{12}});
  step(Read{{13}});
  EXPECT_THAT(take<Refused>(), ElementsAre(Refused{{13}, Refusal::full}));
}

TEST_F(RaftReplica, ADeposedLeaderTellsWhatItDoesNotKnow) {
  open(3);
  lead();
  step(Propose{{9}, command});
  step(Read{{10}});
  receive(2, 7, AppendReply{});
  EXPECT_THAT(take<OutcomeUnknown>(), ElementsAre(OutcomeUnknown{{9}}, OutcomeUnknown{{10}}));
  EXPECT_THAT(take<NotLeading>(), SizeIs(1));
}

TEST_F(RaftReplica, AReadNeedsARoundBegunAfterIt) {
  open(3);
  lead();
  step(Read{{9}});
  const Round round = sent<Append>().at(0).round;
  receive(2, 2, AppendReply{{round.value - 1}, {2}, std::nullopt, {}});
  EXPECT_THAT(take<ReadReady>(), IsEmpty()) << "an answer to an earlier question";
  step(Read{{10}});  // comes while the round runs: waits for the next
  receive(2, 2, AppendReply{round, {2}, std::nullopt, {}});
  EXPECT_THAT(take<ReadReady>(), ElementsAre(ReadReady{{9}, {2}}));
  receive(3, 2, AppendReply{{round.value + 1}, {0}, std::nullopt, {}});
  EXPECT_THAT(take<ReadReady>(), ElementsAre(ReadReady{{10}, {2}}));
}

TEST_F(RaftReplica, AfterAFailedWriteItHaltsAndSaysSoEachTime) {
  open(3);
  lead();
  step(Propose{{9}, command});
  effects.clear();
  step(PersistFailed{});
  EXPECT_THAT(take<OutcomeUnknown>(), ElementsAre(OutcomeUnknown{{9}}));
  EXPECT_THAT(take<Halt>(), SizeIs(1));
  step(Tick{});
  EXPECT_THAT(take<Halt>(), SizeIs(1));
  EXPECT_EQ(machine->next_deadline(), std::nullopt);
}

TEST_F(RaftReplica, MessagesAreDroppedWhileTheDiskIsFarBehind) {
  RaftLimits limits;
  limits.persists_in_flight_max = 3;
  open(3, limits);
  for (std::uint64_t term = 2; term < 50; ++term) {
    receive(2, term, VoteRequest{false, {term}, {{1}, {1}}, false});
  }
  EXPECT_THAT(take<Persist>(), SizeIs(3));
  sync();
  EXPECT_EQ(machine->term(), base::Term{4});
}

TEST_F(RaftReplica, ACompactionGivesWayToASnapshotThatIsOnItsWayToDisk) {
  open(3);
  const Entry second = entry(2, 2, machine->log().chain_at({1}));
  receive(2, 2, Append{{{1}, {1}}, {second}, {2}, {1}});
  sync();
  ASSERT_EQ(machine->given_out(), base::LogIndex{2});
  SnapshotChunk chunk;
  chunk.about.last = {{9}, {2}};
  receive(2, 2, chunk);
  ASSERT_TRUE(machine->installing());
  effects.clear();
  step(Compact{{2}, command});
  EXPECT_THAT(take<Persist>(), IsEmpty());
  sync();
  EXPECT_THAT(take<Restored>(), SizeIs(1));
  EXPECT_EQ(machine->snapshot().last.index, base::LogIndex{9});
}

TEST_F(RaftReplica, ItDoesNotCampaignBeforeItsTermIsOnDisk) {
  open(3);
  receive(2, 5, VoteRequest{false, {5}, {{1}, {1}}, false});
  effects.clear();
  now = *machine->next_deadline();
  step(Tick{});
  EXPECT_THAT(effects, IsEmpty());
  sync();
  effects.clear();
  now = *machine->next_deadline();
  step(Tick{});
  EXPECT_THAT(sent<VoteRequest>(), SizeIs(2));
}

TEST_F(RaftReplica, AForeignStoreIsRefused) {
  StoredState stored;
  stored.store = store_of(2);
  RaftOptions options;
  options.self = {1};
  options.store = store_of(1);
  EXPECT_EQ(RaftMachine::open(options, stored).error().code, base::ErrorCode::conflict);
}

TEST_F(RaftReplica, ABrokenConnectionToTheLeaderBringsAnElectionSoon) {
  open(3);
  receive(2, 2, Append{{{1}, {1}}, {}, {1}, {1}});
  sync();
  effects.clear();
  const VoteRequest wish{true, {3}, {{9}, {1}}, false};
  receive(3, 2, wish);
  EXPECT_FALSE(sent<VoteReply>().at(0).granted) << "the leader was heard just now";
  step(PeerLost{{3}});
  EXPECT_GT(*machine->next_deadline(), now + 400ms) << "that is not the leader";
  step(PeerLost{{2}});
  EXPECT_LE(*machine->next_deadline(), now + 2 * RaftLimits{}.early_election_step);
  receive(3, 2, wish);
  EXPECT_TRUE(sent<VoteReply>().at(0).granted);
  now = *machine->next_deadline();
  step(Tick{});
  EXPECT_TRUE(sent<VoteRequest>().at(0).pre) << "the term grows only with a majority";
}

TEST_F(RaftReplica, ALeaderThatIsHeardAgainAfterABrokenConnectionStays) {
  open(3);
  receive(2, 2, Append{{{1}, {1}}, {}, {1}, {1}});
  step(PeerLost{{2}});
  receive(2, 2, Append{{{1}, {1}}, {}, {1}, {1}});
  EXPECT_GT(*machine->next_deadline(), now + 400ms);
}

TEST_F(RaftReplica, WithoutAGroupItNeverCampaigns) {
  StoredState stored;
  stored.store = store_of(1);
  RaftOptions options;
  options.self = {1};
  options.store = store_of(1);
  machine = RaftMachine::open(options, stored).value();
  step(Started{});
  for (int i = 0; i < 10; ++i) {
    now = *machine->next_deadline();
    step(Tick{});
  }
  EXPECT_THAT(effects, IsEmpty());
}

}  // namespace
}  // namespace fastgpu::raft::testing
