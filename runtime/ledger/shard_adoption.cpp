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
  const auto same =
      std::find_if(readers_.renewals.begin(), readers_.renewals.end(),
                   [&](const RenewEvent& other) { return other.message.device == renew.device; });
  if (same == readers_.renewals.end()) {
    readers_.renewals.push_back(event);
  } else {
    *same = event;
  }
}

void ShardMachine::begin_read() {
  if (readers_.empty() || !reads_.empty()) {
    return;
  }
  ++last_token_.value;
  effects_.push_back(Read{last_token_});
  reads_.emplace(last_token_, std::exchange(readers_, {}));
}

void ShardMachine::answer_renewal(const RenewEvent& event) {
  const protocol::Renew& renew = event.message;
  if (!learn_incarnation(event.node, event.incarnation)) {
    return;
  }
  const auto lease = leases_.find(renew.device);
  if (lease != leases_.end() && lease->second.incarnation == event.incarnation &&
      renew.asked_at_ns < lease->second.asked_at_ns) {
    return;  // overtaken: what it lists was true before what is known
  }
  const TasksByAttempt missing = missing_in(event);
  protocol::Renewed renewed{options_.shard,
                            epoch_,
                            term_,
                            renew.device,
                            renew.asked_at_ns,
                            options_.limits.lease.count(),
                            {},
                            options_.limits.lease_command.count()};
  for (const protocol::HeldAttempt& held : renew.held) {
    TaskRanges stopped = adopt(event, held);
    if (!stopped.empty()) {
      renewed.stop.push_back({held.attempt, held.job, renew.device, std::move(stopped)});
    }
  }
  miss(missing);
  grant_lease(renew.device, event.incarnation, renew.asked_at_ns);
  renewed_[renew.device] = {event.incarnation, now_, renew.asked_at_ns};
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
  holding.may_overlap = job->spec->safe_to_overlap();
  for (const TakenFrom& taken : duties_.hold(held.attempt, holding)) {
    stop(taken);
  }
  duties_.set_listed(held, event.message.asked_at_ns);
  if (!holding.may_overlap) {
    watch_command(held.attempt);
  }
  if (!unrecorded.empty()) {
    propose(protocol::PlacedRecord{held.attempt, held.job, unrecorded, holding.device,
                                   holding.incarnation, PlaceCause::refused});
  }
  return stopped;
}

// A task that its worker does not list is not there. What an earlier leader placed surely never
// arrived, since the worker refuses that leader by now. What was granted to this leader may have
// been granted after the renewal left its worker: the worker's own clock tells.
ShardMachine::TasksByAttempt ShardMachine::missing_in(const RenewEvent& event) const {
  const protocol::Renew& renew = event.message;
  TasksByAttempt listed;
  for (const protocol::HeldAttempt& held : renew.held) {
    listed[held.attempt] = united(listed[held.attempt], normalized(held.ranges));
  }
  TasksByAttempt missing;
  for (const base::AttemptId& attempt : duties_.on_node(event.node)) {
    const Holding& holding = *duties_.find(attempt);
    const bool would_be_listed =
        holding.grant == Grant::inherited ||
        (holding.grant == Grant::granted && holding.known_at_ns < renew.asked_at_ns);
    const auto at = listed.find(attempt);
    if (holding.device == renew.device && would_be_listed) {
      missing[attempt] =
          at == listed.end() ? holding.ranges : difference(holding.ranges, at->second);
    }
  }
  return missing;
}

// Their worker lives and says that it does not have them: no loss that counts.
void ShardMachine::miss(const TasksByAttempt& missing) {
  for (const auto& [attempt, ranges] : missing) {
    if (const Holding* holding = duties_.find(attempt)) {
      make_ready(holding->job, intersection(holding->ranges, ranges), PlaceCause::refused);
    }
  }
}

