#pragma once

/// What replicas of a group say to each other. Any of it may be lost, repeated, late or out of
/// order; nothing is retried below. A codec turns these into frames; message_check.hpp says which
/// of them reach the machine.

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "runtime/raft/raft_types.hpp"

namespace fastgpu::raft {

/// A candidate asks for a vote. With `pre` it only asks whether it would get one.
struct VoteRequest {
  bool pre{false};
  base::Term campaign;   ///< the term to be led: the message's own, or the next one with `pre`
  LogPosition last;      ///< how far the candidate's log reaches on its disk
  bool transfer{false};  ///< the present leader wants it: a live leader is no reason to refuse
  bool operator==(const VoteRequest&) const = default;
};
struct VoteReply {
  bool pre{false};
  base::Term campaign;  ///< of the request
  bool granted{false};
  bool operator==(const VoteReply&) const = default;
};
/// Entries that follow `prev`; none is a heartbeat.
struct Append {
  LogPosition prev;
  std::vector<Entry> entries;
  base::LogIndex commit;  ///< the leader's
  Round round;
  bool operator==(const Append&) const = default;
};
/// Belongs to the leader whose term the message carries.
struct AppendReply {
  Round round;           ///< the latest that was heard of this leader
  base::LogIndex match;  ///< checked against this leader's log, and on disk
  /// Set if the log here does not hold the request's `prev`: its index. `hint` is where to try.
  std::optional<base::LogIndex> rejected;
  base::LogIndex hint;
  bool operator==(const AppendReply&) const = default;
};
/// A piece of a snapshot, in order from offset 0.
struct SnapshotChunk {
  Snapshot about;              ///< all but the data
  std::uint64_t size_bytes{};  ///< of the whole data
  std::uint64_t offset{};
  base::Bytes data;
  Round round;
  bool operator==(const SnapshotChunk&) const = default;
};
/// Once the snapshot is on disk it is acknowledged like entries, by AppendReply.
struct SnapshotReply {
  LogPosition last;          ///< which snapshot
  std::uint64_t received{};  ///< the offset of the piece wanted next
  Round round;
  bool operator==(const SnapshotReply&) const = default;
};
/// The leader asks its successor to campaign at once.
struct TimeoutNow {
  bool operator==(const TimeoutNow&) const = default;
};

using Body = std::variant<VoteRequest, VoteReply, Append, AppendReply, SnapshotChunk, SnapshotReply,
                          TimeoutNow>;

struct Message {
  base::NodeId from;
  StoreId from_store;
  base::NodeId to;
  StoreId to_store;  ///< as the sender knows it; another disk refuses the message
  base::Epoch epoch;
  base::Term term;  ///< the sender's when it was made
  Body body;
  bool operator==(const Message&) const = default;
};

}  // namespace fastgpu::raft
