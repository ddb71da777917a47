#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "runtime/base/sha256.hpp"
#include "runtime/ledger/shard_machine.hpp"

/// From ready to settled: the scheduler's choices, workers' grants and workers' outcomes.

namespace fastgpu::ledger {

using protocol::PlaceCause;
using protocol::RefusalReason;
using protocol::TaskPhase;
using protocol::TaskRecord;

void ShardMachine::handle(const protocol::Place& event) {
  if (!leading_) {
    return;
  }
  const TaskRanges asked = normalized(event.ranges);
  std::map<PlaceCause, TaskRanges> by_cause;
  std::uint64_t ready = 0;
  for (const base::TaskRange& range : asked) {
    duties_.for_each_in(event.job, range, [&](base::TaskRange part, const Duty& duty) {
      if (duty.ready()) {
        append(by_cause[duty.cause], part);
        ready += part.count;
      }
    });
  }
  // Cancelled, or placed since: the scheduler's list was old. No word on the device.
  if (const std::uint64_t old = count_tasks(asked) - ready; old > 0) {
    tell_scheduler(protocol::AssignAnswered{event.job, event.device,
                                            static_cast<std::uint32_t>(old), false,
                                            RefusalReason::stale_attempt, protocol::DeviceBooks{}});
  }
  const bool over = seems_over(event.device.node, event.incarnation);
  for (const auto& [cause, ranges] : by_cause) {
    over ? take_back(event, ranges, cause) : place(event, ranges, cause);
  }
}

// The scheduler chose before it heard of the loss: it chooses again at once, and no Assign has to
// be waited for that nobody will answer.
void ShardMachine::take_back(const protocol::Place& choice, const TaskRanges& ranges,
                             PlaceCause cause) {
  tell_scheduler(protocol::AssignAnswered{
      choice.job, choice.device, static_cast<std::uint32_t>(count_tasks(ranges)), false,
      RefusalReason::stale_incarnation, protocol::DeviceBooks{}});
  tell_ready(choice.job, ranges, cause);
}

void ShardMachine::place(const protocol::Place& choice, const TaskRanges& ranges,
                         PlaceCause cause) {
  const base::Term term = options_.faults.reuse_attempts ? base::Term{1} : term_;
  const base::AttemptId attempt{options_.shard, epoch_, term, ++last_sequence_};
  Holding holding;
  holding.job = choice.job;
  holding.device = choice.device;
  holding.incarnation = choice.incarnation;
  holding.ranges = ranges;
  holding.cause = cause;
  holding.may_overlap = state_.find(choice.job)->spec->safe_to_overlap();
  // What is safe to overlap does not wait for the commit of its placement: what the attempt makes
  // counts only by a Finish, which comes behind it in the log. Behind an Assign that does wait, it
  // waits too: a worker refuses attempts that are older than the newest it has seen.
  const bool may_go_ahead = holding.may_overlap && !duties_.any_proposed(choice.device);
  const bool at_once = may_go_ahead || options_.faults.assign_before_commit;
  holding.grant = at_once ? Grant::asked : Grant::proposed;
  duties_.hold(attempt, holding);
  propose(protocol::PlacedRecord{attempt, choice.job, ranges, choice.device, choice.incarnation,
                                 cause});
  const auto tasks = static_cast<std::uint32_t>(count_tasks(ranges));
  assigns_.note(attempt, {choice.job, choice.device, tasks, at_once ? 1 : 0,
                          now_ + options_.limits.rpc_timeout});
  if (at_once) {
    if (!holding.may_overlap) {
      watch_command(attempt);
    }
    send_assign(attempt, holding);
  }
}

void ShardMachine::send_assign(const base::AttemptId& attempt, const Holding& holding) {
  send(holding.device.node,
       protocol::Assign{attempt, holding.job, holding.ranges, holding.device, holding.incarnation,
                        state_.find(holding.job)->spec, start_before_ns(holding),
                        !lost_part(holding.job, holding.ranges).empty()});
}

void ShardMachine::handle(const protocol::Waiting& event) {
  const Job* job = state_.find(event.job);
  if (!leading_ || !job || !job->live()) {
    return;
  }
  if (event.reason.code == protocol::WaitingCode::none) {
    waiting_.erase(event.job);
  } else {
    waiting_[event.job] = event.reason;
  }
}

void ShardMachine::handle(const AssignReplyEvent& event) {
  const protocol::AssignReply& answer = event.message;
  if (!learn_incarnation(event.node, event.incarnation) || !leading_) {
    return;
  }
  if (const auto asked = assigns_.take(answer.attempt)) {
    tell_scheduler(protocol::AssignAnswered{asked->job, asked->device, asked->tasks, true,
                                            answer.refused, answer.books});
  }
  const Holding* holding = duties_.find(answer.attempt);
  if (!holding || holding->device.node != event.node || holding->grant != Grant::asked) {
    return;  // taken away since, or answered before
  }
  if (answer.refused != RefusalReason::none) {
    make_ready(holding->job, TaskRanges(holding->ranges), PlaceCause::refused);
  } else if (holding->incarnation == event.incarnation) {
    duties_.set_granted(answer.attempt, answer.granted_at_ns);
    if (!leases_.contains(holding->device)) {
      // Until its first renewal at the latest.
      grant_lease(holding->device, event.incarnation, answer.granted_at_ns);
    }
  }
}

// --- finishing -----------------------------------------------------------------------------------

void ShardMachine::handle(const FinishEvent& event) {
  learn_incarnation(event.node, event.incarnation);
  const protocol::Finish& finish = event.message;
  const base::AttemptId& attempt = finish.attempt;
  const bool later_leader = std::pair(attempt.epoch, attempt.term) > std::pair(epoch_, term_);
  if (!leading_ || attempt.shard != options_.shard || later_leader) {
    return;
  }
  TaskRanges told;
  for (const protocol::TaskReport& report : finish.reports) {
    told.push_back(report.range);
  }
  told = normalized(std::move(told));
  const Job* job = state_.find(finish.job);
  if (!job) {
    settle(attempt, finish.job, finish.device, told);  // finished and forgotten long ago
    return;
  }
  const auto in_flight = finishing_.find(attempt);
  const TaskRanges fresh =
      in_flight == finishing_.end() ? told : difference(told, in_flight->second);
  TaskRanges counts;
  for (const base::TaskRange& range : fresh) {
    job->tasks.for_each_in(range, [&](base::TaskRange part, const TaskRecord& task) {
      if (passes_fence(task, attempt) || options_.faults.ignore_fence) {
        append(counts, part);
      }
    });
  }
  const auto known = job->attempts.find(attempt);
  const bool billed =
      known != job->attempts.end() && difference(fresh, known->second.released).empty();
  if (fresh.empty()) {
    return;  // all of it is in flight: the commit answers
  }
  if (counts.empty() && billed) {
    settle(attempt, finish.job, finish.device, fresh);
    return;
  }
  propose_finish(event, fresh, counts, count_tasks(told));
}

void ShardMachine::propose_finish(const FinishEvent& event, const TaskRanges& fresh,
                                  const TaskRanges& counts, std::uint64_t tasks_told) {
  const protocol::Finish& finish = event.message;
  const Job& job = *state_.find(finish.job);
  // Above the floor and not ours: its placement was lost with the leader that made it.
  if (!duties_.find(finish.attempt) && finish.attempt.term != term_ && !counts.empty() &&
      !job.attempts.contains(finish.attempt)) {
    propose(protocol::PlacedRecord{finish.attempt, finish.job, counts, finish.device,
                                   event.incarnation, PlaceCause::refused});
  }
  protocol::FinishRecord record{finish.attempt, finish.job, {}, wall_now_};
  for (const protocol::TaskReport& report : finish.reports) {
    for (const base::TaskRange& part : intersection(counts, {report.range})) {
      record.reports.push_back({part, report.outcome});
    }
  }
  if (!record.reports.empty()) {
    propose(std::move(record));
  }
  const auto part = static_cast<std::int64_t>(count_tasks(fresh));
  const auto all = static_cast<std::int64_t>(tasks_told);
  const std::int64_t device_ns =
      finish.device_ns / all * part + finish.device_ns % all * part / all;
  propose(protocol::ReleasedRecord{finish.attempt, finish.job, finish.device, fresh, device_ns});
  TaskRanges& in_flight = finishing_[finish.attempt];
  in_flight = united(in_flight, fresh);
}

void ShardMachine::end_finishing(const base::AttemptId& attempt, const TaskRanges& ranges) {
  const auto at = finishing_.find(attempt);
  if (at == finishing_.end()) {
    return;
  }
  at->second = difference(at->second, ranges);
  if (at->second.empty()) {
    finishing_.erase(at);
  }
}

void ShardMachine::settle(const base::AttemptId& attempt, base::JobId job, base::DeviceId device,
                          const TaskRanges& ranges) {
  send(device.node, protocol::Settled{attempt, job, device, ranges});
}

// Every Finish is proposed with its usage behind it, so this is where it is known to be decided.
void ShardMachine::on_applied(const UsageReleased& change) {
  if (leading_) {
    settle(change.attempt, change.job, change.device, change.ranges);
  }
}

void ShardMachine::on_applied(const TasksEnded& change) {
  if (!leading_) {
    return;
  }
  if (const auto lost = lost_.find(change.job); lost != lost_.end()) {
    lost->second = difference(lost->second, change.ranges);
  }
  TaskRanges gone = duties_.ready_part(change.job, change.ranges);
  if (!gone.empty()) {
    tell_scheduler(protocol::TasksGone{change.job, std::move(gone)});
  }
  for (const TakenFrom& taken : duties_.end(change.job, change.ranges)) {
    if (taken.attempt != change.attempt) {
      stop(taken);
    }
  }
  const Job* job = state_.find(change.job);
  if (job && change.outcome->state == protocol::TaskState::succeeded) {
    const base::DeviceId device = change.outcome->device;
    tell_scheduler(protocol::TasksRan{signature_of(*job), device, kind_of(device, *job),
                                      static_cast<std::uint32_t>(count_tasks(change.ranges)),
                                      change.outcome->timings.run_ns});
  }
}

void ShardMachine::on_applied(const TasksAgain& change) {
  // A later record of the same entry may have ended the job, and retention forgotten it.
  if (!leading_ || state_.find(change.job) == nullptr) {
    return;
  }
  TaskRanges freed;
  TaskRanges ready;
  for (const base::TaskRange& range : change.ranges) {
    duties_.for_each_in(change.job, range, [&](base::TaskRange part, const Duty& duty) {
      if (duty.ready()) {
        append(ready, part);
      } else if (duty.attempt && duty.attempt <= change.attempt) {
        append(freed, part);
      }  // else: placed anew already, and that placement comes next in the log
    });
  }
  duties_.make_ready(change.job, ready, change.cause);
  make_ready(change.job, freed, change.cause);
}

// --- repeating and giving up ---------------------------------------------------------------------

void ShardMachine::resend_assigns() {
  for (const base::AttemptId& attempt : assigns_.due(now_)) {
    const Holding* holding = duties_.find(attempt);
    if (holding && holding->grant == Grant::proposed) {
      assigns_.postpone(attempt, now_ + options_.limits.rpc_timeout);
      continue;
    }
    // A command may have been granted and run although nobody answers.
    const bool may_give_up = !holding || !waits_for_proof(*holding);
    if (holding &&
        (!may_give_up || assigns_.find(attempt)->tries < options_.limits.rpc_tries_max)) {
      assigns_.sent(attempt, now_ + options_.limits.rpc_timeout);
      send_assign(attempt, *holding);
      continue;
    }
    give_up_assign(attempt);
    if (holding && holding->grant == Grant::asked) {
      make_ready(holding->job, TaskRanges(holding->ranges), PlaceCause::refused);
    }
  }
}

void ShardMachine::give_up_assign(const base::AttemptId& attempt) {
  if (const auto asked = assigns_.take(attempt)) {
    const RefusalReason reason =
        asked->tries == 0 ? RefusalReason::stale_attempt : RefusalReason::none;
    tell_scheduler(protocol::AssignAnswered{asked->job, asked->device, asked->tasks, false, reason,
                                            protocol::DeviceBooks{}});
  }
}

void ShardMachine::make_ready(base::JobId job, const TaskRanges& ranges, PlaceCause cause) {
  if (!ranges.empty()) {
    duties_.make_ready(job, ranges, cause);
    tell_ready(job, ranges, cause);
  }
}

void ShardMachine::lose(const base::AttemptId& attempt, const TaskRanges& ran) {
  const Holding* held = duties_.find(attempt);
  if (!held) {
    return;
  }
  const Holding holding = *held;
  TaskRanges& lost = lost_[holding.job];
  lost = united(lost, holding.ranges);
  give_up_assign(attempt);
  make_ready(holding.job, difference(holding.ranges, ran), PlaceCause::refused);
  count_loss(attempt, holding, intersection(holding.ranges, ran));
}

void ShardMachine::count_loss(const base::AttemptId& attempt, const Holding& holding,
                              const TaskRanges& ran) {
  const Job& job = *state_.find(holding.job);
  TaskRanges again;
  std::map<std::uint32_t, TaskRanges> over;  // by the number of losses
  for (const base::TaskRange& range : ran) {
    job.tasks.for_each_in(range, [&](base::TaskRange part, const TaskRecord& task) {
      const bool counted_soon = task.floor < attempt && holding.cause == PlaceCause::node_failure;
      const std::uint32_t losses = task.node_failures + (counted_soon ? 2 : 1);
      append(losses > job.spec->crash_limit ? over[losses] : again, part);
    });
  }
  make_ready(holding.job, again, PlaceCause::node_failure);
  for (const auto& [losses, poison] : over) {
    duties_.give_up(holding.job, poison);
    propose(protocol::GiveUpRecord{holding.job, poison, base::FailureReason::node_lost,
                                   "was running at " + std::to_string(losses) +
                                       " node losses, more than its limit of " +
                                       std::to_string(job.spec->crash_limit) + "; the last was " +
                                       base::to_string(holding.device.node),
                                   wall_now_});
  }
}

void ShardMachine::stop(const TakenFrom& taken) {
  // Never assigned: to name it would make the worker refuse what was placed before it.
  if (taken.grant == Grant::proposed) {
    if (duties_.find(taken.attempt) == nullptr) {
      give_up_assign(taken.attempt);
    }
    return;
  }
  send(taken.device.node, protocol::Stop{taken.attempt, taken.job, taken.device, taken.ranges});
}

TaskRanges ShardMachine::lost_part(base::JobId job, const TaskRanges& ranges) const {
  const auto found = lost_.find(job);
  return found == lost_.end() ? TaskRanges{} : intersection(ranges, found->second);
}

void ShardMachine::tell_ready(base::JobId job, const TaskRanges& ranges, PlaceCause cause) {
  const Job& known = *state_.find(job);
  const TaskRanges lost = lost_part(job, ranges);
  const auto tell = [&](const TaskRanges& part, bool lost_before) {
    if (!part.empty()) {
      tell_scheduler(protocol::TasksReady{options_.shard, job, part, known.spec->request,
                                          signature_of(known), cause, known.spec->is_command(),
                                          lost_before});
    }
  };
  tell(lost, true);
  tell(difference(ranges, lost), false);
}

protocol::DeviceKind ShardMachine::kind_of(base::DeviceId device, const Job& job) const {
  const auto known = devices_.find(device);
  return known == devices_.end() ? job.spec->request.kind : known->second.kind;
}

const base::ObjectHash& ShardMachine::signature_of(const Job& job) {
  const auto [at, is_new] = signatures_.try_emplace(job.id);
  if (is_new) {
    base::Sha256 hash;
    hash.update(job.spec->kernel.source.span());
    hash.update(std::string_view("\0", 1));
    hash.update(job.spec->kernel.name);
    for (const std::string& word : job.spec->command.argv) {
      hash.update(std::string_view("\0", 1));
      hash.update(word);
    }
    at->second = hash.finish();
  }
  return at->second;
}

}  // namespace fastgpu::ledger
