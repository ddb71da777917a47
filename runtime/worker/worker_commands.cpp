/// Commands: their folders, their leases, their ends.

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/protocol/arguments.hpp"
#include "runtime/worker/arguments.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

using base::FailureReason;

namespace {

std::string folder_name(const Attempt& attempt, std::uint32_t task) {
  const base::AttemptId& id = attempt.id;
  return std::to_string(attempt.job.value) + "." + std::to_string(task) + "." +
         std::to_string(id.shard.value) + "-" + std::to_string(id.epoch.value) + "-" +
         std::to_string(id.term.value) + "-" + std::to_string(id.sequence);
}

/// A command that failed by its own doing keeps what it had written: a log, a checkpoint. One that
/// was stopped, or whose attempt no longer counts, does not.
bool leaves_outputs(FailureReason reason) {
  return reason == FailureReason::none || reason == FailureReason::exit_code ||
         reason == FailureReason::signal || reason == FailureReason::time_limit ||
         reason == FailureReason::host_out_of_memory;
}

}  // namespace

// --- folders -------------------------------------------------------------------------------------

WorkerMachine::Inputs WorkerMachine::want_folder(const Attempt& attempt, std::size_t place,
                                                 StagingFailure& failure) {
  const auto [found, fresh] = folders_.try_emplace(TaskRef{attempt.id, place});
  Folder& folder = found->second;
  if (fresh)
    folder.name = folder_name(attempt, attempt.tasks[place].index);
  if (!folder.path.empty())
    return Inputs::there;
  if (folder.failed || folder.again_at)
    failure = {"the files of its folder", folder.failure};
  if (folder.failed)
    return Inputs::failed;
  if (folder.again_at && now_ < *folder.again_at)
    return folder.failure.kind == base::ErrorKind::unavailable ? Inputs::failed : Inputs::awaited;
  if (!folder.asked)
    ask_folder(attempt, place, folder);
  return Inputs::awaited;
}

void WorkerMachine::ask_folder(const Attempt& attempt, std::size_t place, Folder& folder) {
  const std::uint32_t task = attempt.tasks[place].index;
  folder.again_at.reset();
  folder.asked = protocol::StageToken{++last_token_};
  folder_asks_.emplace(folder.asked, TaskRef{attempt.id, place});
  protocol::PrepareFolder prepare{options_.device, folder.asked, folder.name, {}};
  for (const protocol::InputFile& input : attempt.spec->command.inputs)
    if (const protocol::Data* const data = data_of(input.data, task))
      prepare.files.push_back(
          {protocol::fill_in(input.path, *attempt.spec, task), input.executable, *data});
  effects_.push_back(std::move(prepare));
}

void WorkerMachine::on(const protocol::FolderReady& event) {
  const auto asked = folder_asks_.extract(event.token);
  if (asked.empty())
    return;  // its task is gone, and so is the folder
  Folder& folder = folders_.at(asked.mapped());
  folder.asked = {};
  if (event.ok) {
    folder.path = event.path;
    return;
  }
  folder.failure = event.error;
  if (event.error.kind == base::ErrorKind::unavailable) {
    folder.again_at = now_ + folder_retry_delay;
  } else if (event.error.code == base::ErrorCode::disk_full) {
    // No fault of the task, which has not run: another device may have room.
    note_storing_trouble(event.error);
    folder.again_at = now_ + base::limits::keep_retry_max;
  } else {
    folder.failed = true;
  }
}

void WorkerMachine::drop_folder(const TaskRef& ref) {
  const auto folder = folders_.extract(ref);
  if (folder.empty())
    return;
  folder_asks_.erase(folder.mapped().asked);
  effects_.push_back(protocol::DropFolder{folder.mapped().name});
}

// --- starting, and for how long ------------------------------------------------------------------

bool WorkerMachine::may_run_beside(const Attempt& attempt, const Task& task) const {
  if (in_flight_.empty())
    return true;
  const bool command = attempt.spec->is_command();
  if (in_flight_.begin()->second.command != command)
    return false;
  return !command || std::none_of(in_flight_.begin(), in_flight_.end(), [&](const auto& entry) {
    const TaskRef& other = entry.second.task;
    const Attempt& of_other = attempts_.at(other.attempt);
    return of_other.job == attempt.job && of_other.tasks[other.place].index == task.index;
  });
}

