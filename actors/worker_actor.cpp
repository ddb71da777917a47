#include "actors/worker_actor.hpp"

#include <utility>

#include "actors/executor_words.hpp"

namespace fastgpu::actors {

WorkerActor::WorkerActor(caf::actor_config& config, ContextPtr context, std::uint16_t ordinal,
                         std::unique_ptr<exec::Executor> executor)
    : BaseActor(config, context, "worker"),
      machine_({{context->self.node, ordinal}, context->incarnation}),
      executor_(std::move(executor)) {}

caf::message_handler WorkerActor::handlers() {
  return {on<FromPeer>([this](const FromPeer& said) { hear(said); }),
          on<protocol::Staged>([this](const protocol::Staged& staged) { step(staged); }),
          on<protocol::Kept>([this](const protocol::Kept& kept) { step(kept); }),
          on<protocol::FolderReady>([this](const protocol::FolderReady& ready) { step(ready); }),
          on<protocol::FolderCollected>(
              [this](const protocol::FolderCollected& collected) { step(collected); }),
          on<exec::ExecutorEvent>(
              [this](const exec::ExecutorEvent& event) { step(worker_event_of(event)); })};
}

void WorkerActor::on_begin() {
  // A weak handle: the executor is owned by this actor and must not keep it alive.
  executor_->start([self = caf::actor_cast<caf::actor_addr>(this)](const auto& event) {
    if (auto strong = caf::actor_cast<caf::actor>(self)) {
      caf::anon_send(strong, event);
    }
  });
}

void WorkerActor::hear(const FromPeer& said) {
  std::visit(
      [&](const auto& message) {
        using Heard = worker::FromLeader<std::decay_t<decltype(message)>>;
        if constexpr (std::is_constructible_v<worker::Event, Heard>) {
          step(Heard{said.node, message});
        }
      },
      *said.message);
}

void WorkerActor::step(const worker::Event& event) {
  auto effects = machine_.step(event, now());
  if (context().observer) {
    context().observer->worker_stepped(context().self, machine_);
  }
  for (auto& effect : effects) {
    std::visit([this](auto& what) { perform(what); }, effect);
  }
}

void WorkerActor::perform(worker::SendToNode& send) {
  tell_node(send.node, std::move(send.message));
}

void WorkerActor::perform(protocol::Stage& stage) {
  tell(directory().objects, std::move(stage));
}

void WorkerActor::perform(protocol::Keep& keep) {
  tell(directory().objects, std::move(keep));
}

void WorkerActor::perform(protocol::PrepareFolder& prepare) {
  tell(directory().objects, std::move(prepare));
}

void WorkerActor::perform(protocol::CollectFolder& collect) {
  tell(directory().objects, std::move(collect));
}

void WorkerActor::perform(protocol::DropFolder& drop) {
  tell(directory().objects, std::move(drop));
}

void WorkerActor::perform(worker::Launch& launch) {
  trace(base::to_string(launch.job) + " task " + std::to_string(launch.task) + " -> launched");
  if (!executor_->submit(executor_task_of(launch))) {
    step(worker::LaunchRefused{launch.token});
  }
}

void WorkerActor::perform(worker::KillExecutor& kill) {
  trace(kill.why + " -> the executor is killed");
  executor_->kill(kill.why.c_str());
}

void WorkerActor::perform(worker::LaunchCommand& launch) {
  trace(base::to_string(launch.job) + " task " + std::to_string(launch.task) +
        " is a command, and this node has no warden -> not started");
  step(worker::LaunchRefused{launch.token});
}

void WorkerActor::perform(protocol::DeviceBooks& books) {
  tell(directory().monitor, std::move(books));
}

}  // namespace fastgpu::actors
