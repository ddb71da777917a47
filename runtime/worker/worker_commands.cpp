/// From a command's folder to its report. A command holds its slot from the preparing of its folder
/// to the keeping of its results; its warden answers for its end.

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/protocol/arguments.hpp"
#include "runtime/worker/arguments.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

namespace {

using base::FailureReason;
using protocol::fill_in;

/// One folder for each attempt of a task, so that no two executions ever meet in one.
std::string folder_of(const Attempt& attempt, const Task& task) {
  return std::to_string(attempt.job.value) + "." + std::to_string(task.index) + "." +
         base::to_string(attempt.id);
}

std::vector<protocol::FolderFile> files_of(const protocol::JobSpec& spec, std::uint32_t task) {
  std::vector<protocol::FolderFile> files;
  for (const protocol::InputFile& input : spec.command.inputs)
    if (const protocol::Data* const data = data_of(input.data, task))
      files.push_back({fill_in(input.path, task, spec.tasks), input.executable, *data});
  return files;
}

/// Why a folder that could not be filled ends its task.
FailureReason reason_of(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::disk_full:
      return FailureReason::disk_full;
    case base::ErrorCode::object_missing:
      return FailureReason::input_missing;
    case base::ErrorCode::output_missing:
      return FailureReason::output_missing;
    default:
      return FailureReason::staging_failed;
  }
}

}  // namespace

WorkerMachine::Try WorkerMachine::try_command(Attempt& attempt, std::size_t place) {
  if (!commands_up_)
    return Try::wait;
  // A command may use all of the device: it shares it with no kernel.
  const bool kernels = std::any_of(in_flight_.begin(), in_flight_.end(),
                                   [](const auto& entry) { return !entry.second.command; });
  if (kernels)
    return Try::full;
  Task& task = attempt.tasks[place];
  move(attempt, task, Phase::running);
  launched_ = true;
  const LaunchToken token{++last_token_};
  InFlight launch{{attempt.id, place}, now_, false, Command{}};
  launch.command->folder = folder_of(attempt, task);
  effects_.push_back(protocol::PrepareFolder{
      options_.device, {token.value}, launch.command->folder, files_of(*attempt.spec, task.index)});
  in_flight_.emplace(token, std::move(launch));
  return Try::consumed;
}

/// The command in flight under this token and in this step; null for any other.
InFlight* WorkerMachine::command_at(std::uint64_t token, CommandStep step) {
  const auto found = in_flight_.find(LaunchToken{token});
  const bool fits =
      found != in_flight_.end() && found->second.command && found->second.command->step == step;
  return fits ? &found->second : nullptr;
}

void WorkerMachine::on(const protocol::FolderReady& event) {
  InFlight* const launch = command_at(event.token.value, CommandStep::preparing);
  if (launch == nullptr)
    return;
  const LaunchToken token{event.token.value};
  Attempt& attempt = attempts_.at(launch->task.attempt);
  Task& task = attempt.tasks[launch->task.place];
  if (task.stopped) {
    end_command(token, outcome_of(attempt, FailureReason::cancelled, "stopped"));
    return;
  }
  if (!event.ok) {
    // A holder that is away may come back with the object: to be asked again, not a failure.
    if (event.error.kind == base::ErrorKind::unavailable)
      put_back(token, folder_retry_delay);
    else
      end_command(token, outcome_of(attempt, reason_of(event.error), event.error.message));
    return;
  }
  const Shard& shard = shards_.at(attempt.id.shard);
  if (!leased(attempt.id.shard, now_) || !shard.leased_from) {
    put_back(token, launch_retry_delay);
    return;
  }
  launch->command->step = CommandStep::running;
  launch->launched_at = now_;
  effects_.push_back(RunCommand{token, attempt.job, task.index, attempt.id, attempt.spec,
                                event.path, *shard.leased_from + attempt.spec->command_lease()});
}

/// Back to the queue, before it ran; its folder is made anew.
void WorkerMachine::put_back(LaunchToken token, base::Duration pause) {
  const auto found = in_flight_.find(token);
  const TaskRef ref = found->second.task;
  effects_.push_back(protocol::DropFolder{found->second.command->folder});
  in_flight_.erase(found);
  run_again(ref);
  launch_not_before_ = now_ + pause;
}

void WorkerMachine::on(const CommandRefused& event) {
  if (command_at(event.token.value, CommandStep::running) != nullptr)
    put_back(event.token, launch_retry_delay);
}

void WorkerMachine::on(const CommandsReady&) {
  commands_up_ = true;
}

void WorkerMachine::on(const CommandStarted& event) {
  InFlight* const launch = command_at(event.token.value, CommandStep::running);
  if (launch == nullptr)
    return;
  launch->command->end.protection = event.protection;
  log(*launch, base::LogStream::started, event.time_ns,
      base::Bytes::copy_of(std::string_view(event.protection)));
}

void WorkerMachine::on(const CommandWrote& event) {
  if (InFlight* const launch = command_at(event.token.value, CommandStep::running))
    log(*launch, event.stream, event.time_ns, event.bytes);
}

