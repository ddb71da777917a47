#include "actors/gateway_actor.hpp"

#include <utility>

namespace fastgpu::actors {

GatewayActor::GatewayActor(caf::actor_config& config, ContextPtr context)
    : BaseActor(config, std::move(context), "gateway"),
      machine_({this->context().self.node, this->context().incarnation,
                this->context().layout.shard_count, this->context().replicated}) {}

caf::message_handler GatewayActor::handlers() {
  return {on<FromClient>([this](const FromClient& message) {
            step(session::ClientAsked{message.session, message.call, *message.request});
          }),
          on<ClientGone>(
              [this](const ClientGone& message) { step(session::SessionEnded{message.session}); }),
          on<FromPeer>([this](const FromPeer& message) { handle_peer(message); }),
          on<protocol::ShardReply>([this](const protocol::ShardReply& reply) { step(reply); }),
          on<protocol::ObjectReply>([this](const protocol::ObjectReply& reply) { step(reply); }),
          on<protocol::LogAnswer>([this](const protocol::LogAnswer& answer) { step(answer); }),
          on<protocol::SharedView>(
              [this](const protocol::SharedView& view) { step(session::ViewChanged{view}); })};
}

void GatewayActor::on_tick() {
  step(session::GatewayTick{});
}

void GatewayActor::handle_peer(const FromPeer& message) {
  if (const auto* forward = std::get_if<protocol::Forward>(message.message.get())) {
    step(session::PeerForwarded{message.node, *forward});
  } else if (const auto* reply = std::get_if<protocol::ForwardReply>(message.message.get())) {
    step(session::PeerReplied{message.node, *reply});
  } else if (const auto* pinned = std::get_if<protocol::ObjectPinned>(message.message.get())) {
    step(session::InputsPinned{message.node, *pinned});
  }
}

void GatewayActor::step(const session::GatewayEvent& event) {
  for (const session::GatewayEffect& effect : machine_.step(event, now())) {
    std::visit([this](const auto& what) { perform(what); }, effect);
  }
}

void GatewayActor::perform(const session::AskShard& effect) {
  const auto shard = directory().shards.find(effect.request.shard);
  if (shard != directory().shards.end()) {
    tell(shard->second, effect.request);
    return;
  }
  step(protocol::ShardReply{
      effect.request.call, effect.request.shard,
      base::Error{base::ErrorKind::unavailable, base::ErrorCode::shard_unavailable,
                  context().self.name + " keeps no replica of shard " +
                      std::to_string(effect.request.shard.value),
                  ""}});
}

void GatewayActor::perform(const session::AskObjects& effect) {
  tell(directory().objects, effect.request);
}

void GatewayActor::perform(const session::AskLogs& effect) {
  tell(directory().logs, effect.read);
}

void GatewayActor::perform(const session::ForwardToPeer& effect) {
  tell_node(effect.node, effect.forward);
}

void GatewayActor::perform(const session::PinInputs& effect) {
  tell_node(effect.node, effect.pin);
}

void GatewayActor::perform(const session::ReplyToPeer& effect) {
  tell_node(effect.node, effect.reply);
}

void GatewayActor::perform(const session::ReplyToClient& effect) {
  auto reply = std::make_shared<protocol::ClientReply>(effect.reply);
  if (auto* status = std::get_if<protocol::ClusterStatus>(reply.get())) {
    status->wall_time_ms = context().wall_clock();  // a stamp, as late as it can be
  }
  tell(directory().link, ToClient{effect.session, effect.call, std::move(reply)});
}

}  // namespace fastgpu::actors
