#pragma once

/// What the gateway wants done, in this order. Each may be lost: the deadline of the call covers
/// it.

#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::session {

/// To the replica of `request.shard` on this node. Answered by protocol::ShardReply.
struct AskShard {
  protocol::ShardRequest request;
  bool operator==(const AskShard&) const = default;
};
/// To the objects of this node. Answered by protocol::ObjectReply.
struct AskObjects {
  protocol::ObjectRequest request;
  bool operator==(const AskObjects&) const = default;
};
/// To the logs of this node. Answered by protocol::LogAnswer.
struct AskLogs {
  protocol::LogRead read;
  bool operator==(const AskLogs&) const = default;
};
/// To the gateway of a node. Answered by PeerReplied.
struct ForwardToPeer {
  base::NodeId node;
  protocol::Forward forward;
  bool operator==(const ForwardToPeer&) const = default;
};
/// To the objects of a node, maybe this one. Answered by InputsPinned.
struct PinInputs {
  base::NodeId node;
  protocol::ObjectPin pin;
  bool operator==(const PinInputs&) const = default;
};
struct ReplyToPeer {
  base::NodeId node;
  protocol::ForwardReply reply;
  bool operator==(const ReplyToPeer&) const = default;
};
/// Exactly one for each ClientAsked that was not a repeat, unless its session ends before.
struct ReplyToClient {
  base::SessionId session;
  base::CallId call;
  protocol::ClientReply reply;
  bool operator==(const ReplyToClient&) const = default;
};

using GatewayEffect = std::variant<AskShard, AskObjects, AskLogs, ForwardToPeer, PinInputs,
                                   ReplyToPeer, ReplyToClient>;
using GatewayEffects = std::vector<GatewayEffect>;

}  // namespace fastgpu::session
