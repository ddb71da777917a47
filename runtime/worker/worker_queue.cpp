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

}  // namespace

/// The last time that a launch began or ended; something is in flight.
base::Time WorkerMachine::progressed_at() const {
  return std::max(last_end_, in_flight_.rbegin()->second.launched_at);
}

void WorkerMachine::watch_queue() {
  const std::int64_t before = std::exchange(overrun_ns_, 0);
  const base::Duration held_up = in_flight_.empty() ? base::Duration(0) : now_ - progressed_at();
  for (base::Duration step = held_up_after; step <= held_up; step *= 2)
    overrun_ns_ = step.count() * overrun_factor;
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
  const base::Duration seen(overrun_ns_ / overrun_factor);
  return progressed_at() + std::max(held_up_after, seen * 2);
}

}  // namespace fastgpu::worker
