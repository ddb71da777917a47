#include <algorithm>
#include <utility>

#include "runtime/ledger/shard_machine.hpp"

/// Commands: tasks of which two executions at once could do harm.
///
/// Their Assign is sent only when their placement is committed, so that no other leader can place
/// them without knowing of it. They are placed anew only when it is known that they do not run:
/// their worker says so (a Finish, a refusal, a renewal that does not list them), a later life of
/// their node proves that everything of the earlier one is gone, or their lease has ended. The
/// worker counts a lease from the sending of the renewal, this leader 1 % longer from its answer; a
/// new leader counts from its election, before which the last one answered its last renewal. An
/// Assign may lie in a mailbox for longer than its lease: it says until when it may be acted upon.

namespace fastgpu::ledger {

void ShardMachine::on_applied(const TasksPlaced& change) {
  const Holding* holding = leading_ ? duties_.find(change.attempt) : nullptr;
  // A later record of the same entry may have ended the job, and retention forgotten it.
  if (!holding || holding->grant != Grant::proposed || state_.find(change.job) == nullptr) {
    return;
  }
  duties_.set_asked(change.attempt);
  assigns_.sent(change.attempt, now_ + options_.limits.rpc_timeout);
  if (!holding->may_overlap) {
    watch_command(change.attempt);
  }
  send_assign(change.attempt, *holding);
}

void ShardMachine::drop_placement(const protocol::PlacedRecord& record) {
  const Holding* holding = duties_.find(record.attempt);
  if (holding && holding->grant == Grant::proposed) {
    lose(record.attempt, {});
  }
}

void ShardMachine::watch_command(const base::AttemptId& attempt) {
  const Holding& holding = *duties_.find(attempt);
  const base::Duration lease = command_lease(holding.job) / (options_.faults.halve_leases ? 2 : 1);
  const base::Time due = std::max(command_end(holding), now_ + lease + lease / 100);
  if (commands_.emplace(attempt, due).second) {
    command_ends_.emplace(due, attempt);
  }
}

base::Duration ShardMachine::command_lease(base::JobId job) const {
  const protocol::JobSpec& spec = *state_.find(job)->spec;
  const base::Duration own{spec.lease_ns};
  return std::min(own > base::Duration::zero() ? own : options_.limits.lease_command,
                  base::Duration(base::limits::lease_command_max));
}

base::Time ShardMachine::command_end(const Holding& holding) const {
  base::Time since = led_since_;
  const auto renewed = renewed_.find(holding.device);
  if (renewed != renewed_.end() && renewed->second.incarnation == holding.incarnation) {
    since = std::max(since, renewed->second.at);
  }
  const base::Duration lease = command_lease(holding.job) / (options_.faults.halve_leases ? 2 : 1);
  return since + lease + lease / 100;
}

std::int64_t ShardMachine::start_before_ns(const Holding& holding) const {
  const auto renewed = renewed_.find(holding.device);
  if (holding.may_overlap || renewed == renewed_.end() ||
      renewed->second.incarnation != holding.incarnation) {
    return 0;
  }
  return renewed->second.asked_at_ns + command_lease(holding.job).count();
}

// Every renewal moves the ends of all commands of its device: they are found anew only when the one
// that was noted has come.
void ShardMachine::expire_commands() {
  while (!command_ends_.empty() && command_ends_.begin()->first <= now_) {
    const base::AttemptId attempt = command_ends_.begin()->second;
    command_ends_.erase(command_ends_.begin());
    commands_.erase(attempt);
    const Holding* holding = duties_.find(attempt);
    if (!holding) {
      continue;
    }
    const base::Time end = command_end(*holding);
    if (end > now_) {
      commands_.emplace(attempt, end);
      command_ends_.emplace(end, attempt);
      continue;
    }
    TasksByAttempt ran = last_running(holding->device.node, holding->incarnation, false);
    lose(attempt, ran[attempt]);
  }
}

}  // namespace fastgpu::ledger
