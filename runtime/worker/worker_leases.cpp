/// Whom the worker follows, and until when it may launch.

#include <algorithm>
#include <tuple>

#include "runtime/base/limits.hpp"
#include "runtime/books/task_set.hpp"
#include "runtime/worker/worker_machine.hpp"

namespace fastgpu::worker {

namespace {

namespace limits = base::limits;

base::AttemptId before_all_of(base::ShardId shard) {
  return {shard, {}, {}, 0};
}

}  // namespace

bool WorkerMachine::leased(base::ShardId shard, base::Time now) const {
  const auto found = shards_.find(shard);
  return found != shards_.end() && now < found->second.lease_until;
}

bool WorkerMachine::follow(base::ShardId id, base::Epoch epoch, base::Term term,
                           base::NodeId leader) {
  Shard& shard = shards_[id];
  if (std::tie(epoch, term) < std::tie(shard.epoch, shard.term))
    return false;
  shard.epoch = epoch;
  shard.term = term;
  shard.leader = leader;
  return true;
}

void WorkerMachine::on(const FromLeader<protocol::Adopt>& event) {
  const protocol::Adopt& adopt = event.message;
  if (!follow(adopt.shard, adopt.epoch, adopt.term, event.from))
    return;
  Shard& shard = shards_[adopt.shard];
  renew(adopt.shard, shard);
  resend(adopt.shard, shard);
}

void WorkerMachine::on(const FromLeader<protocol::Renewed>& event) {
  const protocol::Renewed& renewed = event.message;
  const auto found = shards_.find(renewed.shard);
  const base::Time asked_at{base::Duration(renewed.asked_at_ns)};
  if (found == shards_.end() || renewed.device != options_.device)
    return;
  Shard& shard = found->second;
  // Only an answer to what this life asked: the lease counts from that moment.
  if (!shard.asked_at || asked_at > *shard.asked_at || asked_at < *shard.first_asked_at)
    return;
  if (!follow(renewed.shard, renewed.epoch, renewed.term, event.from))
    return;
  if (renewed.lease_ns > 0)
    shard.lease_until = std::max(shard.lease_until, asked_at + base::Duration(renewed.lease_ns));
  duties_changed_ = true;
  for (const auto& what : renewed.stop)
    if (what.attempt.shard == renewed.shard)
      stop(what.attempt, what.job, what.ranges);
  if (renewed.command_lease_ns > 0) {
    shard.renewed_at = std::max(shard.renewed_at, asked_at);
    shard.command_lease = base::Duration(renewed.command_lease_ns);
    extend_leases(renewed.shard);
  }
}

bool WorkerMachine::holds_any(base::ShardId shard) const {
  const auto first = attempts_.lower_bound(before_all_of(shard));
  return first != attempts_.end() && first->first.shard == shard;
}

std::vector<protocol::HeldAttempt> WorkerMachine::held_of(base::ShardId shard) const {
  std::vector<protocol::HeldAttempt> held;
  for (auto it = attempts_.lower_bound(before_all_of(shard));
       it != attempts_.end() && it->first.shard == shard; ++it) {
    books::TaskSet all;
    books::TaskSet running;
    for (const auto& task : it->second.tasks) {
      if (task.phase != Phase::gone)
        all.add({task.index, 1});
      if (task.phase == Phase::running)
        running.add({task.index, 1});
    }
    held.push_back(
        {it->first, it->second.job, all.ranges(), running.ranges(), waiting_of(it->second)});
  }
  return held;
}

void WorkerMachine::renew(base::ShardId id, Shard& shard) {
  // Later than the one before, and than the grant of what was handed back, were it in this very
  // turn: the leader takes for missing only what was granted before.
  constexpr base::Duration next{1};
  const base::Time asked_at =
      std::max({now_, shard.given_back_stamp + next, shard.asked_at.value_or(now_ - next) + next});
  shard.asked_at = asked_at;
  if (!shard.first_asked_at)
    shard.first_asked_at = asked_at;
  for (auto it = attempts_.lower_bound(before_all_of(id));
       it != attempts_.end() && it->first.shard == id; ++it)
    if (!it->second.listed_at)
      it->second.listed_at = asked_at;
  duties_changed_ = true;
  send(id, protocol::Renew{id, shard.epoch, shard.term, options_.device, options_.incarnation,
                           asked_at.time_since_epoch().count(), held_of(id)});
}

std::optional<base::Time> WorkerMachine::renew_due(base::ShardId id, const Shard& shard) const {
  if (!shard.asked_at)
    return std::nullopt;
  const base::Time regular = *shard.asked_at + limits::lease_renew_interval;
  const base::Time without_lease =
      std::max(*shard.asked_at + renew_retry_interval, shard.lease_until);
  const base::Time due = std::min(regular, without_lease);
  if (!holds_any(id) && due > shard.warm_until)
    return std::nullopt;
  return due;
}

/// Queued tasks without a lease take room from others. Their leader, if there is one, has placed
/// them anew by then: it counts their lease from its receipt.
std::optional<base::Time> WorkerMachine::hand_back_due(const Shard& shard) const {
  if (shard.queued == 0)
    return std::nullopt;
  return std::max(shard.lease_until, shard.granted_at) + limits::lease_safe;
}

/// Renewals and repeats. Looked at only when something changed that may bring one forward.
void WorkerMachine::do_duties() {
  if (!duties_changed_ && (!duty_at_ || now_ < *duty_at_))
    return;
  duty_at_.reset();
  for (auto& [id, shard] : shards_) {
    const auto given_up = hand_back_due(shard);
    if (given_up && now_ >= *given_up)
      hand_back(id);
    const auto due = renew_due(id, shard);
    if (due && now_ >= *due)
      renew(id, shard);
    if (shard.resend_at && now_ >= *shard.resend_at)
      resend(id, shard);
    for (const auto& next : {renew_due(id, shard), shard.resend_at, hand_back_due(shard)})
      if (next && (!duty_at_ || *next < *duty_at_))
        duty_at_ = next;
  }
  duties_changed_ = false;
}

/// Tells everything of the shard that is ended and not settled, once more.
void WorkerMachine::resend(base::ShardId id, Shard& shard) {
  shard.resend_at.reset();
  for (auto it = attempts_.lower_bound(before_all_of(id));
       it != attempts_.end() && it->first.shard == id; ++it) {
    Attempt& attempt = it->second;
    if (attempt.reports.told_tasks() != 0)
      shard.resend_at = now_ + limits::finish_resend_interval;
    for (auto& batch : attempt.reports.told())
      send(id, protocol::Finish{attempt.id, attempt.job, options_.device, std::move(batch.reports),
                                batch.device_ns});
    if (attempt.reports.pending_tasks() != 0)
      flush(attempt);
  }
  duties_changed_ = true;
}

void WorkerMachine::flush(Attempt& attempt) {
  to_flush_.erase(attempt.id);
  for (auto& batch : attempt.reports.take_pending())
    send(attempt.id.shard, protocol::Finish{attempt.id, attempt.job, options_.device,
                                            std::move(batch.reports), batch.device_ns});
  Shard& shard = shards_[attempt.id.shard];
  if (!shard.resend_at)
    shard.resend_at = now_ + limits::finish_resend_interval;
  duties_changed_ = true;
}

void WorkerMachine::flush_where_due() {
  const bool nothing_more_soon = in_flight_.empty() && keeping_.empty();
  if (flush_at_ && (now_ >= *flush_at_ || nothing_more_soon))
    while (!to_flush_.empty())
      flush(attempts_.at(*to_flush_.begin()));
  if (to_flush_.empty())
    flush_at_.reset();
}

}  // namespace fastgpu::worker
