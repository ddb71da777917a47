#include "actors/monitor_actor.hpp"

#include <utility>

#include "actors/replica/members_record.hpp"

namespace fastgpu::actors {

namespace {

membership::MonitorOptions options_of(const NodeContext& context) {
  return {context.cluster, context.self, context.incarnation, context.kept_members, context.seeds};
}

}  // namespace

MonitorActor::MonitorActor(caf::actor_config& config, ContextPtr context)
    : BaseActor(config, context, "monitor"), machine_(options_of(*context)) {}

caf::message_handler MonitorActor::handlers() {
  return {on<FromPeer>([this](const FromPeer& said) { hear(said); }),
          on<PeerUp>([this](const PeerUp& up) {
            step(membership::PeerUp{up.node, up.incarnation});
          }),
          on<PeerDown>([this](const PeerDown& down) {
            step(membership::PeerDown{down.node, down.incarnation});
          }),
          on<ShardLed>([this](const ShardLed& led) { step(membership::ShardLed{led.shard}); }),
          on<protocol::DeviceBooks>([this](const protocol::DeviceBooks& books) { step(books); }),
          on<protocol::ReplicaStands>([this](const protocol::ReplicaStands& said) { step(said); }),
          on<protocol::CopiesStand>([this](const protocol::CopiesStand& said) { step(said); }),
          on<protocol::Members>([this](const protocol::Members& members) {
            step(membership::MembersKnown{members});
          }),
          on<Durable>([this](const Durable& durable) {
            step(membership::MembersKept{durable.token.value});
          })};
}

void MonitorActor::hear(const FromPeer& said) {
  std::visit(
      [&](const auto& message) {
        using Heard = membership::FromPeer<std::decay_t<decltype(message)>>;
        if constexpr (std::is_constructible_v<membership::Event, Heard>) {
          step(Heard{said.node, said.incarnation, message});
        }
      },
      *said.message);
}

void MonitorActor::step(const membership::Event& event) {
  for (auto& effect : machine_.step(event, now())) {
    std::visit([this](auto& what) { perform(what); }, effect);
  }
}

void MonitorActor::perform(membership::SendToNode& send) {
  tell_node(send.node, std::move(send.message));
}

void MonitorActor::perform(membership::DialNode& dial) {
  tell(directory().link, DialPeer{std::move(dial.info)});
}

void MonitorActor::perform(membership::KeepMembers& keep) {
  tell(directory().store, StoreWrite{caf::actor_cast<caf::actor>(this),
                                     {keep.members->version},
                                     {put_members(*keep.members)}});
}

void MonitorActor::perform(protocol::SharedMemberLists& lists) {
  for (const auto& [id, shard] : directory().shards) {
    tell(shard, lists);
  }
}

void MonitorActor::perform(protocol::SharedView& view) {
  tell(directory().gateway, view);
  tell(directory().scheduler, view);
  tell(directory().objects, view);
  for (const auto& [id, shard] : directory().shards) {
    tell(shard, view);
  }
  // Last: who is told so that a node is whole may ask its gateway at once.
  if (context().on_view) {
    context().on_view(view);
  }
}

void MonitorActor::perform(protocol::NodeLost& lost) {
  trace(base::to_string(lost.node) + (lost.proven ? " lives again" : " does not answer") +
        " -> its life " + std::to_string(lost.incarnation.value) + " is lost");
  for (const auto& [id, shard] : directory().shards) {
    tell(shard, lost);
  }
}

}  // namespace fastgpu::actors
