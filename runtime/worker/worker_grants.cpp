/// What leaders assign, stop and settle.

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/books/task_set.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

namespace {

using protocol::RefusalReason;

/// The tasks named, or 0 when the ranges make no sense for the job.
std::uint32_t tasks_in(const protocol::Assign& assign) {
  std::uint64_t sum = 0;
  for (const auto& range : assign.ranges) {
    if (range.count == 0 || range.end() > assign.spec->tasks)
      return 0;
    sum += range.count;
  }
  if (sum > base::limits::device_queue_tasks_max)
    return 0;
  const books::TaskSet distinct(assign.ranges);
  return distinct.size() == sum ? static_cast<std::uint32_t>(sum) : 0;
}

Task* task_at(Attempt& attempt, std::uint64_t first_from) {
  const auto found =
      std::lower_bound(attempt.tasks.begin(), attempt.tasks.end(), first_from,
                       [](const Task& task, std::uint64_t index) { return task.index < index; });
  return found == attempt.tasks.end() ? nullptr : &*found;
}

/// Calls `what` for every task of the attempt in the range.
template <class What>
void for_tasks(Attempt& attempt, base::TaskRange range, What what) {
  Task* const end = attempt.tasks.data() + attempt.tasks.size();
  for (Task* task = task_at(attempt, range.first); task != nullptr && task != end; ++task) {
    if (!range.contains(task->index))
      break;
    what(*task);
  }
}

}  // namespace

void WorkerMachine::on(const FromLeader<protocol::Assign>& event) {
  const protocol::Assign& assign = event.message;
  const base::Time start_before{base::Duration(assign.start_before_ns)};
  if (const auto held = attempts_.find(assign.attempt); held != attempts_.end()) {
    held->second.start_before = std::max(held->second.start_before, start_before);
    answer(event.from, assign, RefusalReason::none);
    return;
  }
  const bool followed =
      follow(assign.attempt.shard, assign.attempt.epoch, assign.attempt.term, event.from);
  const RefusalReason refused = followed ? judge(assign) : RefusalReason::stale_attempt;
  Shard& shard = shards_[assign.attempt.shard];
  if (refused != RefusalReason::stale_incarnation)
    shard.newest = std::max(shard.newest, assign.attempt);
  if (refused == RefusalReason::none)
    grant(assign);
  answer(event.from, assign, refused);
  if (refused != RefusalReason::none)
    return;
  const bool to_be_listed = assign.spec->is_command() && now_ >= start_before;
  const bool unasked = !shard.asked_at || now_ >= *shard.asked_at + renew_retry_interval;
  if (to_be_listed || (unasked && !leased(assign.attempt.shard, now_)))
    renew(assign.attempt.shard, shard);
}

RefusalReason WorkerMachine::judge(const protocol::Assign& assign) const {
  if (assign.incarnation != options_.incarnation || assign.device != options_.device)
    return RefusalReason::stale_incarnation;
  if (assign.attempt <= shards_.at(assign.attempt.shard).newest || !assign.spec)
    return RefusalReason::stale_attempt;
  const std::uint32_t tasks = tasks_in(assign);
  if (tasks == 0)
    return RefusalReason::stale_attempt;
  if (!described_)
    return RefusalReason::unhealthy;
  const books::Fit fit = books::fit(assign.spec->request, books(), books::work_of(*assign.spec));
  if (!fit)
    return fit.refused;
  return tasks > fit.tasks ? RefusalReason::queue_full : RefusalReason::none;
}

void WorkerMachine::grant(const protocol::Assign& assign) {
  supersede(assign);
  Attempt& attempt = attempts_[assign.attempt];
  attempt.id = assign.attempt;
  attempt.job = assign.job;
  attempt.spec = assign.spec;
  attempt.program = program_of(*assign.spec);
  attempt.granted_at = now_;
  attempt.granted_stamp = std::max(now_, shards_[assign.attempt.shard].asked_at.value_or(now_));
  attempt.start_before = base::Time(base::Duration(assign.start_before_ns));
  attempt.lost_before = assign.lost_before;
  const books::TaskSet tasks(assign.ranges);
  attempt.tasks.reserve(tasks.size());
  for (const auto& range : tasks.ranges())
    for (std::uint64_t index = range.first; index < range.end(); ++index)
      attempt.tasks.push_back({.index = static_cast<std::uint32_t>(index)});
  attempt.queued = static_cast<std::uint32_t>(attempt.tasks.size());
  ledger_.grant(attempt.spec->request, attempt.queued);
  run_times_.hold(attempt.program, attempt.queued);
  enqueue(attempt);
  look_ahead_ = true;
  Shard& shard = shards_[assign.attempt.shard];
  shard.queued += attempt.queued;
  shard.granted_at = now_;
  shard.warm_until = now_ + stay_warm;
  duties_changed_ = true;
}

