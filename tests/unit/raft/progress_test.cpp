#include "runtime/raft/progress.hpp"

#include <gtest/gtest.h>

namespace fastgpu::raft {
namespace {

using namespace std::chrono_literals;
using Mode = Progress::Mode;

class RaftProgress : public ::testing::Test {
 protected:
  RaftProgress() {
    limits.window_messages_max = 2;
    limits.window_bytes_max = 1000;
  }
  bool may_send() { return progress.may_send(now, limits, Fault::none); }
  void stream_from(std::uint64_t next) {
    progress.acknowledge({next - 1}, true);
    ASSERT_EQ(progress.mode(), Mode::stream);
  }

  RaftLimits limits;
  base::Time now{1s};
  Progress progress{{5}, {11}, base::Time{1s}};
};

TEST_F(RaftProgress, ProbesWithOneMessageUntilItIsAnswered) {
  EXPECT_TRUE(may_send());
  progress.sent({12}, 10, now);
  EXPECT_FALSE(may_send());
  EXPECT_EQ(progress.next(), base::LogIndex{11}) << "what was a probe is not counted as sent";
  now += limits.resend_after;
  EXPECT_TRUE(may_send());
}

TEST_F(RaftProgress, ARefusedProbeGoesBackToTheHint) {
  progress.sent({11}, 10, now);
  progress.reject({10}, {4});
  EXPECT_EQ(progress.next(), base::LogIndex{5});
  EXPECT_TRUE(may_send());
}

TEST_F(RaftProgress, AnOldRefusalChangesNothing) {
  progress.reject({7}, {3});
  EXPECT_EQ(progress.next(), base::LogIndex{11});
  stream_from(11);
  progress.reject({10}, {3});
  EXPECT_EQ(progress.mode(), Mode::stream);
}

TEST_F(RaftProgress, StreamsWithinAWindowOfMessages) {
  stream_from(11);
  progress.sent({11}, 10, now);
  progress.sent({12}, 10, now);
  EXPECT_FALSE(may_send());
  progress.acknowledge({11}, true);
  EXPECT_TRUE(may_send());
  EXPECT_EQ(progress.bytes_in_flight(), 10u);
  EXPECT_EQ(progress.next(), base::LogIndex{13});
}

TEST_F(RaftProgress, StreamsWithinAWindowOfBytes) {
  stream_from(11);
  progress.sent({11}, 1000, now);
  EXPECT_FALSE(may_send());
}

TEST_F(RaftProgress, WhatIsUnansweredForLongIsProbedAgain) {
  stream_from(11);
  progress.sent({12}, 10, now);
  now += limits.resend_after;
  EXPECT_TRUE(may_send());
  EXPECT_EQ(progress.mode(), Mode::probe);
  EXPECT_EQ(progress.next(), base::LogIndex{11});
  EXPECT_EQ(progress.bytes_in_flight(), 0u);
}

TEST_F(RaftProgress, ASnapshotGoesPieceByPieceAndThenTheLogGoesOn) {
  Snapshot snapshot;
  snapshot.last = {{20}, {3}};
  snapshot.data = base::Bytes::copy_of("0123456789");
  progress.begin_snapshot(snapshot);
  EXPECT_TRUE(may_send());
  progress.sent_chunk(now);
  EXPECT_FALSE(may_send());
  progress.received_chunk({{{19}, {3}}, 4, {}});
  EXPECT_FALSE(may_send()) << "an answer about another snapshot";
  progress.received_chunk({snapshot.last, 400, {}});
  EXPECT_FALSE(may_send()) << "more than there is";
  progress.received_chunk({snapshot.last, 4, {}});
  EXPECT_EQ(progress.offset(), 4u);
  EXPECT_TRUE(may_send());
  progress.acknowledge({20}, true);
  EXPECT_EQ(progress.mode(), Mode::stream);
  EXPECT_EQ(progress.next(), base::LogIndex{21});
  EXPECT_TRUE(progress.snapshot().data.empty()) << "its memory is given back";
}

}  // namespace
}  // namespace fastgpu::raft