base::Time WorkerMachine::lease_end(const Attempt& attempt) const {
  const Shard& shard = shards_.at(attempt.id.shard);
  if (shard.renewed_at == base::Time::min())
    return shard.renewed_at;
  const base::Duration own(attempt.spec->lease_ns);
  return shard.renewed_at + std::min(own > base::Duration::zero() ? own : shard.command_lease,
                                     base::Duration(base::limits::lease_command_max));
}

/// An Assign that came late may have been given up by its leader, as any command of a node that was
/// silent for the length of its lease.
bool WorkerMachine::is_counted_on(const Attempt& attempt) const {
  return now_ < attempt.start_before ||
         (attempt.listed_at && shards_.at(attempt.id.shard).renewed_at >= *attempt.listed_at);
}

void WorkerMachine::launch_command(Attempt& attempt, std::size_t place) {
  Task& task = attempt.tasks[place];
  FASTGPU_CHECK(leased(attempt.id.shard, now_), "nothing launches without a lease");
  move(attempt, task, Phase::running);
  look_ahead_ = true;
  const LaunchToken token{++last_token_};
  InFlight launched;
  launched.task = {attempt.id, place};
  launched.launched_at = now_;
  launched.command = true;
  launched.lease_until = lease_end(attempt);
  in_flight_.emplace(token, launched);
  effects_.push_back(LaunchCommand{token, attempt.job, task.index, attempt.id, attempt.spec,
                                   folders_.at(launched.task).path, launched.lease_until});
}

/// What has reached its end stays ended: its leader may have placed it anew.
void WorkerMachine::extend_leases(base::ShardId shard) {
  for (auto& [token, launch] : in_flight_) {
    if (!launch.command || launch.task.attempt.shard != shard || launch.stopping ||
        now_ >= launch.lease_until)
      continue;
    const base::Time until = lease_end(attempts_.at(launch.task.attempt));
    if (until <= launch.lease_until)
      continue;
    launch.lease_until = until;
    effects_.push_back(ExtendLease{token, until});
  }
}

void WorkerMachine::stop_command(LaunchToken token, InFlight& launch, std::string why) {
  if (std::exchange(launch.stopping, true))
    return;
  effects_.push_back(StopCommand{token, std::move(why)});
}

std::optional<base::Time> WorkerMachine::commands_due() const {
  std::optional<base::Time> due = command_not_before_;
  const auto consider = [&due](base::Time at) { due = due ? std::min(*due, at) : at; };
  if (warden_away_since_)
    consider(*warden_away_since_ + unhealthy_after);
  for (const auto& [token, launch] : in_flight_) {
    if (!launch.command)
      break;  // nor any other
    if (launch.stopping)
      continue;
    consider(launch.lease_until);
    const std::int64_t limit_ns = attempts_.at(launch.task.attempt).spec->time_limit_ns;
    if (limit_ns > 0 && limit_ns < (base::Time::max() - launch.launched_at).count())
      consider(launch.launched_at + base::Duration(limit_ns));
  }
  for (const auto& [ref, folder] : folders_)
    if (folder.again_at && *folder.again_at > now_)
      consider(*folder.again_at);
  return due;
}

/// The warden keeps lease and limit by itself; this is for one that does not.
void WorkerMachine::watch_commands() {
  if (command_not_before_ && now_ >= *command_not_before_)
    command_not_before_.reset();
  if (warden_away_since_ && now_ >= *warden_away_since_ + unhealthy_after)
    hand_back_commands();
  for (auto& [token, launch] : in_flight_) {
    if (!launch.command)
      break;  // nor any other
    if (launch.stopping)
      continue;
    const std::int64_t limit_ns = attempts_.at(launch.task.attempt).spec->time_limit_ns;
    if (now_ >= launch.lease_until) {
      launch.lease_over = true;
      stop_command(token, launch, "its lease has ended");
    } else if (limit_ns > 0 && (now_ - launch.launched_at).count() >= limit_ns) {
      launch.over_time = true;
      stop_command(token, launch, "time limit");
    }
  }
}

// --- the warden ----------------------------------------------------------------------------------

