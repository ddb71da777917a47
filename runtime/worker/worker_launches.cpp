/// From the queue to the executor.

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

using base::FailureReason;

void WorkerMachine::on(const protocol::Staged& event) {
  staging_.staged(event);
}

bool WorkerMachine::may_launch() const {
  if (!up_ || killing_since_ || !health_.trusted() || storing_ || in_flight_.size() >= window() ||
      books().queued_tasks == 0)
    return false;
  if (in_flight_.size() == 1) {
    const TaskRef& only = in_flight_.begin()->second.task;
    if (attempts_.at(only.attempt).tasks[only.place].solo)
      return false;
  }
  return true;
}

bool WorkerMachine::may_launch_of(base::ShardId id) const {
  namespace limits = base::limits;
  if (!leased(id, now_))
    return false;
  const Shard& shard = shards_.at(id);
  const std::size_t soon = keeping_.size() + in_flight_.size();
  if (shard.unsettled + soon >= limits::unsettled_tasks_per_shard_max)
    return false;
  return unsettled_tasks_ + soon < limits::unsettled_tasks_max ||
         shard.unsettled + soon < limits::unsettled_tasks_reserved;
}

/// Launches as much as leases, inputs, window and books allow. Tasks that wait for their lease or
/// inputs let others pass; one that only waits for memory does not, or it could wait for ever.
void WorkerMachine::pump() {
  if (launch_not_before_ && now_ < *launch_not_before_)
    return;
  launch_not_before_.reset();
  if (!may_launch() || !pump_again())
    return;
  std::size_t looks = 0;
  for (std::size_t i = 0; i < queue_.size() && may_launch();) {
    const auto found = attempts_.find(queue_[i]);
    FASTGPU_CHECK(found != attempts_.end(), "the queue names attempts that are held");
    Attempt& attempt = found->second;
    if (!may_launch_of(attempt.id.shard)) {
      ++i;
      continue;
    }
    const bool go_on = pump_attempt(attempt, looks);
    if (attempt.next_queued == attempt.tasks.size())
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(i));
    else
      ++i;
    if (!go_on)
      return;
  }
}

/// Inputs of the tasks that come next are fetched while the present ones run.
void WorkerMachine::stage_ahead() {
  if (!std::exchange(look_ahead_, false))
    return;
  std::size_t looks = 0;
  StagingFailure ignored;
  for (const base::AttemptId& id : queue_) {
    const Attempt& attempt = attempts_.at(id);
    for (std::size_t place = attempt.next_queued; place < attempt.tasks.size(); ++place) {
      if (attempt.tasks[place].phase != Phase::queued)
        continue;
      if (++looks > staged_ahead_tasks)
        return;
      inputs_of(attempt, place, ignored);
    }
  }
}