/// Tasks that a node had when it was lost had had their turn: they come before all that have not.
void WorkerMachine::enqueue(const Attempt& attempt) {
  auto place = queue_.end();
  if (attempt.lost_before)
    place = std::find_if(queue_.begin(), queue_.end(), [this](const base::AttemptId& id) {
      return !attempts_.at(id).lost_before;
    });
  queue_.insert(place, attempt.id);
}

void WorkerMachine::answer(base::NodeId to, const protocol::Assign& assign, RefusalReason refused) {
  if (described_)
    ledger_.set_backlog(backlog_ns());
  protocol::AssignReply reply{assign.attempt, assign.job, options_.device, refused, books()};
  if (refused == RefusalReason::none)
    reply.granted_at_ns = attempts_.at(assign.attempt).granted_stamp.time_since_epoch().count();
  effects_.push_back(SendToNode{to, std::move(reply)});
}

/// A greater attempt of the same tasks: the older one's results can not count any more.
void WorkerMachine::supersede(const protocol::Assign& assign) {
  const base::AttemptId lowest{assign.attempt.shard, {}, {}, 0};
  for (auto it = attempts_.lower_bound(lowest); it != attempts_.end() && it->first < assign.attempt;
       ++it) {
    if (it->second.job != assign.job)
      continue;
    for (const auto& range : assign.ranges)
      for_tasks(it->second, range, [&](Task& task) {
        if (task.phase != Phase::ended && task.phase != Phase::gone)
          stop_task(it->second, task);
      });
  }
  for (auto it = attempts_.lower_bound(lowest);
       it != attempts_.end() && it->first < assign.attempt;)
    forget_if_done((it++)->first);
}

void WorkerMachine::on(const FromLeader<protocol::Stop>& event) {
  const protocol::Stop& what = event.message;
  if (what.device == options_.device)
    stop(what.attempt, what.job, what.ranges);
}

void WorkerMachine::stop(base::AttemptId id, base::JobId job,
                         const std::vector<base::TaskRange>& ranges) {
  // Also of an Assign that comes only after its Stop.
  Shard& shard = shards_[id.shard];
  shard.newest = std::max(shard.newest, id);
  const auto found = attempts_.find(id);
  if (found == attempts_.end() || found->second.job != job)
    return;
  // What has ended is told until it is settled: its time on the device is to be billed.
  for (const auto& range : ranges)
    for_tasks(found->second, range, [&](Task& task) {
      if (task.phase != Phase::ended && task.phase != Phase::gone)
        stop_task(found->second, task);
    });
  forget_if_done(id);
}

void WorkerMachine::stop_task(Attempt& attempt, Task& task) {
  if (task.phase == Phase::keeping) {
    stop_keeping(attempt, task);
    return;
  }
  if (task.phase != Phase::running) {
    move(attempt, task, Phase::gone);
    return;
  }
  task.stopped = true;
  if (attempt.spec->is_command()) {
    for (auto& [token, launch] : in_flight_)
      if (launch.task.attempt == attempt.id && &attempt.tasks[launch.task.place] == &task)
        stop_command(token, launch, "stopped");
    return;
  }
  if (!kill_at_)
    kill_at_ = now_ + stop_grace;
}

void WorkerMachine::on(const FromLeader<protocol::Settled>& event) {
  const auto found = attempts_.find(event.message.attempt);
  if (found == attempts_.end() || found->second.job != event.message.job)
    return;
  for (const auto& range : event.message.ranges)
    settle(found->second, range);
  forget_if_done(event.message.attempt);
}

void WorkerMachine::settle(Attempt& attempt, base::TaskRange range) {
  for (const auto& forgotten : attempt.reports.settle(range))
    for_tasks(attempt, forgotten, [&](Task& task) { move(attempt, task, Phase::gone); });
  if (attempt.reports.pending_tasks() == 0)
    to_flush_.erase(attempt.id);
}

}  // namespace fastgpu::worker
