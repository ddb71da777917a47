/// From the executor to the report.

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/protocol/arguments.hpp"
#include "runtime/worker/worker_machine.hpp"
#include "runtime/worker/worker_text.hpp"

namespace fastgpu::worker {

namespace {

using base::FailureReason;
using protocol::TaskState;

TaskState state_of(FailureReason reason) {
  switch (reason) {
    case FailureReason::none:
      return TaskState::succeeded;
    case FailureReason::time_limit:
      return TaskState::timed_out;
    case FailureReason::cancelled:
      return TaskState::cancelled;
    default:
      return TaskState::failed;
  }
}

}  // namespace

void WorkerMachine::on(const ExecutorReady& event) {
  ledger_.describe(
      {event.kind, event.model, event.uuid, event.memory_bytes,
       event.kind == protocol::DeviceKind::null ? options_.window_null : options_.window});
  described_ = true;
  up_ = true;
  health_.started();
  killing_since_.reset();
  if (down_since_)
    end_over_time(now_ - *down_since_);
  down_since_.reset();
  launch_not_before_.reset();
}

/// The executor runs one launch after the other: the device's time of one counts from when the one
/// before it had ended. Commands run side by side.
std::optional<WorkerMachine::Ended> WorkerMachine::take_launch(LaunchToken token) {
  const auto found = in_flight_.find(token);
  if (found == in_flight_.end())
    return std::nullopt;
  Ended ended{found->second, 0, ""};
  const base::Time since = ended.launch.command ? ended.launch.launched_at
                                                : std::max(ended.launch.launched_at, last_end_);
  const base::Time until = ended.launch.died_at.value_or(now_);
  ended.device_ns = (until - since).count();
  last_end_ = now_;
  in_flight_.erase(found);
  return ended;
}

void WorkerMachine::on(const ExecutorDone& event) {
  if (test_ && event.token == test_) {
    end_test(event);
    return;
  }
  const auto ended = take_launch(event.token);
  if (!ended)
    return;
  Attempt& attempt = attempts_.at(ended->launch.task.attempt);
  Task& task = attempt.tasks[ended->launch.task.place];
  task.solo = false;
  if (task.stopped) {
    finish(attempt, task, outcome_of(attempt, FailureReason::cancelled, "stopped"),
           ended->device_ns);
    return;
  }
  if (event.reason == FailureReason::none) {
    end_succeeded(*ended, event);
    return;
  }
  last_failed_program_ = attempt.program;
  auto outcome = outcome_of(attempt, event.reason, event.message);
  outcome.timings = event.timings;
  outcome.timings.queue_ns = (ended->launch.launched_at - attempt.granted_at).count();
  finish(attempt, task, std::move(outcome), ended->device_ns);
}

void WorkerMachine::end_succeeded(const Ended& ended, const ExecutorDone& event) {
  Attempt& attempt = attempts_.at(ended.launch.task.attempt);
  run_times_.ran(attempt.program, ended.device_ns);
  auto outcome = outcome_of(attempt, FailureReason::none, "");
  outcome.timings = event.timings;
  outcome.timings.queue_ns = (ended.launch.launched_at - attempt.granted_at).count();
  std::vector<std::size_t> large;
  for (const auto& output : event.outputs) {
    if (output.size() > base::limits::inline_output_bytes_max)
      large.push_back(outcome.outputs.size());
    outcome.outputs.emplace_back(output);
  }
  if (large.empty())
    finish(attempt, attempt.tasks[ended.launch.task.place], std::move(outcome), ended.device_ns);
  else
    keep_outputs(ended.launch.task, std::move(outcome), std::move(large), ended.device_ns);
}

void WorkerMachine::keep_outputs(const TaskRef& ref, protocol::TaskOutcome outcome,
                                 std::vector<std::size_t> places, std::int64_t device_ns) {
  begin_keeping(Keeping{ref, std::move(outcome), std::move(places), device_ns, {}, {}, {}});
}

void WorkerMachine::begin_keeping(Keeping keeping) {
  Attempt& attempt = attempts_.at(keeping.task.attempt);
  move(attempt, attempt.tasks[keeping.task.place], Phase::keeping);
  const protocol::StageToken token{++last_token_};
  keep(token, keeping_.emplace(token, std::move(keeping)).first->second);
}

void WorkerMachine::keep(protocol::StageToken token, const Keeping& keeping) {
  const Attempt& attempt = attempts_.at(keeping.task.attempt);
  if (attempt.spec->is_command()) {
    const std::uint32_t task = attempt.tasks[keeping.task.place].index;
    protocol::CollectFolder collect{options_.device,
                                    token,
                                    attempt.job,
                                    folders_.at(keeping.task).name,
                                    {},
                                    keeping.outcome.reason != FailureReason::none};
    for (const auto& path : attempt.spec->command.outputs)
      collect.outputs.push_back(protocol::fill_in(path, *attempt.spec, task));
    effects_.push_back(std::move(collect));
    return;
  }
  protocol::Keep keep{options_.device, token, attempt.job, {}};
  for (const std::size_t place : keeping.places)
    keep.data.push_back(std::get<base::Bytes>(keeping.outcome.outputs[place]));
  effects_.push_back(std::move(keep));
}

void WorkerMachine::on(const protocol::Kept& event) {
  const auto found = keeping_.find(event.token);
  if (found == keeping_.end() || found->second.retry_at)
    return;
  if (event.objects.size() != found->second.places.size()) {
    keep_failed(event.token, event.error);
    return;
  }
  storing_.reset();
  const Keeping kept = std::move(found->second);
  keeping_.erase(found);
  auto outcome = kept.outcome;
  for (std::size_t i = 0; i < kept.places.size(); ++i)
    outcome.outputs[kept.places[i]] = event.objects[i];
  end_kept(kept, std::move(outcome));
}

void WorkerMachine::end_kept(const Keeping& kept, protocol::TaskOutcome outcome) {
  Attempt& attempt = attempts_.at(kept.task.attempt);
  finish(attempt, attempt.tasks[kept.task.place], std::move(outcome), kept.device_ns);
}

void WorkerMachine::note_storing_trouble(const base::Error& error) {
  const base::Time since = storing_ ? storing_->since : now_;
  storing_ = StoringTrouble{since, now_ + base::limits::keep_retry_max, error.message};
}

/// The results are there and the work is done: storing them is tried again before the work is.
void WorkerMachine::keep_failed(protocol::StageToken token, const base::Error& error) {
  namespace limits = base::limits;
  Keeping& keeping = keeping_.at(token);
  note_storing_trouble(error);
  if (!keeping.failing_since)
    keeping.failing_since = now_;
  const base::Time end = *keeping.failing_since + limits::keep_deadline;
  if (now_ < end) {
    keeping.retry_delay = std::clamp<base::Duration>(
        keeping.retry_delay * 2, limits::keep_retry_min, limits::keep_retry_max);
    keeping.retry_at = std::min(now_ + keeping.retry_delay, end);
    return;
  }
  const Keeping given_up = std::move(keeping);
  keeping_.erase(token);
  const bool full = error.code == base::ErrorCode::disk_full;
  auto outcome = outcome_of(attempts_.at(given_up.task.attempt),
                            full ? FailureReason::disk_full : FailureReason::staging_failed,
                            "its outputs could not be stored for " +
                                seconds_text(limits::keep_deadline.count()) +
                                (full ? ", the disk is full: " : ": ") + error.message);
  outcome.timings = given_up.outcome.timings;
  outcome.command = given_up.outcome.command;
  end_kept(given_up, std::move(outcome));
}

void WorkerMachine::keep_again_where_due() {
  for (auto& [token, keeping] : keeping_) {
    if (keeping.retry_at && now_ >= *keeping.retry_at) {
      keeping.retry_at.reset();
      keep(token, keeping);
    }
  }
}

void WorkerMachine::stop_keeping(Attempt& attempt, Task& task) {
  const auto found = std::find_if(keeping_.begin(), keeping_.end(), [&](const auto& entry) {
    return entry.second.task.attempt == attempt.id &&
           &attempt.tasks[entry.second.task.place] == &task;
  });
  FASTGPU_CHECK(found != keeping_.end(), "a task in keeping is being kept");
  const Keeping kept = std::move(found->second);
  keeping_.erase(found);
  end_kept(kept, outcome_of(attempt, FailureReason::cancelled, "stopped"));
}

void WorkerMachine::run_again(const TaskRef& ref) {
  Attempt& attempt = attempts_.at(ref.attempt);
  Task& task = attempt.tasks[ref.place];
  move(attempt, task, Phase::queued);
  if (task.stopped)
    move(attempt, task, Phase::gone);
  else
    again_.push_front(ref);
  forget_if_done(ref.attempt);
}

protocol::TaskOutcome WorkerMachine::outcome_of(const Attempt& attempt, FailureReason reason,
                                                std::string message) const {
  if (message.size() > base::limits::message_text_bytes_max)
    message.resize(base::limits::message_text_bytes_max);
  protocol::TaskOutcome outcome;
  outcome.state = state_of(reason);
  outcome.reason = reason;
  outcome.message = std::move(message);
  outcome.attempt = attempt.id;
  outcome.device = options_.device;
  return outcome;
}

void WorkerMachine::finish(Attempt& attempt, Task& task, protocol::TaskOutcome outcome,
                           std::int64_t device_ns) {
  move(attempt, task, Phase::ended);
  attempt.reports.add(task.index, std::move(outcome), device_ns);
  to_flush_.insert(attempt.id);
  if (!flush_at_)
    flush_at_ = now_ + finish_batch_delay;
  if (!attempt.unfinished() || attempt.reports.pending_tasks() >= base::limits::assign_tasks_max ||
      attempt.reports.pending_bytes() >= ReportBook::batch_bytes_max)
    flush(attempt);
}

// --- limits of time ------------------------------------------------------------------------------

void WorkerMachine::on(const KernelMaking& event) {
  const auto found = in_flight_.find(event.token);
  if (found == in_flight_.end())
    return;
  found->second.making = !event.over;
  if (event.over)
    found->second.ran_from = now_;
}

/// The executor runs launches in their order, but for those whose kernels are being made.
std::optional<LaunchToken> WorkerMachine::head() const {
  if (in_flight_.empty() || in_flight_.begin()->second.command)
    return std::nullopt;
  const auto runs = std::find_if(in_flight_.begin(), in_flight_.end(),
                                 [](const auto& entry) { return !entry.second.making; });
  return runs == in_flight_.end() ? in_flight_.begin()->first : runs->first;
}

/// The limit counts from when a launch became the head. The making of its kernel is not its time,
/// and has a limit of its own where it is made; this one is for an executor that does not keep
/// that.
std::optional<base::Time> WorkerMachine::head_deadline() const {
  const auto token = head();
  if (!token)
    return std::nullopt;
  const InFlight& head = in_flight_.at(*token);
  const std::int64_t limit_ns = attempts_.at(head.task.attempt).spec->time_limit_ns;
  const base::Time since = std::max(head.ran_from.value_or(head.launched_at), last_end_) +
                           (head.making ? kernel_made_within : base::Duration{});
  if (limit_ns <= 0 || limit_ns > (base::Time::max() - since).count())
    return std::nullopt;
  return since + base::Duration(limit_ns);
}

void WorkerMachine::watch_time() {
  if (!up_ || killing_since_)
    return;
  const auto deadline = head_deadline();
  if (deadline && now_ >= *deadline) {
    in_flight_.at(*head()).over_time = true;
    kill("time limit");
    return;
  }
  if (!kill_at_ || now_ < *kill_at_)
    return;
  kill_at_.reset();
  for (const auto& [token, launch] : in_flight_) {
    if (!launch.command && attempts_.at(launch.task.attempt).tasks[launch.task.place].stopped) {
      kill("stopped");
      return;
    }
  }
}

void WorkerMachine::kill(std::string why) {
  killing_since_ = now_;
  effects_.push_back(KillExecutor{std::move(why)});
}

}  // namespace fastgpu::worker
