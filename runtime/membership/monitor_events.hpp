#pragma once

/// Everything that the monitor machine can be told: by other monitors, by the link, by the workers
/// and shards of its own node. Any of it may come twice or late.

#include <cstdint>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/cluster.hpp"
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

enum class PeerDownReason : std::uint8_t { reset, refused, closed, silent };

/// The link lost the node, or cannot reach it.
struct PeerDown {
  base::NodeId node;
  PeerDownReason reason{PeerDownReason::reset};
  bool operator==(const PeerDown&) const = default;
};

/// The shards that this node leads now: all of them.
struct LedShardsChanged {
  std::vector<protocol::LedShard> leads;
  bool operator==(const LedShardsChanged&) const = default;
};

/// The own root shard applied a change of members, or the node knew them when it started.
struct MembersKnown {
  protocol::Members members;
  bool operator==(const MembersKnown&) const = default;
};

/// Time has passed: `next_deadline()` was reached.
struct Tick {
  bool operator==(const Tick&) const = default;
};

/// DeviceBooks are those of the own devices, from their workers.
using Event = std::variant<FromPeer<protocol::Heartbeat>, FromPeer<protocol::MembersAsk>,
                           FromPeer<protocol::Members>, PeerUp, PeerDown, protocol::DeviceBooks,
                           LedShardsChanged, MembersKnown, Tick>;

}  // namespace fastgpu::membership
