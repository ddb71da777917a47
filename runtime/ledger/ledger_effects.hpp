#pragma once

/// All that a shard replica can do to the world. A step's effects are performed in order. What must
/// be durable first (a job's acceptance, a worker's leave to forget an outcome) is never in the
/// step that proposes it, only in the step of the commit.

#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/replicated_log.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

/// ReplicatedLog::propose. What the log answers other than `accepted` comes back as ProposeRefused.
struct Propose {
  base::LogToken token;
  protocol::Entry entry;
  bool operator==(const Propose&) const = default;
};
/// ReplicatedLog::read_index; refusals come back as ProposeRefused.
struct Read {
  base::LogToken token;
  bool operator==(const Read&) const = default;
};
/// ReplicatedLog::compact.
struct Compact {
  base::LogIndex index;
  protocol::LedgerImage image;
  bool operator==(const Compact&) const = default;
};
/// To the gateway of this node.
struct Reply {
  protocol::ShardReply reply;
  bool operator==(const Reply&) const = default;
};
struct SendToNode {
  base::NodeId node;
  protocol::PeerMessage message;
  bool operator==(const SendToNode&) const = default;
};
/// To the scheduler of this node.
struct ToScheduler {
  std::variant<protocol::TasksReady, protocol::TasksGone, protocol::AssignAnswered,
               protocol::TasksRan, protocol::ShardRetired>
      message;
  bool operator==(const ToScheduler&) const = default;
};
/// To the monitor: led here from now on, or no longer (term 0).
struct Led {
  protocol::LedShard shard;
  bool operator==(const Led&) const = default;
};
/// To the monitor: the root's list of members. Only from a replica of shard 0.
struct MembersChanged {
  protocol::Members members;
  bool operator==(const MembersChanged&) const = default;
};

using Effect =
    std::variant<Propose, Read, Compact, Reply, SendToNode, ToScheduler, Led, MembersChanged>;
using Effects = std::vector<Effect>;

}  // namespace fastgpu::ledger
