#pragma once

/// Between the node's actors and the wire: decodes what comes and hands it to the actor concerned,
/// encodes what goes. Owns the link, whose events arrive as messages from its own thread. What this
/// node says to itself takes the same way without being encoded. What replicas say to those of one
/// node at about the same time is one frame (RaftOutbox). A body that cannot be read is
/// dropped, counted and told in the trace; a client is told so where its call can still be made
/// out.

#include <map>
#include <memory>
#include <string>

#include "actors/base_actor.hpp"
#include "actors/replica/raft_outbox.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/link/link.hpp"
#include "runtime/link/refusal_news.hpp"

namespace fastgpu::actors {

class LinkActor final : public BaseActor {
 public:
  /// The composition root starts `link` with `sink_to` this actor, and makes it listen.
  /// `raft_heartbeats`: the interval at which the node's replicas send theirs.
  LinkActor(caf::actor_config& config, ContextPtr context, std::shared_ptr<link::Link> link,
            base::Duration raft_heartbeats = base::limits::heartbeat_interval);

  /// What `link` must be started with: events become messages to `actor`.
  static link::Sink sink_to(caf::actor actor);

 private:
  caf::message_handler handlers() override;
  void on_exit() override { link_->stop(); }
  void on_tick() override { send_gathered(); }
  std::optional<base::Time> next_deadline() const override { return outbox_.next_deadline(); }
  void handle_event(const link::LinkEvent& event);
  void receive(const link::FrameReceived& frame);
  void receive_peer(const link::FrameReceived& frame);
  void receive_client(const link::FrameReceived& frame);
  /// Counts a frame that cannot be read, and tells the node's trace (`fastgpu-node run -v`).
  void drop(const link::FrameReceived& frame, const std::string& why);
  void send(const ToPeer& message);
  void send_frame(base::NodeId node, const protocol::PeerMessage& message);
  void send_gathered();
  void reply(const ToClient& message);
  void deliver(base::NodeId from, base::Incarnation incarnation,
               std::shared_ptr<const protocol::PeerMessage> message);

  std::shared_ptr<link::Link> link_;
  link::LinkIdentity identity_;
  std::map<base::NodeId, base::Incarnation> up_;  ///< peers, in the life in which they are up
  std::uint64_t unreadable_{0};
  link::RefusalNews refusals_;
  RaftOutbox outbox_;
  bool sending_soon_{false};  ///< a SendGathered is under way
};

}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::link::LinkEvent)
