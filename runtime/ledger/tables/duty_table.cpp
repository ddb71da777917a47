#include "runtime/ledger/tables/duty_table.hpp"

#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::ledger {

using protocol::TaskPhase;
using protocol::TaskRecord;

void DutyTable::clear() {
  jobs_.clear();
  holdings_.clear();
  by_node_.clear();
  proposed_.clear();
}

void DutyTable::add(const Job& job) {
  IntervalMap<Duty>& duties = jobs_[job.id];
  job.tasks.for_each([&](base::TaskRange range, const TaskRecord& task) {
    if (task.phase == TaskPhase::ready) {
      duties.assign(range, Duty{{}, task.next_cause, false});
    } else if (task.phase == TaskPhase::placed) {
      duties.assign(range, Duty{task.floor, {}, false});
      Holding& holding = holdings_[task.floor];
      holding.job = job.id;
      holding.device = task.device;
      holding.incarnation = task.incarnation;
      holding.grant = Grant::inherited;
      holding.may_overlap = job.spec->safe_to_overlap();
      append(holding.ranges, range);
      by_node_[task.device.node].insert(task.floor);
    }
  });
  if (duties.empty()) {
    jobs_.erase(job.id);
  }
}

const Holding* DutyTable::find(const base::AttemptId& attempt) const {
  const auto at = holdings_.find(attempt);
  return at == holdings_.end() ? nullptr : &at->second;
}

std::vector<base::AttemptId> DutyTable::on_node(base::NodeId node) const {
  const auto at = by_node_.find(node);
  return at == by_node_.end() ? std::vector<base::AttemptId>{}
                              : std::vector<base::AttemptId>(at->second.begin(), at->second.end());
}

TaskRanges DutyTable::ready_part(base::JobId job, const TaskRanges& ranges) const {
  TaskRanges ready;
  for (const base::TaskRange& range : ranges) {
    for_each_in(job, range, [&ready](base::TaskRange part, const Duty& duty) {
      if (duty.ready()) {
        append(ready, part);
      }
    });
  }
  return ready;
}

bool DutyTable::has_ready(base::JobId job) const {
  const auto at = jobs_.find(job);
  bool found = false;
  if (at != jobs_.end()) {
    at->second.for_each([&found](base::TaskRange, const Duty& duty) { found |= duty.ready(); });
  }
  return found;
}

std::set<base::AttemptId> DutyTable::attempts_of(base::JobId job) const {
  const auto at = jobs_.find(job);
  std::set<base::AttemptId> attempts;
  if (at != jobs_.end()) {
    at->second.for_each([&attempts](base::TaskRange, const Duty& duty) {
      if (duty.attempt) {
        attempts.insert(duty.attempt);
      }
    });
  }
  return attempts;
}

std::uint32_t DutyTable::running_tasks(base::JobId job) const {
  std::uint64_t running = 0;
  for (const base::AttemptId& attempt : attempts_of(job)) {
    running += count_tasks(holdings_.at(attempt).running);
  }
  return static_cast<std::uint32_t>(running);
}

protocol::WaitingReason DutyTable::waiting_at_workers(base::JobId job) const {
  for (const base::AttemptId& attempt : attempts_of(job)) {
    const protocol::WaitingReason& waiting = holdings_.at(attempt).waiting;
    if (waiting.code != protocol::WaitingCode::none) {
      return waiting;
    }
  }
  return {};
}

// The tasks keep their duty in the job's map: every caller sets or erases it next.
std::vector<TakenFrom> DutyTable::take(base::JobId job, const TaskRanges& ranges,
                                       const base::AttemptId& except) {
  std::map<base::AttemptId, TaskRanges> parts;
  for (const base::TaskRange& range : ranges) {
    for_each_in(job, range, [&](base::TaskRange part, const Duty& duty) {
      if (duty.attempt && duty.attempt != except) {
        append(parts[duty.attempt], part);
      }
    });
  }
  std::vector<TakenFrom> taken;
  for (auto& [attempt, part] : parts) {
    const auto at = holdings_.find(attempt);
    FASTGPU_CHECK(at != holdings_.end(), "a task is held by an attempt that is not known");
    Holding& holding = at->second;
    holding.ranges = difference(holding.ranges, part);
    holding.running = difference(holding.running, part);
    holding.seen_running = difference(holding.seen_running, part);
    taken.push_back({attempt, job, holding.device, holding.grant, std::move(part)});
    forget_if_empty(at);
  }
  return taken;
}

