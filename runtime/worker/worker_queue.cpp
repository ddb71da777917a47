/// What waits at a device behind a task that runs for longer than anybody foresaw. It was sent
/// ahead on a guess; it goes back, so that a device that is free may take it, and as long as the
/// long one runs the books tell everybody to send nothing behind it.

#include <algorithm>

#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

namespace {

/// A task that has run for a while is expected to run for as long again, at least until the next
/// look, which comes when the while has doubled; the rest is for the way of the news.
constexpr std::int64_t overrun_factor = 4;

/// The least that is told, so that all who hear of it send nothing behind such a task.
constexpr base::Duration overrun_while_min = std::chrono::seconds(1);

}  // namespace

/// The last time that a launch began, to run or at all, or ended; something is in flight.
base::Time WorkerMachine::progressed_at() const {
  const InFlight& newest = in_flight_.rbegin()->second;
  return std::max(last_end_, newest.ran_from.value_or(newest.launched_at));
}

/// When it is longer than was foreseen: twice what such tasks have taken. Of a task without history
/// nothing was foreseen, so what waits behind it does not wait for long; making a kernel has one.
base::Duration WorkerMachine::held_up_after() const {
  const InFlight& newest = in_flight_.rbegin()->second;
  if (newest.making)
    return held_up_max;
  const base::Duration mean(run_times_.mean_ns(attempts_.at(newest.task.attempt).program));
  return std::clamp(2 * mean, held_up_min, held_up_max);
}

void WorkerMachine::watch_queue() {
  const std::int64_t before = std::exchange(overrun_ns_, 0);
  if (!in_flight_.empty()) {
    const base::Duration held_up = now_ - progressed_at();
    for (base::Duration step = held_up_after(); step <= held_up; step *= 2)
      overrun_ns_ = std::max(step, overrun_while_min).count() * overrun_factor;
  }
  if (overrun_ns_ != before)
    ledger_.set_backlog(backlog_ns());
  if (overrun_ns_ != 0 && books().queued_tasks != 0)
    release_queue();
}

/// Suspects stay: who killed the device's process is found out here.
void WorkerMachine::release_queue() {
  hand_back([](const Attempt& attempt) {
    return std::none_of(attempt.tasks.begin(), attempt.tasks.end(),
                        [](const Task& task) { return task.phase == Phase::queued && task.solo; });
  });
}

std::optional<base::Time> WorkerMachine::queue_due() const {
  if (in_flight_.empty())
    return std::nullopt;
  base::Duration next = held_up_after();
  while (progressed_at() + next <= now_)
    next *= 2;
  return progressed_at() + next;
}

}  // namespace fastgpu::worker
