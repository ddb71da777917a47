#pragma once

/// The actor around the gateway machine: what clients of this node ask, answered by a deadline.
/// Between the link, the shards and the objects of the node, and the gateways of other nodes.

#include "actors/base_actor.hpp"
#include "runtime/session/gateway_machine.hpp"

namespace fastgpu::actors {

class GatewayActor final : public BaseActor {
 public:
  GatewayActor(caf::actor_config& config, ContextPtr context);

 private:
  caf::message_handler handlers() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }

  void handle_peer(const FromPeer& message);
  void step(const session::GatewayEvent& event);
  void perform(const session::AskShard& effect);
  void perform(const session::AskObjects& effect);
  void perform(const session::AskLogs& effect);
  void perform(const session::ForwardToPeer& effect);
  void perform(const session::PinInputs& effect);
  void perform(const session::ReplyToPeer& effect);
  void perform(const session::ReplyToClient& effect);

  session::GatewayMachine machine_;
};

}  // namespace fastgpu::actors