void DutyTable::forget_if_empty(std::map<base::AttemptId, Holding>::iterator at) {
  if (!at->second.ranges.empty()) {
    return;
  }
  const auto node = by_node_.find(at->second.device.node);
  node->second.erase(at->first);
  if (node->second.empty()) {
    by_node_.erase(node);
  }
  forget_proposed(at->first, at->second.device);
  holdings_.erase(at);
}

void DutyTable::forget_proposed(const base::AttemptId& attempt, base::DeviceId device) {
  const auto at = proposed_.find(device);
  if (at == proposed_.end()) {
    return;
  }
  at->second.erase(attempt);
  if (at->second.empty()) {
    proposed_.erase(at);
  }
}

std::vector<TakenFrom> DutyTable::make_ready(base::JobId job, const TaskRanges& ranges,
                                             protocol::PlaceCause cause) {
  std::vector<TakenFrom> taken = take(job, ranges, {});
  for (const base::TaskRange& range : ranges) {
    jobs_[job].assign(range, Duty{{}, cause, false});
  }
  return taken;
}

std::vector<TakenFrom> DutyTable::hold(const base::AttemptId& attempt, const Holding& holding) {
  std::vector<TakenFrom> taken = take(holding.job, holding.ranges, attempt);
  for (const base::TaskRange& range : holding.ranges) {
    jobs_[holding.job].assign(range, Duty{attempt, {}, false});
  }
  const auto [at, is_new] = holdings_.try_emplace(attempt, holding);
  if (!is_new) {
    at->second.ranges = united(at->second.ranges, holding.ranges);
  }
  by_node_[holding.device.node].insert(attempt);
  if (holding.grant == Grant::proposed) {
    proposed_[holding.device].insert(attempt);
  }
  return taken;
}

std::vector<TakenFrom> DutyTable::give_up(base::JobId job, const TaskRanges& ranges) {
  std::vector<TakenFrom> taken = take(job, ranges, {});
  for (const base::TaskRange& range : ranges) {
    jobs_[job].assign(range, Duty{{}, {}, true});
  }
  return taken;
}

std::vector<TakenFrom> DutyTable::end(base::JobId job, const TaskRanges& ranges) {
  std::vector<TakenFrom> taken = take(job, ranges, {});
  const auto at = jobs_.find(job);
  if (at == jobs_.end()) {
    return taken;
  }
  for (const base::TaskRange& range : ranges) {
    at->second.erase(range);
  }
  if (at->second.empty()) {
    jobs_.erase(at);
  }
  return taken;
}

void DutyTable::set_asked(const base::AttemptId& attempt) {
  const auto at = holdings_.find(attempt);
  if (at != holdings_.end()) {
    at->second.grant = Grant::asked;
    forget_proposed(attempt, at->second.device);
  }
}

void DutyTable::set_granted(const base::AttemptId& attempt, std::int64_t at_ns) {
  const auto at = holdings_.find(attempt);
  if (at != holdings_.end()) {
    at->second.grant = Grant::granted;
    at->second.running = at->second.ranges;
    at->second.known_at_ns = at_ns;
  }
}

void DutyTable::set_listed(const protocol::HeldAttempt& held, std::int64_t at_ns) {
  const auto at = holdings_.find(held.attempt);
  if (at != holdings_.end()) {
    at->second.grant = Grant::granted;
    at->second.running = intersection(at->second.ranges, normalized(held.running));
    at->second.seen_running = at->second.running;
    at->second.known_at_ns = at_ns;
    at->second.waiting = held.waiting;
  }
}

}  // namespace fastgpu::ledger
