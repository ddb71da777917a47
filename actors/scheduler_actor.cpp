#include "actors/scheduler_actor.hpp"

#include <utility>

namespace fastgpu::actors {

SchedulerActor::SchedulerActor(caf::actor_config& config, ContextPtr context)
    : BaseActor(config, std::move(context), "scheduler"), machine_(derived_seed()) {}

caf::message_handler SchedulerActor::handlers() {
  return {pass_on<protocol::TasksReady>(),     pass_on<protocol::TasksGone>(),
          pass_on<protocol::AssignAnswered>(), pass_on<protocol::TasksRan>(),
          pass_on<protocol::ShardRetired>(),   pass_on<protocol::SharedView>()};
}

void SchedulerActor::step(const schedule::Event& event) {
  for (auto& effect : machine_.step(event, now())) {
    std::visit(
        [this](auto& said) {
          const auto shard = directory().shards.find(said.shard);
          if (shard != directory().shards.end()) {
            tell(shard->second, std::move(said));
          }
        },
        effect);
  }
}

}  // namespace fastgpu::actors
