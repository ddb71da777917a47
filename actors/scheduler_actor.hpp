#pragma once

/// Steps the scheduler machine: what the node's shards have ready goes to devices of the cluster.
/// Hears the shards and the monitor; tells the shard concerned.

#include "actors/base_actor.hpp"
#include "runtime/schedule/scheduler_machine.hpp"

namespace fastgpu::actors {

class SchedulerActor final : public BaseActor {
 public:
  SchedulerActor(caf::actor_config& config, ContextPtr context);

 private:
  caf::message_handler handlers() override;
  void on_tick() override { step(schedule::Tick{}); }
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }
  template <class Message>
  auto pass_on() {
    return on<Message>([this](const Message& message) { step(message); });
  }
  void step(const schedule::Event& event);

  schedule::SchedulerMachine machine_;
};

}  // namespace fastgpu::actors
