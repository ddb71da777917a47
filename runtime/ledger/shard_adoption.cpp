#include <algorithm>
#include <utility>

#include "runtime/ledger/shard_machine.hpp"

/// Leases, new leaderships and dead nodes: how the leader's knowledge is mended by what workers
/// report, and what happens to the tasks of those that do not.

namespace fastgpu::ledger {

using protocol::PlaceCause;
using protocol::TaskPhase;
using protocol::TaskRecord;

namespace {

/// How often a new leader makes itself known to a node that does not report.
constexpr int adopt_tries_max = 8;
/// Adopts to a silent node are this many times closer than its suspicion.
constexpr int adopts_per_suspicion = 4;

}  // namespace

// --- renewals ------------------------------------------------------------------------------------

void ShardMachine::handle(const RenewEvent& event) {
  const protocol::Renew& renew = event.message;
  if (!learn_incarnation(event.node, event.incarnation) || !leading_ ||
      renew.incarnation != event.incarnation || renew.device.node != event.node) {
    return;
  }
  const std::pair seen(renew.epoch, renew.term);
  if (seen > std::pair(epoch_, term_)) {
    return;  // a later leader exists; the log will tell
  }
  if (seen < std::pair(epoch_, term_)) {
    // It might still take an Assign of an earlier leader: what it lists is not final.
    send(event.node, protocol::Adopt{options_.shard, epoch_, term_});
    return;
  }
  const auto same = std::find_if(renewals_.begin(), renewals_.end(), [&](const RenewEvent& other) {
    return other.message.device == renew.device;
  });
  if (same == renewals_.end()) {
    renewals_.push_back(event);
  } else {
    *same = event;
  }
}

// One read at a time: renewals that come while it runs share the next, which begins after them.
void ShardMachine::begin_read() {
  if (renewals_.empty() || !reads_.empty()) {
    return;
  }
  ++last_token_.value;
  effects_.push_back(Read{last_token_});
  reads_.emplace(last_token_, std::exchange(renewals_, {}));
}

void ShardMachine::answer_renewal(const RenewEvent& event) {
  const protocol::Renew& renew = event.message;
  if (!learn_incarnation(event.node, event.incarnation)) {
    return;
  }
  protocol::Renewed renewed{options_.shard,
                            epoch_,
                            term_,
                            renew.device,
                            renew.asked_at_ns,
                            options_.limits.lease.count(),
                            {}};
  for (const protocol::HeldAttempt& held : renew.held) {
    TaskRanges stopped = adopt(event, held);
    if (!stopped.empty()) {
      renewed.stop.push_back({held.attempt, held.job, renew.device, std::move(stopped)});
    }
  }
  miss_unlisted(event);
  grant_lease(renew.device, event.incarnation);
  if (!has_inherited(event.node)) {
    adopting_.erase(event.node);
  }
  send(event.node, std::move(renewed));
}

TaskRanges ShardMachine::adopt(const RenewEvent& event, const protocol::HeldAttempt& held) {
  const Job* job = state_.find(held.job);
  const TaskRanges listed = normalized(held.ranges);
  if (!job || held.attempt.shard != options_.shard) {
    return listed;
  }
  TaskRanges stopped;
  TaskRanges kept;        // under this attempt already, or again
  TaskRanges unrecorded;  // its placement was lost with the leader that made it
  for (const base::TaskRange& range : listed) {
    job->tasks.for_each_in(range, [&](base::TaskRange part, const TaskRecord& task) {
      if (task.phase == TaskPhase::ended) {
        append(stopped, part);
      }
      const bool at_floor = task.phase == TaskPhase::placed && held.attempt == task.floor;
      duties_.for_each_in(held.job, part, [&](base::TaskRange piece, const Duty& duty) {
        if (duty.attempt == held.attempt || (duty.ready() && at_floor)) {
          append(kept, piece);
        } else if (held.attempt > (duty.attempt ? duty.attempt : task.floor) && !duty.giving_up) {
          append(unrecorded, piece);
        } else if (!duty.giving_up) {
          append(stopped, piece);
        }
      });
    });
  }
  const TaskRanges taken_over = united(kept, unrecorded);
  if (taken_over.empty()) {
    return stopped;
  }
  TaskRanges gone = duties_.ready_part(held.job, taken_over);
  if (!gone.empty()) {
    tell_scheduler(protocol::TasksGone{held.job, std::move(gone)});
  }
  Holding holding;
  holding.job = held.job;
  holding.device = event.message.device;
  holding.incarnation = event.incarnation;
  holding.ranges = taken_over;
  holding.cause = PlaceCause::refused;
  for (const TakenFrom& taken : duties_.hold(held.attempt, holding)) {
    stop(taken);
  }
  duties_.set_granted(held.attempt, normalized(held.running));
  if (!unrecorded.empty()) {
    propose(protocol::PlacedRecord{held.attempt, held.job, unrecorded, holding.device,
                                   holding.incarnation, PlaceCause::refused});
  }
  return stopped;
}

// A task that its worker does not list is not there. What an earlier leader placed surely never
// arrived, since the worker refuses that leader by now. What was granted to this leader may have
// been granted after the renewal left its worker: only the second miss in a row counts.
void ShardMachine::miss_unlisted(const RenewEvent& event) {
  const protocol::Renew& renew = event.message;
  std::map<base::AttemptId, TaskRanges> listed;
  for (const protocol::HeldAttempt& held : renew.held) {
    listed[held.attempt] = united(listed[held.attempt], normalized(held.ranges));
  }
  for (const base::AttemptId& attempt : duties_.on_node(event.node)) {
    const Holding holding = *duties_.find(attempt);
    const auto at = listed.find(attempt);
    const TaskRanges missing =
        at == listed.end() ? holding.ranges : difference(holding.ranges, at->second);
    if (holding.device != renew.device || missing.empty()) {
      continue;
    }
    if (holding.grant == Grant::inherited) {
      make_ready(holding.job, missing, PlaceCause::refused);
    } else if (holding.grant == Grant::granted && duties_.count_missed(attempt) >= 2) {
      lose(attempt, missing);
    }
  }
}

void ShardMachine::grant_lease(base::DeviceId device, base::Incarnation incarnation) {
  end_lease(device);
  const base::Duration lease = options_.limits.lease;
  const base::Time until = now_ + lease + lease / 100;
  leases_[device] = {incarnation, until};
  lease_ends_.emplace(until, device);
}

void ShardMachine::end_lease(base::DeviceId device) {
  const auto at = leases_.find(device);
  if (at != leases_.end()) {
    lease_ends_.erase({at->second.until, device});
    leases_.erase(at);
  }
}

void ShardMachine::expire_leases() {
  while (!lease_ends_.empty() && lease_ends_.begin()->first <= now_) {
    const base::DeviceId device = lease_ends_.begin()->second;
    end_lease(device);
    for (const base::AttemptId& attempt : duties_.on_node(device.node)) {
      const Holding holding = *duties_.find(attempt);
      if (holding.device == device && holding.grant == Grant::granted) {
        lose(attempt, holding.ranges);
      }
    }
  }
}

// --- dead nodes ----------------------------------------------------------------------------------

bool ShardMachine::learn_incarnation(base::NodeId node, base::Incarnation incarnation) {
  base::Incarnation& newest = incarnations_[node];
  if (incarnation <= newest) {
    return incarnation == newest;
  }
  newest = incarnation;
  if (leading_) {
    lose_node(node, {incarnation.value - 1});
    adopt_node(node);
  }
  return true;
}

void ShardMachine::lose_node(base::NodeId node, base::Incarnation through) {
  for (const base::AttemptId& attempt : duties_.on_node(node)) {
    const Holding holding = *duties_.find(attempt);
    if (holding.incarnation <= through) {
      lose(attempt, holding.ranges);
    }
  }
  for (const auto& [device, lease] : std::map(leases_)) {
    if (device.node == node && lease.incarnation <= through) {
      end_lease(device);
    }
  }
}

void ShardMachine::handle(const protocol::NodeLost& event) {
  if (leading_) {
    lose_node(event.node, event.incarnation);
    adopting_.erase(event.node);
  }
}

void ShardMachine::handle(const ViewChanged& event) {
  const protocol::SharedView before = std::exchange(view_, event.view);
  const auto was_up = [&before](base::NodeId node) {
    return before && std::any_of(before->nodes.begin(), before->nodes.end(), [&](const auto& old) {
             return old.info.node == node && old.state == protocol::NodeState::up;
           });
  };
  kinds_.clear();
  for (const protocol::NodeView& node : view_->nodes) {
    for (const protocol::DeviceBooks& books : node.devices) {
      kinds_[books.device] = books.kind;
    }
    learn_incarnation(node.info.node, node.incarnation);
    if (leading_ && node.state == protocol::NodeState::up && !was_up(node.info.node)) {
      adopt_node(node.info.node);
    }
  }
  if (leading_) {
    send_adopts();
  }
}

// --- new leaderships -----------------------------------------------------------------------------

bool ShardMachine::has_inherited(base::NodeId node) const {
  const std::vector<base::AttemptId> attempts = duties_.on_node(node);
  return std::any_of(attempts.begin(), attempts.end(), [this](const base::AttemptId& attempt) {
    return duties_.find(attempt)->grant == Grant::inherited;
  });
}

void ShardMachine::begin_adoption() {
  bool waits = false;
  for (const auto& [attempt, holding] : std::map(duties_.holdings())) {
    const auto newest = incarnations_.find(holding.device.node);
    if (newest != incarnations_.end() && holding.incarnation < newest->second) {
      lose(attempt, holding.ranges);  // that life is over: nothing to wait for
    } else {
      adopt_node(holding.device.node);
      waits = true;
    }
  }
  if (waits) {
    adoption_ends_ = now_ + options_.limits.suspect_after;
  }
  adopt_node(options_.self);
  if (view_) {
    for (const protocol::NodeView& node : view_->nodes) {
      adopt_node(node.info.node);
    }
  }
  send_adopts();
}

void ShardMachine::adopt_node(base::NodeId node) {
  adopting_[node] = {0, now_};
}

void ShardMachine::send_adopts() {
  const base::Duration interval = options_.limits.suspect_after / adopts_per_suspicion;
  for (auto at = adopting_.begin(); at != adopting_.end();) {
    auto& [node, adoption] = *at;
    if (adoption.due > now_) {
      ++at;
    } else if (adoption.tries >= adopt_tries_max) {
      at = adopting_.erase(at);
    } else {
      send(node, protocol::Adopt{options_.shard, epoch_, term_});
      ++adoption.tries;
      adoption.due = now_ + interval;
      ++at;
    }
  }
}

// Kernel tasks are safe to overlap: those of a node that does not report wait no longer.
void ShardMachine::end_adoption_when_due() {
  if (!adoption_ends_ || *adoption_ends_ > now_) {
    return;
  }
  adoption_ends_.reset();
  for (const auto& [attempt, holding] : std::map(duties_.holdings())) {
    if (holding.grant == Grant::inherited) {
      lose(attempt, holding.ranges);
    }
  }
}

}  // namespace fastgpu::ledger
