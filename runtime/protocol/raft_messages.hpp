#pragma once

/// What the replicas of a shard say to each other, as they travel: the values of runtime/raft
/// without what the frame or its order tells already (who sends, to whom, the index of an entry).
/// Any of it may be lost, repeated, late or out of order. The rules are in runtime/raft;
/// actors/replica/raft_words puts one into the other.

#include <cstdint>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::protocol {

/// Counts a leader's questions whether it is still followed.
using RaftRound = base::Id<struct RaftRoundTag, std::uint64_t>;
/// A hash over an entry and all before it.
using RaftChain = base::Id<struct RaftChainTag, std::uint64_t>;

/// At most so many members of a group travel in a list.
inline constexpr std::size_t raft_members_max = 64;
/// At most so many entries travel in a message.
inline constexpr std::size_t raft_entries_max = 4096;

struct RaftPosition {
  base::LogIndex index;
  base::Term term;
  bool operator==(const RaftPosition&) const = default;
};
struct RaftMember {
  base::NodeId node;
  base::StoreId store;
  bool voter{true};
  bool operator==(const RaftMember&) const = default;
};
enum class RaftEntryKind : std::uint8_t { no_op, command, configuration };
struct RaftEntry {
  base::Term term;
  RaftEntryKind kind{RaftEntryKind::no_op};
  RaftChain chain;
  base::Bytes data;                 ///< of a command
  std::vector<RaftMember> members;  ///< of a configuration
  bool operator==(const RaftEntry&) const = default;
};

struct RaftVoteRequest {
  bool pre{false};
  base::Term campaign;
  RaftPosition last;
  bool transfer{false};
  bool operator==(const RaftVoteRequest&) const = default;
};
struct RaftVoteReply {
  bool pre{false};
  base::Term campaign;
  bool granted{false};
  bool operator==(const RaftVoteReply&) const = default;
};
struct RaftAppend {
  RaftPosition prev;
  std::vector<RaftEntry> entries;  ///< the first is at prev.index + 1
  base::LogIndex commit;
  RaftRound round;
  bool operator==(const RaftAppend&) const = default;
};
struct RaftAppendReply {
  RaftRound round;
  base::LogIndex match;
  bool refused{false};      ///< the log does not hold what was to come before
  base::LogIndex rejected;  ///< with `refused`: the index of that
  base::LogIndex hint;
  bool operator==(const RaftAppendReply&) const = default;
};
struct RaftSnapshotChunk {
  RaftPosition last;
  RaftChain chain;
  std::vector<RaftMember> members;
  std::uint32_t data_crc32c{};  ///< of the whole data
  std::uint64_t size_bytes{};   ///< of the whole data
  std::uint64_t offset{};
  base::Bytes data;
  RaftRound round;
  bool operator==(const RaftSnapshotChunk&) const = default;
};
struct RaftSnapshotReply {
  RaftPosition last;
  std::uint64_t received{};
  RaftRound round;
  bool operator==(const RaftSnapshotReply&) const = default;
};
struct RaftTimeoutNow {
  bool operator==(const RaftTimeoutNow&) const = default;
};

using RaftBody = std::variant<RaftVoteRequest, RaftVoteReply, RaftAppend, RaftAppendReply,
                              RaftSnapshotChunk, RaftSnapshotReply, RaftTimeoutNow>;

struct RaftMessage {
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;
  base::StoreId from_store;
  base::StoreId to_store;
  RaftBody body;
  bool operator==(const RaftMessage&) const = default;
};

/// What the replicas of one node say to those of another, of any shards, in the order said.
struct RaftBatch {
  std::vector<RaftMessage> messages;
  bool operator==(const RaftBatch&) const = default;
};

}  // namespace fastgpu::protocol
