#pragma once

/// Steps the worker machine of one device and owns the device's executor, whose events arrive as
/// messages from its own thread. Hears the leaders of shards and objects; tells nodes, objects and
/// the monitor.

#include <memory>

#include "actors/base_actor.hpp"
#include "runtime/exec/executor.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::actors {

class WorkerActor final : public BaseActor {
 public:
  /// `ordinal` is the device's place in the directory; the executor is not started yet.
  WorkerActor(caf::actor_config& config, ContextPtr context, std::uint16_t ordinal,
              std::unique_ptr<exec::Executor> executor);

 private:
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_exit() override { executor_.reset(); }
  void on_tick() override { step(worker::Tick{}); }
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }
  void hear(const FromPeer& said);
  void step(const worker::Event& event);
  void perform(worker::SendToNode& send);
  void perform(protocol::Stage& stage);
  void perform(protocol::Keep& keep);
  void perform(protocol::PrepareFolder& prepare);
  void perform(protocol::CollectFolder& collect);
  void perform(protocol::DropFolder& drop);
  void perform(worker::Launch& launch);
  void perform(worker::KillExecutor& kill);
  void perform(worker::LaunchCommand& launch);
  void perform(worker::ExtendLease&) {}
  void perform(worker::StopCommand&) {}
  void perform(protocol::DeviceBooks& books);

  worker::WorkerMachine machine_;
  std::unique_ptr<exec::Executor> executor_;
};

}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::exec::ExecutorEvent)
