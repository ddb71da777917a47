#include "actors/replica/raft_outbox.hpp"

#include <gmock/gmock.h>

#include <string>

namespace fastgpu::actors::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr base::NodeId peer{2};
constexpr base::Time start{1s};
constexpr base::Duration interval{100ms};

protocol::RaftMessage beat(std::uint32_t shard) {
  return {{shard}, {1}, {1}, {101}, {102}, protocol::RaftAppend{}};
}
protocol::RaftMessage answer(std::uint32_t shard) {
  return {{shard}, {1}, {1}, {101}, {102}, protocol::RaftAppendReply{}};
}
protocol::RaftMessage entry(std::uint32_t shard, std::size_t bytes) {
  protocol::RaftAppend append;
  append.entries.push_back({{1}, {}, {}, base::Bytes::copy_of(std::string(bytes, 'x')), {}});
  return {{shard}, {1}, {1}, {101}, {102}, append};
}
std::size_t messages_in(const protocol::PeerMessage& message) {
  const auto* batch = std::get_if<protocol::RaftBatch>(&message);
  return batch != nullptr ? batch->messages.size() : 1;
}

TEST(RaftOutbox, GathersWhatMayWaitIntoOneFrameForEachNode) {
  RaftOutbox outbox{interval};
  for (std::uint32_t shard = 0; shard < 8; ++shard) {
    outbox.add(peer, beat(shard), true, start);
    outbox.add({3}, beat(shard), true, start);
  }
  EXPECT_FALSE(outbox.is_urgent());
  EXPECT_THAT(outbox.take(start), IsEmpty());
  ASSERT_EQ(outbox.next_deadline(), start + RaftOutbox::gather_delay);
  const auto ready = outbox.take(start + RaftOutbox::gather_delay);
  ASSERT_THAT(ready, SizeIs(2));
  EXPECT_EQ(messages_in(ready[0].second), 8u);
  EXPECT_EQ(outbox.next_deadline(), std::nullopt);
}

TEST(RaftOutbox, NewsTakesAlongWhatWaited) {
  RaftOutbox outbox{interval};
  outbox.add(peer, beat(1), true, start);
  outbox.add({3}, beat(1), true, start);
  outbox.add(peer, entry(2, 10), false, start);
  ASSERT_TRUE(outbox.is_urgent());
  const auto ready = outbox.take(start);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].first, peer);
  const auto& batch = std::get<protocol::RaftBatch>(ready[0].second);
  EXPECT_EQ(batch.messages[0].shard, base::ShardId{1}) << "in the order in which it was said";
  EXPECT_FALSE(outbox.is_urgent());
  EXPECT_EQ(outbox.next_deadline(), start + RaftOutbox::gather_delay) << "the other node's";
}

TEST(RaftOutbox, HeartbeatsLeaveAtEachOfTheirMomentsAndTakeTheAnswersAlong) {
  RaftOutbox outbox{interval};
  for (int beats = 0; beats < 10; ++beats) {
    const base::Time moment = start + beats * interval;
    outbox.add(peer, beat(1), true, moment);
    ASSERT_EQ(outbox.next_deadline(), moment + RaftOutbox::gather_delay);
    const auto ready = outbox.take(*outbox.next_deadline());
    ASSERT_THAT(ready, SizeIs(1));
    EXPECT_EQ(messages_in(ready[0].second), beats == 0 ? 1u : 2u) << "with the answer before it";
    outbox.add(peer, answer(2), true, moment + RaftOutbox::gather_delay + 1ms);
    EXPECT_THAT(outbox.take(moment + interval), IsEmpty()) << "waits for the next heartbeats";
  }
}

TEST(RaftOutbox, AnAnswerWaitsAnIntervalWhereNoHeartbeatsGo) {
  RaftOutbox outbox{interval};
  outbox.add(peer, answer(2), true, start);
  EXPECT_THAT(outbox.take(start + interval - 1ms), IsEmpty());
  ASSERT_EQ(outbox.next_deadline(), start + interval);
  EXPECT_THAT(outbox.take(start + interval), SizeIs(1));
}

TEST(RaftOutbox, AMessageAloneNeedsNoBatch) {
  RaftOutbox outbox{interval};
  outbox.add(peer, beat(4), false, start);
  const auto ready = outbox.take(start);
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<protocol::RaftMessage>(ready[0].second));
}

TEST(RaftOutbox, NoFrameGrowsBeyondItsBounds) {
  RaftOutbox outbox{interval};
  for (int i = 0; i < 5; ++i) {
    outbox.add(peer, entry(1, RaftOutbox::bytes_max / 2), false, start);
  }
  for (std::size_t i = 0; i < RaftOutbox::messages_max; ++i) {
    outbox.add(peer, beat(1), true, start);
  }
  std::size_t messages = 0;
  const auto ready = outbox.take(start + RaftOutbox::gather_delay);
  for (const auto& [node, message] : ready) {
    messages += messages_in(message);
    EXPECT_LE(messages_in(message), RaftOutbox::messages_max);
  }
  EXPECT_GE(ready.size(), 6u);
  EXPECT_EQ(messages, 5 + RaftOutbox::messages_max) << "nothing is left behind";
}

}  // namespace
}  // namespace fastgpu::actors::testing