void ShardMachine::grant_lease(base::DeviceId device, base::Incarnation incarnation,
                               std::int64_t asked_at_ns) {
  end_lease(device);
  const base::Duration lease = options_.limits.lease;
  const base::Time until = now_ + lease + lease / 100;
  leases_[device] = {incarnation, until, asked_at_ns};
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
    const base::Incarnation life = leases_.at(device).incarnation;
    end_lease(device);
    for (auto& [attempt, ran] : last_running(device.node, life, false)) {
      const Holding& holding = *duties_.find(attempt);
      if (holding.device == device && holding.grant == Grant::granted &&
          !waits_for_proof(holding)) {
        lose(attempt, ran);
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
    lose_node(node, {incarnation.value - 1}, true);
    adopt_node(node);
  }
  return true;
}

void ShardMachine::lose_node(base::NodeId node, base::Incarnation through, bool proven) {
  for (const auto& [attempt, ran] : last_running(node, through, proven)) {
    if (proven || !waits_for_proof(*duties_.find(attempt))) {
      lose(attempt, ran);
    }
  }
  for (const auto& [device, lease] : std::map(leases_)) {
    if (device.node == node && lease.incarnation <= through) {
      end_lease(device);
    }
  }
}

// A task counts the losses at which it was running, so that one that takes its node with it is
// found out while those that only waited beside it are spared. Its worker's list says what ran, but
// only as of the last renewal, and a task may kill its node before the next one. So those that its
// device runs first, as many as it has slots, count as well: the queue is served in order, and one
// that has not run yet can stand there only because those before it have ended. What a lost node
// had before goes ahead of the others: either may have been the first. What an earlier leader
// placed counts only when that life of the node has surely ended: else this leader may just not
// have heard of it yet.
ShardMachine::TasksByAttempt ShardMachine::last_running(base::NodeId node,
                                                        base::Incarnation through,
                                                        bool proven) const {
  TasksByAttempt ran;
  std::map<std::pair<base::DeviceId, bool>, std::uint64_t> slots_left;
  for (const base::AttemptId& attempt : duties_.on_node(node)) {
    const Holding& holding = *duties_.find(attempt);
    if (holding.incarnation > through) {
      continue;
    }
    TaskRanges& of_attempt = ran[attempt];
    if (holding.grant == Grant::proposed || holding.grant == Grant::asked ||
        (holding.grant == Grant::inherited && !proven)) {
      continue;
    }
    of_attempt = holding.seen_running;
    const bool goes_ahead = !lost_part(holding.job, holding.ranges).empty();
    const auto slots =
        slots_left.try_emplace({holding.device, goes_ahead}, slots_of(holding.device)).first;
    TaskRanges first;
    for (const base::TaskRange& range : holding.ranges) {
      const auto count =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(range.count, slots->second));
      append(first, {range.first, count});
      slots->second -= count;
    }
    of_attempt = united(of_attempt, normalized(std::move(first)));
  }
  return ran;
}

std::uint32_t ShardMachine::slots_of(base::DeviceId device) const {
  const auto known = devices_.find(device);
  return known == devices_.end() ? 1 : std::max(known->second.slots, 1u);
}

bool ShardMachine::seems_over(base::NodeId node, base::Incarnation incarnation) const {
  const auto newest = incarnations_.find(node);
  const auto lost = lost_lives_.find(node);
  return (newest != incarnations_.end() && incarnation < newest->second) ||
         (lost != lost_lives_.end() && incarnation <= lost->second);
}

void ShardMachine::handle(const protocol::NodeLost& event) {
  base::Incarnation& lost = lost_lives_[event.node];
  lost = std::max(lost, event.incarnation);
  if (leading_) {
    lose_node(event.node, event.incarnation, event.proven);
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
  for (const protocol::NodeView& node : view_->nodes) {
    // Before its devices are taken over: what is lost by it ran on those of the life before.
    learn_incarnation(node.info.node, node.incarnation);
    if (node.state == protocol::NodeState::up) {
      lost_lives_.erase(node.info.node);
    }
    if (leading_ && node.state == protocol::NodeState::up && !was_up(node.info.node)) {
      adopt_node(node.info.node);
    }
  }
  devices_.clear();
  for (const protocol::NodeView& node : view_->nodes) {
    for (const protocol::DeviceBooks& books : node.devices) {
      devices_[books.device] = {books.kind, books.slots_total};
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
  for (const auto& [node, newest] : std::map(incarnations_)) {
    if (newest) {
      lose_node(node, {newest.value - 1}, true);  // those lives are over: nothing to wait for
    }
  }
  for (const auto& [node, lost] : std::map(lost_lives_)) {
    lose_node(node, lost, false);  // said before this leadership, and not said again
  }
  bool waits = false;
  for (const auto& [attempt, holding] : duties_.holdings()) {
    adopt_node(holding.device.node);
    waits = true;
    if (!holding.may_overlap) {
      watch_command(attempt);
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

// Kernel tasks are safe to overlap: those of a node that does not report wait no longer. That it is
// slow to connect is no death, so it is not counted.
void ShardMachine::end_adoption_when_due() {
  if (!adoption_ends_ || *adoption_ends_ > now_) {
    return;
  }
  adoption_ends_.reset();
  for (const auto& [attempt, holding] : std::map(duties_.holdings())) {
    if (holding.grant == Grant::inherited && !waits_for_proof(holding)) {
      lose(attempt, {});
    }
  }
}

}  // namespace fastgpu::ledger