void WorkerMachine::log(const InFlight& launch, base::LogStream stream, std::int64_t time_ns,
                        base::Bytes bytes) {
  const Attempt& attempt = attempts_.at(launch.task.attempt);
  effects_.push_back(protocol::LogAppend{{{attempt.job, attempt.tasks[launch.task.place].index,
                                           attempt.id, stream, time_ns, std::move(bytes)}}});
}

void WorkerMachine::on(const CommandEnded& event) {
  InFlight* const launch = command_at(event.token.value, CommandStep::running);
  if (launch == nullptr)
    return;
  Attempt& attempt = attempts_.at(launch->task.attempt);
  const Task& task = attempt.tasks[launch->task.place];
  log(*launch, base::LogStream::ended, event.time_ns,
      base::Bytes::copy_of(std::string_view(event.message)));
  Command& command = *launch->command;
  const std::string protection = command.end.protection;
  command.end = event.end;
  if (command.end.protection.empty())
    command.end.protection = protection;
  command.device_ns = (now_ - launch->launched_at).count();
  if (task.stopped) {
    end_command(event.token, outcome_of(attempt, FailureReason::cancelled, "stopped"));
    return;
  }
  if (event.reason != FailureReason::none) {
    end_command(event.token, outcome_of(attempt, event.reason, event.message));
    return;
  }
  run_times_.ran(attempt.program, command.device_ns);
  const protocol::CommandSpec& spec = attempt.spec->command;
  if (spec.outputs.empty()) {
    end_command(event.token, outcome_of(attempt, FailureReason::none, ""));
    return;
  }
  command.step = CommandStep::collecting;
  protocol::CollectFolder collect{
      options_.device, {event.token.value}, attempt.job, command.folder, {}};
  for (const std::string& output : spec.outputs)
    collect.outputs.push_back(fill_in(output, task.index, attempt.spec->tasks));
  effects_.push_back(std::move(collect));
}

void WorkerMachine::on(const protocol::FolderCollected& event) {
  InFlight* const launch = command_at(event.token.value, CommandStep::collecting);
  if (launch == nullptr)
    return;
  const LaunchToken token{event.token.value};
  Attempt& attempt = attempts_.at(launch->task.attempt);
  if (attempt.tasks[launch->task.place].stopped) {
    end_command(token, outcome_of(attempt, FailureReason::cancelled, "stopped"));
    return;
  }
  if (!event.ok) {
    end_command(token, outcome_of(attempt, reason_of(event.error), event.error.message));
    return;
  }
  auto outcome = outcome_of(attempt, FailureReason::none, "");
  for (const protocol::OutputFile& file : event.outputs) {
    outcome.outputs.push_back(file.data);
    launch->command->end.output_paths.push_back(file.path);
  }
  end_command(token, std::move(outcome));
}

/// The one place where a command leaves its slot with a report.
void WorkerMachine::end_command(LaunchToken token, protocol::TaskOutcome outcome) {
  const auto found = in_flight_.find(token);
  FASTGPU_CHECK(found != in_flight_.end() && found->second.command, "a command in flight ends");
  const InFlight launch = std::move(found->second);
  in_flight_.erase(found);
  last_end_ = now_;
  Attempt& attempt = attempts_.at(launch.task.attempt);
  outcome.command = launch.command->end;
  outcome.timings.queue_ns = (launch.launched_at - attempt.granted_at).count();
  outcome.timings.run_ns = launch.command->device_ns;
  effects_.push_back(protocol::DropFolder{launch.command->folder});
  finish(attempt, attempt.tasks[launch.task.place], std::move(outcome), launch.command->device_ns);
}

/// It is proven that nothing of its commands runs any more: they may run again.
void WorkerMachine::on(const CommandsDied& event) {
  commands_up_ = false;
  for (const LaunchToken token : event.in_flight) {
    InFlight* const launch = command_at(token.value, CommandStep::running);
    if (launch == nullptr)
      continue;
    Attempt& attempt = attempts_.at(launch->task.attempt);
    launch->command->device_ns = (now_ - launch->launched_at).count();
    const bool stopped = attempt.tasks[launch->task.place].stopped;
    end_command(token, stopped ? outcome_of(attempt, FailureReason::cancelled, "stopped")
                               : outcome_of(attempt, FailureReason::node_lost,
                                            "the warden of its commands died: " + event.reason));
  }
}

/// A command that is not wanted any more is asked to end; its end is told as usual.
void WorkerMachine::stop_command(const Attempt& attempt, const Task& task) {
  for (const auto& [token, launch] : in_flight_) {
    const bool meant = launch.command && launch.task.attempt == attempt.id &&
                       &attempt.tasks[launch.task.place] == &task;
    if (meant && launch.command->step == CommandStep::running)
      effects_.push_back(StopCommand{token, "stopped"});
  }
}

/// Commands of the shard may run on: their leader was heard, counted from the asking.
void WorkerMachine::extend_commands(base::ShardId id, const Shard& shard) {
  for (const auto& [token, launch] : in_flight_) {
    if (launch.task.attempt.shard != id || !launch.command)
      continue;
    const Attempt& attempt = attempts_.at(launch.task.attempt);
    if (launch.command->step == CommandStep::running)
      effects_.push_back(ExtendLease{token, *shard.leased_from + attempt.spec->command_lease()});
  }
}

}  // namespace fastgpu::worker
