#include "actors/replica/raft_log.hpp"

#include <gmock/gmock.h>

#include "tests/unit/replica/log_life.hpp"

namespace fastgpu::actors::testing {
namespace {

using base::Admission;
using base::LogEvent;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

raft::StoreId store_of(std::uint32_t node) {
  return {node + 100};
}

/// Node 1 of a group of three, whose others are the test.
RaftLogOptions one_of_three() {
  RaftLogOptions options;
  options.shard = {3};
  options.self = {1};
  options.store = store_of(1);
  for (std::uint32_t node = 1; node <= 3; ++node) {
    options.founders.members.push_back({{node}, store_of(node), true});
  }
  return options;
}

class RaftLogAlone : public ::testing::Test {
 protected:
  void receive(RaftLife& life, std::uint32_t from, std::uint64_t term, raft::Body body) {
    life.raft().receive({{from}, store_of(from), {1}, store_of(1), {1}, {term}, std::move(body)});
  }
  template <class Body>
  static std::vector<Body> sent(RaftLife& life) {
    std::vector<Body> found;
    for (const raft::Message& message : std::exchange(life.sent, {})) {
      if (const auto* body = std::get_if<Body>(&message.body)) {
        found.push_back(*body);
      }
    }
    return found;
  }
  base::Error refusal(const RaftLogOptions& options) {
    struct Host final : RaftHost, store::StoreWriter {
      void send(const raft::Send&) override { FAIL(); }
      void alarm(const raft::Alarm&) override {}
      base::Time now() const override { return {}; }
      base::Admission write(store::StoreToken, std::vector<store::Write>) override {
        ADD_FAILURE() << "a refused log writes nothing";
        return Admission::accepted;
      }
    } host;
    const auto contents = store::MemoryStore(disk, {}, base::Random(0))
                              .scan(RaftDisk::key_prefix(options.shard))
                              .value();
    const auto opened = RaftLog::open(options, host, host, contents);
    return opened.ok() ? base::Error{{}, base::ErrorCode::none, "taken", ""} : opened.error();
  }
  store::MemoryDisk disk;
};

TEST_F(RaftLogAlone, AFounderSaysAndHearsNothingBeforeTheFoundingIsDurable) {
  RaftLife life(disk, one_of_three());
  life.start();
  life.wait();
  receive(life, 2, 1, raft::VoteRequest{true, {2}, {{1}, {1}}, false});
  EXPECT_THAT(life.sent, IsEmpty());
  EXPECT_EQ(life.raft().next_deadline(), std::nullopt);
  life.sync_all();
  receive(life, 2, 1, raft::VoteRequest{true, {2}, {{1}, {1}}, false});
  EXPECT_EQ(sent<raft::VoteReply>(life).size(), 1u);
}

TEST_F(RaftLogAlone, ARestartIsNoSecondFounding) {
  {
    RaftLife life(disk, one_of_three());
    life.start();
    life.sync_all();
    receive(life, 2, 4, raft::VoteRequest{false, {4}, {{1}, {1}}, false});
    life.sync_all();
    EXPECT_THAT(sent<raft::VoteReply>(life), ElementsAre(raft::VoteReply{false, {4}, true}));
  }
  RaftLife again(disk, one_of_three());
  again.start();
  EXPECT_EQ(again.raft().machine().term(), base::Term{4});
  receive(again, 3, 4, raft::VoteRequest{false, {4}, {{1}, {1}}, false});
  again.sync_all();
  EXPECT_THAT(sent<raft::VoteReply>(again), ElementsAre(raft::VoteReply{false, {4}, false}))
      << "it remembers for whom it voted";
}

TEST_F(RaftLogAlone, AVoteAndAnAcknowledgementLeaveOnlyOnceTheyAreDurable) {
  RaftLife life(disk, one_of_three());
  life.start();
  life.sync_all();
  receive(life, 2, 2, raft::VoteRequest{false, {2}, {{1}, {1}}, false});
  EXPECT_THAT(life.sent, IsEmpty());
  life.sync_all();
  EXPECT_EQ(sent<raft::VoteReply>(life).size(), 1u);
  raft::Entry entry;
  entry.index = {2};
  entry.term = {2};
  entry.chain = raft::chain_after(life.raft().machine().log().chain_at({1}), entry);
  receive(life, 2, 2, raft::Append{{{1}, {1}}, {entry}, {1}, {1}});
  for (const raft::AppendReply& reply : sent<raft::AppendReply>(life)) {
    EXPECT_LT(reply.match, base::LogIndex{2});
  }
  life.sync_all();
  EXPECT_EQ(sent<raft::AppendReply>(life).back().match, base::LogIndex{2});
}

TEST_F(RaftLogAlone, TellsWhoLeadsInstead) {
  RaftLife life(disk, one_of_three());
  life.start();
  life.sync_all();
  receive(life, 3, 2, raft::Append{{{1}, {1}}, {}, {1}, {1}});
  life.sync_all();
  EXPECT_THAT(life.events, Contains(LogEvent{base::LogNotLeading{base::NodeId{3}}}));
  EXPECT_EQ(life.propose(1, "a"), Admission::not_leading);
}

TEST_F(RaftLogAlone, CountsAndTellsWhatNoSoundReplicaSends) {
  RaftLife life(disk, one_of_three());
  life.start();
  life.sync_all();
  receive(life, 9, 2, raft::Append{{{1}, {1}}, {}, {1}, {1}});
  raft::Message message{{2}, {5}, {1}, store_of(1), {1}, {2}, raft::Append{}};
  life.raft().receive(message);
  EXPECT_EQ(life.raft().alarms(), life.alarms.size());
  EXPECT_FALSE(life.alarms.empty());
}

TEST_F(RaftLogAlone, WithoutFoundersItWaitsToBeCalled) {
  RaftLogOptions options = one_of_three();
  options.founders = {};
  RaftLife life(disk, options);
  life.start();
  for (int i = 0; i < 10; ++i) {
    life.wait();
    life.sync_all();
  }
  EXPECT_THAT(life.sent, IsEmpty());
  EXPECT_FALSE(life.leads());
}

TEST_F(RaftLogAlone, AFounderWithAnotherDiskThanTheListSaysIsRefused) {
  RaftLogOptions options = one_of_three();
  options.store = {5};
  EXPECT_EQ(refusal(options).code, base::ErrorCode::bad_argument);
}

TEST_F(RaftLogAlone, TheLogOfAnotherDiskIsRefused) {
  {
    RaftLife life(disk, one_of_three());
    life.start();
    life.sync_all();
  }
  RaftLogOptions options = one_of_three();
  options.store = {5};
  EXPECT_EQ(refusal(options).code, base::ErrorCode::conflict);
}

TEST_F(RaftLogAlone, ADamagedLogIsRefusedAndLeftAsItIs) {
  {
    RaftLife life(disk, LifeOptions{});
    life.lead();
    ASSERT_EQ(life.propose(1, "a"), Admission::accepted);
    ASSERT_EQ(life.propose(2, "b"), Admission::accepted);
    life.sync_all();
  }
  auto& entry = disk.contents().at(store::log_key(store::LogKind::group, {3}, base::LogIndex{3}));
  entry = base::Bytes::copy_of(entry.span().first(entry.size() - 1));
  const auto before = disk.contents();
  EXPECT_EQ(refusal(only_voter({})).code, base::ErrorCode::corrupt);
  EXPECT_EQ(disk.contents(), before);
}

TEST_F(RaftLogAlone, WhatGathersInOneTurnIsReportedByTheLastOfIt) {
  RaftLife life(disk, LifeOptions{});
  life.lead();
  life.full = true;
  for (std::uint64_t token = 1; token <= 5; ++token) {
    ASSERT_EQ(life.propose(token, std::to_string(token)), Admission::accepted);
  }
  life.full = false;
  life.pump();
  ASSERT_EQ(life.waiting.size(), 1u);
  life.sync_all();
  EXPECT_THAT(life.commands(), ElementsAre("1", "2", "3", "4", "5"));
}

}  // namespace
}  // namespace fastgpu::actors::testing
