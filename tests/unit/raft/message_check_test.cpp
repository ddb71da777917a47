#include "runtime/raft/message_check.hpp"

#include "tests/unit/raft/raft_bench.hpp"

namespace fastgpu::raft::testing {
namespace {

class RaftEdge : public RaftBench {
 protected:
  RaftEdge() {
    open(3);
    lead();
  }
  /// To the leader of a group of three in term 2, whose log ends at index 2.
  Message from(std::uint32_t node, std::uint64_t term, Body body) {
    return {{node}, store_of(node), {1}, store_of(1), {1}, {term}, std::move(body)};
  }
  std::optional<AlarmKind> refused(const Message& message) {
    step(Received{message});
    const auto alarms = take<Alarm>();
    effects.clear();
    return alarms.empty() ? std::nullopt : std::optional(alarms.at(0).kind);
  }
  Append append(std::uint64_t index, std::uint64_t term) {
    Entry entry;
    entry.index = {index};
    entry.term = {term};
    return {{{2}, {2}}, {entry}, {}, {1}};
  }
};

TEST_F(RaftEdge, WhatASoundPeerSendsPasses) {
  EXPECT_EQ(refused(from(2, 2, AppendReply{{1}, {2}, std::nullopt, {}})), std::nullopt);
  EXPECT_EQ(refused(from(2, 1, Append{{{1}, {1}}, {}, {}, {1}})), std::nullopt)
      << "late, of an earlier term";
  EXPECT_EQ(refused(from(7, 2, VoteRequest{true, {3}, {{9}, {2}}, false})), std::nullopt)
      << "a candidate may be a member that this replica has yet to hear of";
}

TEST_F(RaftEdge, AMessageForSomebodyElseIsRefused) {
  Message message = from(2, 2, AppendReply{});
  message.to = {3};
  EXPECT_EQ(refused(message), AlarmKind::wrong_address);
  message = from(2, 2, AppendReply{});
  message.epoch = {0};
  EXPECT_EQ(refused(message), AlarmKind::earlier_epoch);
  EXPECT_EQ(refused(from(1, 2, AppendReply{})), AlarmKind::wrong_address);
}

TEST_F(RaftEdge, AnotherDiskIsRefusedAtBothEnds) {
  Message message = from(2, 2, AppendReply{});
  message.from_store = {55};
  EXPECT_EQ(refused(message), AlarmKind::wrong_store);
  message = from(2, 2, AppendReply{});
  message.to_store = {55};
  EXPECT_EQ(refused(message), AlarmKind::wrong_store);
}

TEST_F(RaftEdge, AnswersOfStrangersAreRefused) {
  EXPECT_EQ(refused(from(7, 2, AppendReply{})), AlarmKind::not_a_member);
  EXPECT_EQ(refused(from(7, 2, VoteReply{false, {2}, true})), AlarmKind::not_a_member);
  EXPECT_EQ(refused(from(7, 2, SnapshotReply{})), AlarmKind::not_a_member);
}

TEST_F(RaftEdge, ATermHasOneLeader) {
  EXPECT_EQ(refused(from(2, 2, append(3, 2))), AlarmKind::second_leader);
  EXPECT_EQ(refused(from(2, 2, TimeoutNow{})), AlarmKind::not_from_leader);
  EXPECT_EQ(machine->role(), RoleKind::leader);
}

TEST_F(RaftEdge, NobodyAcknowledgesWhatTheLeaderDoesNotHave) {
  EXPECT_EQ(refused(from(2, 2, AppendReply{{1}, {3}, std::nullopt, {}})),
            AlarmKind::beyond_our_log);
}

TEST_F(RaftEdge, ATermBeyondBeliefIsNotTakenOver) {
  EXPECT_EQ(refused(from(2, 9'000'000, append(3, 2))), AlarmKind::term_far_ahead);
  EXPECT_EQ(machine->term(), base::Term{2});
}

TEST_F(RaftEdge, EntriesThatDoNotFollowEachOtherAreRefused) {
  EXPECT_EQ(refused(from(2, 3, append(4, 3))), AlarmKind::malformed) << "a hole";
  EXPECT_EQ(refused(from(2, 3, append(3, 4))), AlarmKind::malformed) << "of a later term";
  EXPECT_EQ(refused(from(2, 3, append(3, 1))), AlarmKind::malformed) << "terms go back";
  EXPECT_EQ(refused(from(2, 3, Append{{{0}, {1}}, {}, {}, {}})), AlarmKind::malformed);
  EXPECT_EQ(refused(from(2, 0, AppendReply{})), AlarmKind::malformed) << "no term";
  EXPECT_EQ(refused(from(2, 3, VoteRequest{false, {4}, {}, false})), AlarmKind::malformed)
      << "a vote of another term";
}

TEST_F(RaftEdge, AnEntryWithAnotherChainIsNotTaken) {
  EXPECT_EQ(refused(from(2, 3, append(3, 3))), AlarmKind::malformed);
  EXPECT_EQ(machine->log().last().index, base::LogIndex{2});
}

TEST_F(RaftEdge, PiecesBeyondTheirSnapshotAreRefused) {
  SnapshotChunk chunk;
  chunk.about.last = {{9}, {2}};
  chunk.size_bytes = 4;
  chunk.offset = 3;
  chunk.data = base::Bytes::copy_of("xx");
  EXPECT_EQ(refused(from(2, 3, chunk)), AlarmKind::malformed);
  chunk.offset = 0;
  chunk.about.last = {};
  EXPECT_EQ(refused(from(2, 3, chunk)), AlarmKind::malformed);
}

}  // namespace
}  // namespace fastgpu::raft::testing
