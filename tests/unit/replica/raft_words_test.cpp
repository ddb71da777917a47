#include "actors/replica/raft_words.hpp"

#include <gtest/gtest.h>

#include "runtime/codec/peer_codec.hpp"

namespace fastgpu::actors {
namespace {

std::vector<raft::Body> bodies() {
  using namespace raft;
  const Configuration members{{{{1}, {11}, true}, {{2}, {22}, false}}};
  const base::Bytes data = base::Bytes::copy_of("data");
  return {
      VoteRequest{true, {7}, {{5}, {6}}, true},
      VoteReply{true, {7}, true},
      Append{{{40}, {6}},
             {{{41}, {6}, EntryKind::no_op, {}, {}, {1}},
              {{42}, {6}, EntryKind::command, data, {}, {2}},
              {{43}, {7}, EntryKind::configuration, {}, members, {3}}},
             {39},
             {8}},
      AppendReply{{8}, {43}, std::nullopt, {4}},
      AppendReply{{8}, {43}, base::LogIndex{0}, {4}},
      SnapshotChunk{{{{40}, {6}}, {9}, members, {}, 0x1234}, 100, 96, data, {8}},
      SnapshotReply{{{40}, {6}}, 96, {8}},
      TimeoutNow{},
  };
}

TEST(RaftWords, WhatAMachineSaysComesBackThroughTheWireAsItWas) {
  for (const raft::Body& body : bodies()) {
    const raft::Message message{{1}, {11}, {2}, {22}, {3}, {7}, body};
    const protocol::PeerMessage wire = to_wire({5}, message);
    const auto back = codec::decode_peer(codec::encode(wire).span());
    ASSERT_TRUE(back.ok()) << back.error().message;
    const auto& heard = std::get<protocol::RaftMessage>(back.value());
    EXPECT_EQ(heard.shard, base::ShardId{5});
    EXPECT_EQ(from_wire(heard, {1}, {2}), message) << body.index();
  }
}

TEST(RaftWords, TheSenderIsWhoTheFrameNames) {
  const raft::Message message{{1}, {11}, {2}, {22}, {3}, {7}, raft::TimeoutNow{}};
  EXPECT_EQ(from_wire(to_wire({5}, message), {9}, {2}).from, base::NodeId{9});
}

}  // namespace
}  // namespace fastgpu::actors
