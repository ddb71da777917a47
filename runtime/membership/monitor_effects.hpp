#pragma once

/// Everything that the monitor machine can do to the world, performed in order. NodeLost is said
/// before the view that shows it. KeepMembers is answered by MembersKept.

#include <memory>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/member_lists.hpp"
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
/// Put this list on the disk, in place of the one before.
struct KeepMembers {
  std::shared_ptr<const protocol::Members> members;
  bool operator==(const KeepMembers&) const = default;
};
/// SharedView goes to everybody who looks at the cluster; compared by identity, as
/// SharedMemberLists, which goes to the shards. So does NodeLost.
using Effect = std::variant<SendToNode, DialNode, KeepMembers, protocol::SharedView,
                            protocol::SharedMemberLists, protocol::NodeLost>;
using Effects = std::vector<Effect>;

}  // namespace fastgpu::membership