void WorkerMachine::on(const WardenReady&) {
  ledger_.set_no_commands("");
  warden_away_since_.reset();
  command_not_before_.reset();
}

void WorkerMachine::on(const WardenAway& event) {
  FASTGPU_CHECK(!event.why.empty(), "what takes no commands says why");
  if (books().no_commands_why.empty())
    warden_away_since_ = now_;
  ledger_.set_no_commands(event.why);
}

/// It was given the time of a restart. No more are granted until it is back.
void WorkerMachine::hand_back_commands() {
  warden_away_since_.reset();
  hand_back([](const Attempt& attempt) { return attempt.spec->is_command(); });
}

// --- ends ----------------------------------------------------------------------------------------

/// The time limit counts from here.
void WorkerMachine::on(const CommandStarted& event) {
  const auto found = in_flight_.find(event.token);
  if (found != in_flight_.end() && found->second.command)
    found->second.launched_at = now_;
}

void WorkerMachine::on(const CommandEnded& event) {
  const auto found = in_flight_.find(event.token);
  if (found == in_flight_.end() || !found->second.command)
    return;
  const auto ended = *take_launch(event.token);
  const TaskRef& ref = ended.launch.task;
  Attempt& attempt = attempts_.at(ref.attempt);
  auto outcome = outcome_of(event, ended.launch);
  if (outcome.reason == FailureReason::none)
    run_times_.ran(attempt.program, ended.device_ns);
  if (leaves_outputs(outcome.reason) && !attempt.spec->command.outputs.empty())
    begin_keeping(Keeping{ref, std::move(outcome), {}, ended.device_ns, {}, {}, {}});
  else
    finish(attempt, attempt.tasks[ref.place], std::move(outcome), ended.device_ns);
}

protocol::TaskOutcome WorkerMachine::outcome_of(const CommandEnded& event,
                                                const InFlight& launch) const {
  const Attempt& attempt = attempts_.at(launch.task.attempt);
  FailureReason reason = event.reason;
  std::string message = event.message;
  if (attempt.tasks[launch.task.place].stopped) {
    reason = FailureReason::cancelled;
    message = "stopped";
  } else if (launch.device_lost) {
    if (reason != FailureReason::cancelled)
      message = "it ended when the device was quarantined already";
    reason = FailureReason::device_lost;
  } else if (launch.over_time && reason != FailureReason::none) {
    if (reason != FailureReason::time_limit)
      message = "ended at its time limit";
    reason = FailureReason::time_limit;
  } else if (launch.lease_over && reason != FailureReason::none) {
    reason = FailureReason::node_lost;
    message = "its lease ended: no leader of its shard was heard of";
  }
  auto outcome = outcome_of(attempt, reason, std::move(message));
  outcome.command = event.end;
  outcome.timings.queue_ns = (launch.launched_at - attempt.granted_at).count();
  outcome.timings.run_ns = event.wall_ns;
  return outcome;
}

void WorkerMachine::on(const protocol::FolderCollected& event) {
  const auto found = keeping_.find(event.token);
  if (found == keeping_.end() || found->second.retry_at)
    return;
  const bool succeeded = found->second.outcome.reason == FailureReason::none;
  if (!event.ok && succeeded && event.error.code != base::ErrorCode::output_missing) {
    keep_failed(event.token, event.error);
    return;
  }
  const Keeping kept = std::move(found->second);
  keeping_.erase(found);
  auto outcome = kept.outcome;
  if (event.ok) {
    storing_.reset();
    for (const protocol::OutputFile& output : event.outputs) {
      outcome.outputs.push_back(output.data);
      outcome.command.output_paths.push_back(output.path);
    }
  } else if (!succeeded) {
    // Why it failed matters more than what it left: that is not tried again.
    outcome.message += "; what it left could not be stored: " + event.error.message;
    outcome.message.resize(std::min(outcome.message.size(), base::limits::message_text_bytes_max));
  } else {
    outcome = outcome_of(attempts_.at(kept.task.attempt), FailureReason::output_missing,
                         event.error.message);
    outcome.timings = kept.outcome.timings;
    outcome.command = kept.outcome.command;
  }
  end_kept(kept, std::move(outcome));
}

}  // namespace fastgpu::worker
