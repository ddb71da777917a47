#pragma once

/// Everything that the monitor machine can do to the world, performed in order. NodeLost is said
/// before the view that shows it.

#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::membership {

/// Heartbeat, MembersAsk or Members. May be lost.
struct SendToNode {
  base::NodeId node;
  protocol::PeerMessage message;
  bool operator==(const SendToNode&) const = default;
};
/// Keep a connection to this node from now on; said once per node and address.
struct DialNode {
  protocol::NodeInfo info;
  bool operator==(const DialNode&) const = default;
};
/// SharedView goes to everybody who looks at the cluster; compared by identity. NodeLost goes to
/// the shards.
using Effect = std::variant<SendToNode, DialNode, protocol::SharedView, protocol::NodeLost>;
using Effects = std::vector<Effect>;

}  // namespace fastgpu::membership