/// Tasks that ran before and lost their executor. False: nothing else may be launched now.
bool WorkerMachine::pump_again() {
  for (std::size_t i = 0; i < again_.size() && may_launch();) {
    const TaskRef ref = again_[i];
    const auto found = attempts_.find(ref.attempt);
    if (found == attempts_.end() || found->second.tasks[ref.place].phase != Phase::queued) {
      again_.erase(again_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    const bool solo = found->second.tasks[ref.place].solo;
    if (!may_launch_of(ref.attempt.shard)) {
      ++i;
      continue;
    }
    if (solo && !in_flight_.empty())
      return false;
    switch (try_launch(found->second, ref.place)) {
      case Try::consumed:
        again_.erase(again_.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      case Try::wait:
        ++i;
        break;
      case Try::full:
        return false;
    }
  }
  return true;
}

/// False: nothing else may be launched now.
bool WorkerMachine::pump_attempt(Attempt& attempt, std::size_t& looks) {
  const std::size_t looks_max = window() + 8;
  bool go_on = true;
  for (std::size_t place = attempt.next_queued;
       go_on && place < attempt.tasks.size() && may_launch() && may_launch_of(attempt.id.shard);
       ++place) {
    const Task& task = attempt.tasks[place];
    if (task.phase != Phase::queued || task.solo)
      continue;
    const Try tried = try_launch(attempt, place);
    if (tried == Try::wait)
      ++looks;
    go_on = tried != Try::full && looks < looks_max;
  }
  while (attempt.next_queued < attempt.tasks.size()) {
    const Task& task = attempt.tasks[attempt.next_queued];
    if (task.phase == Phase::queued && !task.solo)
      break;
    attempt.next_queued += 1;
  }
  return go_on;
}

WorkerMachine::Try WorkerMachine::try_launch(Attempt& attempt, std::size_t place) {
  const Task& task = attempt.tasks[place];
  StagingFailure failure;
  switch (inputs_of(attempt, place, failure)) {
    case Inputs::awaited:
      return Try::wait;
    case Inputs::failed:
      // A holder that is away may come back with the object: to be asked again, not a failure.
      if (failure.error.kind == base::ErrorKind::unavailable) {
        note_away(attempt, place, failure);
        return Try::wait;
      }
      end_queued(attempt, place,
                 failure.error.code == base::ErrorCode::object_missing
                     ? FailureReason::input_missing
                     : FailureReason::staging_failed,
                 failure.error.message);
      return Try::consumed;
    case Inputs::there:
      break;
  }
  if (!may_run_beside(attempt, task))
    return Try::full;
  const books::Fit fit = books::launch_fit(attempt.spec->request, books());
  if (!fit && !in_flight_.empty())
    return Try::full;
  if (!fit) {  // the device came back smaller than when it granted this
    end_queued(attempt, place, FailureReason::cuda_out_of_memory,
               "the task needs " + std::to_string(fit.asked) + " bytes, the device has " +
                   std::to_string(fit.available));
    return Try::consumed;
  }
  if (attempt.spec->is_command()) {
    if (!books().no_commands_why.empty() || command_not_before_ || lease_end(attempt) <= now_ ||
        !is_counted_on(attempt))
      return Try::wait;
    launch_command(attempt, place);
    return Try::consumed;
  }
  auto arguments = arguments_of(*attempt.spec, task.index, staging_);
  if (!arguments)
    end_queued(attempt, place, FailureReason::bad_argument, arguments.error().message);
  else
    launch(attempt, place, std::move(arguments).value());
  return Try::consumed;
}

WorkerMachine::Inputs WorkerMachine::inputs_of(const Attempt& attempt, std::size_t place,
                                               StagingFailure& failure) {
  return attempt.spec->is_command() ? want_folder(attempt, place, failure)
                                    : stage_inputs(attempt, attempt.tasks[place], failure);
}

WorkerMachine::Inputs WorkerMachine::stage_inputs(const Attempt& attempt, const Task& task,
                                                  StagingFailure& failure) {
  Inputs inputs = Inputs::there;
  for (const auto& argument : attempt.spec->kernel.arguments) {
    const auto* const buffer = std::get_if<protocol::BufferArgument>(&argument);
    const protocol::Data* const data = buffer ? data_of(buffer->data, task.index) : nullptr;
    const auto* const object = data ? std::get_if<protocol::ObjectRef>(data) : nullptr;
    if (object == nullptr)
      continue;
    bool ask = false;
    const protocol::StageToken token{last_token_ + 1};
    const StagingCache::State state = staging_.want(*object, token, ask);
    if (ask) {
      last_token_ += 1;
      effects_.push_back(protocol::Stage{options_.device, token, *object});
    }
    if (state == StagingCache::State::failed) {
      failure = {"its input " + base::to_string(object->hash).substr(0, 12) + ", which " +
                     base::to_string(object->home) + " holds",
                 staging_.error_of(*object)};
      return Inputs::failed;
    }
    if (state == StagingCache::State::waiting)
      inputs = Inputs::awaited;
  }
  return inputs;
}

/// The first task that waits so is shown; it stays shown until it waits no longer.
void WorkerMachine::note_away(Attempt& attempt, std::size_t place, const StagingFailure& failure) {
  auto& away = attempt.away;
  if (away && away->place != place && attempt.tasks[away->place].phase == Phase::queued)
    return;
  if (!away || away->place != place || away->input != failure.input)
    away = AwayInput{place, failure.input, "", now_};
  away->said = failure.error.message;
}

protocol::WaitingReason WorkerMachine::waiting_of(const Attempt& attempt) const {
  const auto& away = attempt.away;
  if (!away || attempt.tasks[away->place].phase != Phase::queued)
    return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now_ - away->since);
  return {protocol::WaitingCode::staging,
          "task " + std::to_string(attempt.tasks[away->place].index) + " waits for " +
              std::to_string(seconds.count()) + " s for " + away->input + ": " + away->said};
}

void WorkerMachine::launch(Attempt& attempt, std::size_t place,
                           std::vector<LaunchArgument> arguments) {
  Task& task = attempt.tasks[place];
  FASTGPU_CHECK(leased(attempt.id.shard, now_), "nothing launches without a lease");
  move(attempt, task, Phase::running);
  look_ahead_ = true;
  const LaunchToken token{++last_token_};
  InFlight launched;
  launched.task = {attempt.id, place};
  launched.launched_at = now_;
  in_flight_.emplace(token, launched);
  effects_.push_back(Launch{token, attempt.job, task.index, attempt.spec, std::move(arguments)});
}

void WorkerMachine::end_queued(Attempt& attempt, std::size_t place, FailureReason reason,
                               std::string message) {
  auto outcome = outcome_of(attempt, reason, std::move(message));
  outcome.timings.queue_ns = (now_ - attempt.granted_at).count();
  finish(attempt, attempt.tasks[place], std::move(outcome), 0);
}

void WorkerMachine::on(const LaunchRefused& event) {
  if (test_ && event.token == test_) {
    test_ = {};
    health_.test_called_off();
    launch_not_before_ = now_ + launch_retry_delay;
    return;
  }
  const auto found = in_flight_.find(event.token);
  if (found == in_flight_.end())
    return;
  const TaskRef ref = found->second.task;
  const bool command = found->second.command;
  in_flight_.erase(found);
  run_again(ref);
  if (command && !books().no_commands_why.empty() && !warden_away_since_)
    warden_away_since_ = now_;  // to be handed back like the others
  if (command)
    command_not_before_ = now_ + command_retry_delay;
  else
    launch_not_before_ = now_ + launch_retry_delay;
}

}  // namespace fastgpu::worker
