#pragma once

/// Everything that the monitor machine can be told: by other monitors, by the link, by the workers
/// and shards of its own node. Any of it may come twice or late.

#include <cstdint>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::membership {

/// A message of another monitor. Its frame names the node and that node's life.
template <class Message>
struct FromPeer {
  base::NodeId from;
  base::Incarnation incarnation;
  Message message;
  bool operator==(const FromPeer&) const = default;
};

/// The link reached the node; this life of it answered.
struct PeerUp {
  base::NodeId node;
  base::Incarnation incarnation;
  bool operator==(const PeerUp&) const = default;
};

/// The link lost the node in that life, or cannot reach it (then none). By silence, a reset or a
/// refusal: each time it is suspect at once.
struct PeerDown {
  base::NodeId node;
  base::Incarnation incarnation;
  bool operator==(const PeerDown&) const = default;
};

/// This node leads the shard from now on, or no longer: term 0.
struct ShardLed {
  protocol::LedShard shard;
  bool operator==(const ShardLed&) const = default;
};

/// The actors of the node have begun; so many of them keep a replica of a shard.
struct NodeBegun {
  std::size_t replicas{};
  bool operator==(const NodeBegun&) const = default;
};

/// The own root shard applied a change of members.
struct MembersKnown {
  protocol::Members members;
  bool operator==(const MembersKnown&) const = default;
};

/// What KeepMembers asked for, of the list of that version, is on the disk for good.
struct MembersKept {
  std::uint64_t version{};
  bool operator==(const MembersKept&) const = default;
};

/// Time has passed: `next_deadline()` was reached.
struct Tick {
  bool operator==(const Tick&) const = default;
};

/// DeviceBooks are those of the own devices, from their workers; ReplicaStands and CopiesStand are
/// of the own replicas and objects.
using Event = std::variant<FromPeer<protocol::Heartbeat>, FromPeer<protocol::MembersAsk>,
                           FromPeer<protocol::Members>, PeerUp, PeerDown, protocol::DeviceBooks,
                           ShardLed, MembersKnown, MembersKept, Tick, NodeBegun,
                           protocol::ReplicaStands, protocol::CopiesStand>;

}  // namespace fastgpu::membership
