#pragma once

/// What the gateway is told. A repeated event changes nothing while its first one is being served.

#include <variant>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::session {

/// A client of this node asks.
struct ClientAsked {
  base::SessionId session;
  base::CallId call;
  protocol::ClientRequest request;
  bool operator==(const ClientAsked&) const = default;
};
/// Nobody waits any more for the answers of this session.
struct SessionEnded {
  base::SessionId session;
  bool operator==(const SessionEnded&) const = default;
};
/// The gateway of another node passes a request on, because this node leads its shard or keeps the
/// log.
struct PeerForwarded {
  base::NodeId node;
  protocol::Forward forward;
  bool operator==(const PeerForwarded&) const = default;
};
/// The answer to a Forward of ours.
struct PeerReplied {
  base::NodeId node;
  protocol::ForwardReply reply;
  bool operator==(const PeerReplied&) const = default;
};
/// The answer to a PinInputs.
struct InputsPinned {
  base::NodeId node;
  protocol::ObjectPinned answer;
  bool operator==(const InputsPinned&) const = default;
};
struct ViewChanged {
  protocol::SharedView view;
  bool operator==(const ViewChanged&) const = default;
};
/// `next_deadline()` has come.
struct GatewayTick {
  bool operator==(const GatewayTick&) const = default;
};

using GatewayEvent = std::variant<ClientAsked, SessionEnded, PeerForwarded, PeerReplied,
                                  protocol::ShardReply, protocol::ObjectReply, protocol::LogAnswer,
                                  InputsPinned, ViewChanged, GatewayTick>;

}  // namespace fastgpu::session
