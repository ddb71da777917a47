/// Who is to blame when the device's process dies, and when the device is trusted again.

#include <utility>
#include <vector>

#include "runtime/worker/self_test.hpp"
#include "runtime/worker/worker_machine.hpp"
#include "runtime/worker/worker_text.hpp"

namespace fastgpu::worker {

using base::FailureReason;

namespace {

constexpr int solo_deaths_max = 2;

}  // namespace

void WorkerMachine::on(const ExecutorDied& event) {
  const bool ours = killing_since_.has_value();
  const bool was_up = up_;
  killing_since_.reset();
  up_ = false;
  kill_at_.reset();
  if (!down_since_)
    down_since_ = now_;
  if (std::exchange(test_, LaunchToken{}))
    ours ? health_.test_called_off() : health_.test_failed(now_, event.reason);
  else if (!was_up && !ours)
    health_.failed_to_start(now_, event.reason);
  else if (!ours && !event.proven)
    note_crash(event);
  end_over_time(std::nullopt);  // of an earlier process
  // Backwards, so that those that run again keep their order at the front.
  for (std::size_t i = event.in_flight.size(); i-- > 0;) {
    const LaunchToken token = event.in_flight[i];
    const auto found = in_flight_.find(token);
    if (found != in_flight_.end() && found->second.over_time) {
      found->second.died_at = now_;
      continue;
    }
    const auto ended = take_launch(token);
    if (!ended)
      continue;
    const bool suspect = !ours && !event.charged && (!event.running || *event.running == token);
    end_died(*ended, suspect, event.in_flight.size() == 1, event.reason);
  }
}

/// Nothing that such a device computes is to be believed: what it runs is taken from it at once,
/// and a new process starts before the self-test.
void WorkerMachine::on(const DeviceAccused& event) {
  const bool was_idle = health_.quarantined() && !test_;
  health_.accused(now_, event.why);
  test_ = {};
  std::vector<LaunchToken> running;
  for (const auto& [token, launch] : in_flight_)
    if (!launch.command)
      running.push_back(token);
  for (std::size_t i = running.size(); i-- > 0;)
    if (const auto ended = take_launch(running[i]))
      end_died(*ended, false, false, event.why);
  for (auto& [token, launch] : in_flight_) {
    launch.device_lost = launch.device_lost || !launch.stopping;
    stop_command(token, launch, "the device is quarantined: " + event.why);
  }
  if (up_ && !killing_since_ && !was_idle)
    kill("the device is quarantined: " + event.why);
}

void WorkerMachine::note_crash(const ExecutorDied& event) {
  if (event.charged) {
    health_.crashed_by(now_, last_failed_program_, event.reason);
    return;
  }
  std::vector<TaskRef> suspects;
  for (const LaunchToken token : event.in_flight)
    if (const auto found = in_flight_.find(token);
        found != in_flight_.end() && (!event.running || *event.running == token))
      suspects.push_back(found->second.task);
  health_.crashed(now_, std::move(suspects), event.reason);
}

void WorkerMachine::end_died(const Ended& ended, bool suspect, bool alone,
                             const std::string& reason) {
  Attempt& attempt = attempts_.at(ended.launch.task.attempt);
  Task& task = attempt.tasks[ended.launch.task.place];
  if (task.stopped) {
    finish(attempt, task, outcome_of(attempt, FailureReason::cancelled, "stopped"),
           ended.device_ns);
    return;
  }
  if (ended.launch.over_time) {
    finish(attempt, task,
           outcome_of(attempt, FailureReason::time_limit,
                      "killed after " + seconds_text(attempt.spec->time_limit_ns) + " (limit); " +
                          launch_text(*attempt.spec) + ended.restart),
           ended.device_ns);
    return;
  }
  if (suspect) {
    task.solo = true;
    if (alone)
      task.solo_deaths += 1;
  }
  if (task.solo_deaths >= solo_deaths_max) {
    move(attempt, task, Phase::queued);
    accused_.push_back({ended.launch.task, reason, ended.device_ns});
    return;
  }
  run_again(ended.launch.task);
}

/// The device's process was killed for the limit of one of its launches. That ends with the word
/// how long the device was away; or without it, if the process does not come back soon.
void WorkerMachine::end_over_time(std::optional<base::Duration> restart) {
  std::vector<LaunchToken> waiting;
  for (const auto& [token, launch] : in_flight_)
    if (launch.died_at)
      waiting.push_back(token);
  for (const LaunchToken token : waiting) {
    Ended ended = *take_launch(token);
    if (restart)
      ended.restart = "; the executor restarted in " + milliseconds_text(restart->count());
    end_died(ended, false, false, "");
  }
}

std::optional<base::Time> WorkerMachine::over_time_due() const {
  for (const auto& [token, launch] : in_flight_)
    if (launch.died_at)
      return *launch.died_at + restart_told_within;
  return std::nullopt;
}

/// Before anything is launched. Where nothing else is to be doubted, this does nothing.
void WorkerMachine::watch_health() {
  if (killing_since_ && now_ >= *killing_since_ + kill_limit) {
    give_process_up();
    return;
  }
  if (const auto due = over_time_due(); due && now_ >= *due)
    end_over_time(std::nullopt);
  if (health_.test_overdue(now_)) {
    test_ = {};
    health_.test_failed(now_, "it did not end in time");
    kill("its self-test takes too long");
  }
  if (!up_ || killing_since_ || test_ || !health_.wants_test(now_) ||
      (launch_not_before_ && now_ < *launch_not_before_))
    return;
  test_ = LaunchToken{++last_token_};
  health_.test_began(now_);
  effects_.push_back(self_test(test_));
}

void WorkerMachine::end_test(const ExecutorDone& event) {
  test_ = {};
  if (const auto why = why_failed(event, books().kind)) {
    health_.test_failed(now_, *why);
    return;
  }
  health_.test_passed(now_);
  for (const Accused& accused : std::exchange(accused_, {}))
    convict(accused);
}

/// The device is good: so it was the task.
void WorkerMachine::convict(const Accused& accused) {
  const auto found = attempts_.find(accused.task.attempt);
  if (found == attempts_.end())
    return;
  Attempt& attempt = found->second;
  Task& task = attempt.tasks[accused.task.place];
  if (task.phase != Phase::queued)
    return;
  health_.convicted(accused.task, attempt.program);
  finish(attempt, task,
         outcome_of(attempt, FailureReason::executor_crash,
                    "the device's process died twice while only this task ran, and passes its "
                    "self-test: " +
                        accused.reason + "; " + launch_text(*attempt.spec)),
         accused.device_ns);
}

/// A process that does not go although it was killed hangs in the driver: what it had runs again
/// elsewhere, and the device gets nothing until the process is gone.
void WorkerMachine::give_process_up() {
  ExecutorDied died{"it was killed and does not end", {}, std::nullopt, false, false};
  for (const auto& [token, launch] : in_flight_)
    if (!launch.command)
      died.in_flight.push_back(token);
  on(died);
  end_over_time(std::nullopt);
  health_.quarantine(now_, died.reason);
}

}  // namespace fastgpu::worker
