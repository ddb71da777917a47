#include "actors/link_actor.hpp"

#include <utility>

#include "actors/routing.hpp"
#include "runtime/codec/client_codec.hpp"
#include "runtime/codec/peer_codec.hpp"

namespace fastgpu::actors {
namespace {

/// A joiner speaks under a key of its token, not yet under one of its own.
bool may_ask(const base::CallerPtr& caller, const protocol::ClientRequest& request) {
  return !caller || caller->kind != base::CallerKind::joiner ||
         std::holds_alternative<protocol::Join>(request);
}

/// To itself, behind what it has been told by now.
struct SendGathered {};

}  // namespace
}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::actors::SendGathered)

namespace fastgpu::actors {

LinkActor::LinkActor(caf::actor_config& config, ContextPtr context,
                     std::shared_ptr<link::Link> link, base::Duration raft_heartbeats)
    : BaseActor(config, std::move(context), "link"),
      link_(std::move(link)),
      identity_{this->context().cluster, this->context().self.node, this->context().incarnation},
      outbox_(raft_heartbeats) {}

link::Sink LinkActor::sink_to(caf::actor actor) {
  return [address = caf::actor_cast<caf::actor_addr>(actor)](link::LinkEvent event) {
    if (auto strong = caf::actor_cast<caf::actor>(address)) {
      caf::anon_send(strong, std::move(event));
    }
  };
}

caf::message_handler LinkActor::handlers() {
  return {on<link::LinkEvent>([this](const link::LinkEvent& event) { handle_event(event); }),
          on<ToPeer>([this](const ToPeer& message) { send(message); }),
          on<SendGathered>([this](const SendGathered&) {
            sending_soon_ = false;
            send_gathered();
          }),
          on<ToClient>([this](const ToClient& message) { reply(message); }),
          on<DialPeer>([this](const DialPeer& dial) {
            link_->connect(link::peer_endpoint(dial.info.node), dial.info.address, dial.info.key);
          })};
}

void LinkActor::handle_event(const link::LinkEvent& event) {
  if (const auto* frame = std::get_if<link::FrameReceived>(&event)) {
    receive(*frame);
    link_->consumed(frame->from, frame->bytes());
  } else if (const auto* up = std::get_if<link::PeerUp>(&event)) {
    up_[up->node] = up->incarnation;
    tell(directory().monitor, PeerUp{up->node, up->incarnation});
  } else if (const auto* down = std::get_if<link::PeerDown>(&event)) {
    const base::NodeId node = link::node_of(down->endpoint);
    trace(to_string(node) + " is down -> " + std::string(link::to_string(down->reason)));
    tell(directory().monitor, PeerDown{node, up_[node], down->reason == link::DownReason::silent});
  } else if (const auto* closed = std::get_if<link::SessionClosed>(&event)) {
    tell(directory().gateway, ClientGone{link::session_of(closed->endpoint)});
  } else if (const auto* refused = std::get_if<link::CallerRefused>(&event)) {
    const auto news = refusals_.hear(*refused, now());
    if (news && context().warn) {
      context().warn(*news);
    }
  }
}

void LinkActor::receive(const link::FrameReceived& frame) {
  if (frame.header.kind == link::FrameKind::peer) {
    receive_peer(frame);
  } else if (frame.header.kind == link::FrameKind::client_request && link::is_session(frame.from)) {
    receive_client(frame);
  } else {
    drop(frame, "it is of a kind that nobody here reads");
  }
}

void LinkActor::receive_peer(const link::FrameReceived& frame) {
  base::Result<protocol::PeerMessage> message = codec::decode_peer(frame.body.span());
  if (!message.ok()) {
    return drop(frame, message.error().message);
  }
  deliver(frame.header.sender, frame.header.incarnation,
          std::make_shared<const protocol::PeerMessage>(std::move(message).value()));
}

void LinkActor::receive_client(const link::FrameReceived& frame) {
  const base::SessionId session = link::session_of(frame.from);
  base::Result<codec::ClientCall> call = codec::decode_client_call(frame.body.span());
  if (call.ok() && !may_ask(frame.caller, call.value().request)) {
    drop(frame, "who shows a join token may ask to join and nothing else");
    const protocol::ClientReply denied =
        base::Error{base::ErrorKind::rejected, base::ErrorCode::denied,
                    "a join token lets a node join; it is no client's key", ""};
    return reply(
        {session, call.value().call, std::make_shared<const protocol::ClientReply>(denied)});
  }
  if (call.ok()) {
    tell(directory().gateway, FromClient{session, call.value().call,
                                         std::make_shared<const protocol::ClientRequest>(
                                             std::move(call.value().request))});
    return;
  }
  drop(frame, call.error().message);
  if (const auto number = codec::peek_call(frame.body.span())) {
    reply({session, *number, std::make_shared<const protocol::ClientReply>(call.error())});
  }
}

void LinkActor::drop(const link::FrameReceived& frame, const std::string& why) {
  const std::string whose = link::is_session(frame.from)
                                ? "client " + std::to_string(link::session_of(frame.from).value)
                                : to_string(frame.header.sender);
  trace("frame of " + whose + " dropped, " + std::to_string(++unreadable_) +
        " unreadable ones so far -> " + why);
}

void LinkActor::send(const ToPeer& message) {
  if (message.node == identity_.node) {
    deliver(identity_.node, identity_.incarnation, message.message);
    return;
  }
  const auto* of_replica = std::get_if<protocol::RaftMessage>(message.message.get());
  if (of_replica == nullptr) {
    return send_frame(message.node, *message.message);
  }
  outbox_.add(message.node, *of_replica, message.may_wait, now());
  if (outbox_.is_urgent() && !sending_soon_) {
    sending_soon_ = true;
    tell(caf::actor_cast<caf::actor>(this), SendGathered{});
  }
}

void LinkActor::send_gathered() {
  for (const auto& [node, message] : outbox_.take(now())) {
    send_frame(node, message);
  }
}

void LinkActor::send_frame(base::NodeId node, const protocol::PeerMessage& message) {
  const auto [shard, epoch] = shard_of(message);
  const base::Bytes body = codec::encode(message);
  const link::SendResult sent = link_->send(
      link::peer_endpoint(node),
      link::encode(link::header_from(identity_, link::FrameKind::peer, shard, epoch), body.span()));
  if (sent == link::SendResult::too_large) {
    trace("message to " + to_string(node) + " dropped -> " + std::to_string(body.size()) +
          " bytes are too large for a frame");
  }
  // What is not queued counts as lost: every sender asks again by its own deadline.
}

void LinkActor::reply(const ToClient& message) {
  const base::Bytes body = codec::encode(message.call, *message.reply);
  const link::FrameHeader header = link::header_from(identity_, link::FrameKind::client_reply);
  const link::Endpoint session = link::session_endpoint(message.session);
  if (link_->send(session, link::encode(header, body.span())) == link::SendResult::too_large) {
    const protocol::ClientReply error = base::Error{
        base::ErrorKind::rejected, base::ErrorCode::too_large,
        "the answer takes " + std::to_string(body.size()) + " bytes, more than a frame holds",
        "ask for less at once"};
    link_->send(session, link::encode(header, codec::encode(message.call, error).span()));
  }
}

void LinkActor::deliver(base::NodeId from, base::Incarnation incarnation,
                        std::shared_ptr<const protocol::PeerMessage> message) {
  if (const auto* batch = std::get_if<protocol::RaftBatch>(message.get())) {
    for (const protocol::RaftMessage& one : batch->messages) {
      deliver(from, incarnation, std::make_shared<const protocol::PeerMessage>(one));
    }
    return;
  }
  for (const caf::actor& receiver : receivers_of(directory(), *message)) {
    tell(receiver, FromPeer{from, incarnation, message});
  }
}

}  // namespace fastgpu::actors
