#pragma once

/// Steps the worker machine of one device and owns what runs things there: the device's executor
/// and the runner of commands, whose events arrive as messages from threads of their own. Hears the
/// leaders of shards, objects, and who watches GPUs; tells nodes, objects, logs and the monitor.

#include <memory>
#include <string>
#include <vector>

#include "actors/base_actor.hpp"
#include "actors/command_desk.hpp"
#include "runtime/books/device_books.hpp"
#include "runtime/exec/executor.hpp"
#include "runtime/exec/warden/command_runner.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::actors {

/// What a worker runs things with; not started yet.
struct WorkerParts {
  std::unique_ptr<exec::Executor> executor;
  books::DeviceShape expected;                  ///< before the executor is up, where it is known
  std::unique_ptr<exec::CommandRunner> runner;  ///< null: this device takes no commands
  std::string no_commands_why{"this device runs kernels only"};  ///< told then
  std::vector<std::string> hidden_folders;  ///< host paths that no command may see
  std::vector<std::string> device_files;    ///< of /dev, which its commands are given
};

class WorkerActor final : public BaseActor {
 public:
  /// `ordinal` is the device's place in the directory.
  WorkerActor(caf::actor_config& config, ContextPtr context, std::uint16_t ordinal,
              WorkerParts parts);

 private:
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_exit() override {
    parts_.runner.reset();
    parts_.executor.reset();
  }
  void on_tick() override { step(worker::Tick{}); }
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }
  void hear(const FromPeer& said);
  void hear(const exec::CommandEvent& event);
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
  void perform(worker::ExtendLease& extend);
  void perform(worker::StopCommand& stop);
  void perform(protocol::DeviceBooks& books);

  worker::WorkerMachine machine_;
  WorkerParts parts_;
  CommandDesk desk_;
};

}  // namespace fastgpu::actors

FASTGPU_LOCAL_MESSAGE(fastgpu::exec::ExecutorEvent)
FASTGPU_LOCAL_MESSAGE(fastgpu::exec::CommandEvent)
FASTGPU_LOCAL_MESSAGE(fastgpu::exec::GpuProcesses)
FASTGPU_LOCAL_MESSAGE(fastgpu::worker::DeviceAccused)
FASTGPU_LOCAL_MESSAGE(fastgpu::protocol::DeviceTelemetry)
