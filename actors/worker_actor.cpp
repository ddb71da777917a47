#include "actors/worker_actor.hpp"

#include <utility>

#include "actors/executor_words.hpp"
#include "runtime/worker/self_test.hpp"

namespace fastgpu::actors {

WorkerActor::WorkerActor(caf::actor_config& config, ContextPtr context, std::uint16_t ordinal,
                         WorkerParts parts)
    : BaseActor(config, context, "worker"),
      machine_({.device = {context->self.node, ordinal},
                .incarnation = context->incarnation,
                .expected = parts.expected}),
      parts_(std::move(parts)) {}

caf::message_handler WorkerActor::handlers() {
  return {on<FromPeer>([this](const FromPeer& said) { hear(said); }),
          on<protocol::Staged>([this](const protocol::Staged& staged) { step(staged); }),
          on<protocol::Kept>([this](const protocol::Kept& kept) { step(kept); }),
          on<protocol::FolderReady>([this](const protocol::FolderReady& ready) { step(ready); }),
          on<protocol::FolderCollected>(
              [this](const protocol::FolderCollected& collected) { step(collected); }),
          on<exec::ExecutorEvent>(
              [this](const exec::ExecutorEvent& event) { step(worker_event_of(event)); }),
          on<worker::DeviceAccused>([this](const worker::DeviceAccused& accused) {
            trace(accused.why + " -> the device is quarantined");
            step(accused);
          }),
          on<protocol::DeviceTelemetry>(
              [this](const protocol::DeviceTelemetry& telemetry) { step(telemetry); }),
          on<exec::GpuProcesses>([this](const exec::GpuProcesses& use) {
            if (parts_.runner) {
              parts_.runner->note_gpu_use(use.processes);
            }
          }),
          on<exec::CommandEvent>([this](const exec::CommandEvent& event) { hear(event); })};
}

void WorkerActor::on_begin() {
  // A weak handle: who sends is owned by this actor and must not keep it alive.
  const auto to_self = [self = caf::actor_cast<caf::actor_addr>(this)](const auto& event) {
    if (auto strong = caf::actor_cast<caf::actor>(self)) {
      caf::anon_send(strong, event);
    }
  };
  step(worker::WardenAway{parts_.runner ? "the warden of its commands has not started yet"
                                        : parts_.no_commands_why});
  parts_.executor->start(to_self);
  if (parts_.runner) {
    parts_.runner->start(to_self);
  }
}

void WorkerActor::hear(const exec::CommandEvent& event) {
  CommandDesk::Heard heard = desk_.hear(event, context().wall_clock() * 1'000'000);
  if (!heard.log.records.empty()) {
    tell(directory().logs, std::move(heard.log));
  }
  for (const worker::Event& what : heard.events) {
    step(what);
  }
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
  trace(worker::is_self_test(launch) ? "the device is in doubt -> a self-test is launched"
                                     : base::to_string(launch.job) + " task " +
                                           std::to_string(launch.task) + " -> launched");
  if (!parts_.executor->submit(executor_task_of(launch))) {
    step(worker::LaunchRefused{launch.token});
  }
}

void WorkerActor::perform(worker::KillExecutor& kill) {
  trace(kill.why + " -> the executor is killed");
  parts_.executor->kill(kill.why.c_str());
}

void WorkerActor::perform(worker::LaunchCommand& launch) {
  const protocol::DeviceBooks& books = machine_.books();
  exec::CommandTask task =
      desk_.begin(launch, {context().self.name, parts_.hidden_folders, parts_.device_files,
                           books.uuid, books.kind == protocol::DeviceKind::gpu});
  if (parts_.runner && parts_.runner->run(std::move(task))) {
    trace(base::to_string(launch.job) + " task " + std::to_string(launch.task) + " -> started");
    return;
  }
  desk_.forget(launch.token);
  step(worker::LaunchRefused{launch.token});
}

void WorkerActor::perform(worker::ExtendLease& extend) {
  parts_.runner->extend_lease({extend.token.value}, extend.until);
}

void WorkerActor::perform(worker::StopCommand& stop) {
  trace(stop.why + " -> a command is ended");
  parts_.runner->stop({stop.token.value}, stop.why);
}

void WorkerActor::perform(protocol::DeviceBooks& books) {
  tell(directory().monitor, std::move(books));
}

}  // namespace fastgpu::actors
