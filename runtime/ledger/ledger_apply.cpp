#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "runtime/ledger/ledger_state.hpp"

/// What each record does to the ledger: the rules of ledger_state.hpp, record by record.

namespace fastgpu::ledger {

namespace {

using protocol::PlaceCause;
using protocol::TaskOutcome;
using protocol::TaskPhase;
using protocol::TaskRecord;
using protocol::TaskState;

enum class Verdict { end, retry_own, retry_node, lose };

bool is_own_fault(const TaskOutcome& outcome) {
  const bool failed = outcome.state == TaskState::failed || outcome.state == TaskState::timed_out;
  return failed && !base::is_infrastructure(outcome.reason);
}

// An executor's crash is the task's own fault: its worker blames a task only after it crashed alone
// a second time. A worker that gives a live task back as cancelled counts like a lost node.
Verdict judge(const TaskOutcome& outcome, const TaskRecord& record, const protocol::JobSpec& spec) {
  if (outcome.state == TaskState::succeeded) {
    return Verdict::end;
  }
  if (is_own_fault(outcome)) {
    return record.own_failures < spec.retries ? Verdict::retry_own : Verdict::end;
  }
  return record.node_failures < spec.crash_limit ? Verdict::retry_node : Verdict::lose;
}

protocol::SharedOutcome share(TaskOutcome outcome) {
  return {std::make_shared<const TaskOutcome>(std::move(outcome))};
}

TaskOutcome lost_outcome(TaskOutcome outcome, std::uint32_t node_failures) {
  const std::string last = outcome.message.empty() ? "" : ": " + outcome.message;
  outcome.state = TaskState::lost;
  outcome.message = "lost with its node, device or executor " + std::to_string(node_failures) +
                    " times, the last time by " + base::to_word(outcome.reason) + last;
  return outcome;
}

base::Error refusal(base::ErrorCode code, std::string message) {
  return {base::ErrorKind::rejected, code, std::move(message), ""};
}

/// `fresh` of `all` parts of `total`, rounded down, without overflow for the counts of one job.
std::int64_t share_of(std::int64_t total, std::uint64_t fresh, std::uint64_t all) {
  const auto part = static_cast<std::int64_t>(fresh);
  const auto whole = static_cast<std::int64_t>(all);
  return total / whole * part + total % whole * part / whole;
}

/// Makes a task terminal and counts it.
void end_task(Job& job, base::TaskRange part, TaskRecord& task,
              const protocol::SharedOutcome& outcome) {
  if (task.phase == TaskPhase::ended) {  // only with the fence broken on purpose
    job.ended[static_cast<std::size_t>(task.outcome->state)] -= part.count;
  } else {
    job.live_tasks -= part.count;
  }
  job.ended[static_cast<std::size_t>(outcome->state)] += part.count;
  task.phase = TaskPhase::ended;
  task.outcome = outcome;
}

/// One outcome on its way to the tasks of its range, which take it differently.
class ReportApplication {
 public:
  ReportApplication(Job& job, const base::AttemptId& attempt, TaskOutcome outcome,
                    bool ignore_fence)
      : job_(job), attempt_(attempt), ignore_fence_(ignore_fence) {
    outcome.attempt = attempt;
    outcome_ = share(std::move(outcome));
  }

  void apply_to(base::TaskRange part, TaskRecord& task) {
    const bool passes = passes_fence(task, attempt_);
    if (!passes && !ignore_fence_) {
      append(fenced_, part);
      return;
    }
    const Verdict verdict = passes ? judge(*outcome_, task, *job_.spec) : Verdict::end;
    if (attempt_ != task.floor) {
      task.floor = attempt_;
      task.device = outcome_->device;
      task.incarnation = {};  // its placement was never recorded
    }
    switch (verdict) {
      case Verdict::end:
        end_task(job_, part, task, outcome_);
        append(ended_, part);
        return;
      case Verdict::lose:
        lose(part, task);
        return;
      case Verdict::retry_own:
        ++task.own_failures;
        retry(part, task, PlaceCause::user_retry, again_own_);
        return;
      case Verdict::retry_node:
        ++task.node_failures;
        retry(part, task, PlaceCause::node_failure, again_node_);
        return;
    }
  }

  void tell(std::vector<Applied>& changes) {
    if (!ended_.empty()) {
      changes.push_back(TasksEnded{job_.id, attempt_, std::move(ended_), outcome_});
    }
    for (TasksEnded& lost : lost_) {
      changes.push_back(std::move(lost));
    }
    if (!again_own_.empty()) {
      changes.push_back(
          TasksAgain{job_.id, attempt_, std::move(again_own_), PlaceCause::user_retry});
    }
    if (!again_node_.empty()) {
      changes.push_back(
          TasksAgain{job_.id, attempt_, std::move(again_node_), PlaceCause::node_failure});
    }
    if (!fenced_.empty()) {
      changes.push_back(FinishFenced{job_.id, attempt_, std::move(fenced_)});
    }
  }

 private:
  void lose(base::TaskRange part, TaskRecord& task) {
    const protocol::SharedOutcome lost = share(lost_outcome(*outcome_, ++task.node_failures));
    end_task(job_, part, task, lost);
    lost_.push_back(TasksEnded{job_.id, attempt_, {part}, lost});
  }

  static void retry(base::TaskRange part, TaskRecord& task, PlaceCause cause, TaskRanges& told) {
    task.phase = TaskPhase::ready;
    task.next_cause = cause;
    append(told, part);
  }

  Job& job_;
  const base::AttemptId attempt_;
  const bool ignore_fence_;
  protocol::SharedOutcome outcome_;
  TaskRanges ended_;
  std::vector<TasksEnded> lost_;
  TaskRanges again_own_;
  TaskRanges again_node_;
  TaskRanges fenced_;
};

}  // namespace

void LedgerState::apply_record(const protocol::SubmitRecord& record, Changes& changes) {
  if (const Job* known = find(record.request)) {
    changes.push_back(JobAccepted{record.request, known->id, true});
    return;
  }
  if (!record.spec || record.spec->tasks == 0) {
    changes.push_back(RequestRefused{record.request,
                                     {base::ErrorKind::invalid, base::ErrorCode::bad_job_spec,
                                      "a job has at least 1 task", ""}});
    return;
  }
  const base::JobId id = layout_.job_id(shard_, next_job_sequence_++);
  Job& job = jobs_[id];
  job.id = id;
  job.request = record.request;
  job.spec = record.spec;
  job.submitted_at_ms = record.submitted_at_ms;
  job.accepted_by = record.accepted_by;
  job.waits_for = record.spec->after;
  job.live_tasks = record.spec->tasks;
  job.tasks.assign({0, job.live_tasks}, TaskRecord{});
  requests_.emplace(record.request, id);
  changes.push_back(JobAccepted{record.request, id, false});
}

void LedgerState::apply_record(const protocol::PlacedRecord& record, Changes& changes) {
  TaskRanges placed;
  Job* job = live_job(record.job);
  const bool counts = job && job->waits_for.empty();
  for (const base::TaskRange& range : counts ? normalized(record.ranges) : TaskRanges{}) {
    job->tasks.update(range, [&](base::TaskRange part, TaskRecord& task) {
      if (task.phase == TaskPhase::ended || record.attempt <= task.floor) {
        return;
      }
      // A closed floor was counted by the Finish that closed it.
      if (task.phase == TaskPhase::placed && record.cause == PlaceCause::node_failure) {
        ++task.node_failures;
      }
      task.phase = TaskPhase::placed;
      task.next_cause = PlaceCause::first;
      task.floor = record.attempt;
      task.device = record.device;
      task.incarnation = record.incarnation;
      append(placed, part);
    });
  }
  if (!placed.empty()) {
    JobAttempt& attempt = job->attempt_on(record.attempt, record.device);
    attempt.ranges = united(attempt.ranges, placed);
    attempt.cause = record.cause;
  }
  changes.push_back(TasksPlaced{record.job, record.attempt, std::move(placed)});
}

void LedgerState::apply_record(const protocol::FinishRecord& record, Changes& changes) {
  const auto at = jobs_.find(record.job);
  if (at == jobs_.end() || !at->second.waits_for.empty()) {
    TaskRanges ranges;
    for (const protocol::TaskReport& report : record.reports) {
      ranges.push_back(report.range);
    }
    changes.push_back(FinishFenced{record.job, record.attempt, normalized(std::move(ranges))});
    return;
  }
  const bool was_live = at->second.live();
  for (const protocol::TaskReport& report : record.reports) {
    ReportApplication application(at->second, record.attempt, report.outcome, faults_.ignore_fence);
    at->second.tasks.update(report.range, [&application](base::TaskRange part, TaskRecord& task) {
      application.apply_to(part, task);
    });
    application.tell(changes);
  }
  if (was_live) {
    end_job_if_done(at->second, record.finished_at_ms, changes);
  }
}

void LedgerState::apply_record(const protocol::ReleasedRecord& record, Changes& changes) {
  const TaskRanges ranges = normalized(record.ranges);
  std::int64_t counted = 0;
  const auto at = jobs_.find(record.job);
  if (at != jobs_.end()) {
    Job& job = at->second;
    JobAttempt& attempt = job.attempt_on(record.attempt, record.device);
    const TaskRanges known = clipped(ranges, job.spec->tasks);
    const std::uint64_t all = count_tasks(ranges);
    const std::uint64_t fresh = count_tasks(difference(known, attempt.released));
    if (fresh > 0) {
      counted = share_of(record.device_ns, fresh, all);
      attempt.released = united(attempt.released, known);
      job.device_ns += counted;
    }
  }
  changes.push_back(UsageReleased{record.job, record.attempt, record.device, ranges, counted});
}

void LedgerState::apply_record(const protocol::CancelRecord& record, Changes& changes) {
  const auto at = jobs_.find(record.job);
  if (at == jobs_.end()) {
    changes.push_back(RequestRefused{
        record.request,
        refusal(base::ErrorCode::not_found, base::to_string(record.job) + " is not known")});
    return;
  }
  Job& job = at->second;
  if (!job.live() && faults_.cancel_ended) {
    job.tasks.update({0, job.spec->tasks}, [](base::TaskRange, TaskRecord& task) {
      TaskOutcome outcome = *task.outcome;
      outcome.message += ", then cancelled";
      task.outcome = share(std::move(outcome));
    });
  }
  if (!job.live()) {
    if (job.cancel_request == record.request) {
      changes.push_back(JobCancelled{record.request, record.job});
    } else {
      changes.push_back(
          RequestRefused{record.request, refusal(base::ErrorCode::already_finished,
                                                 base::to_string(record.job) + " is finished: it " +
                                                     protocol::to_word(job.state()))});
    }
    return;
  }
  job.cancel_request = record.request;
  changes.push_back(JobCancelled{record.request, record.job});
  TaskOutcome outcome;
  outcome.state = TaskState::cancelled;
  outcome.reason = base::FailureReason::cancelled;
  outcome.message = "cancelled by request";
  end_live_tasks(job, {{0, job.spec->tasks}}, std::move(outcome), changes);
  end_job_if_done(job, record.cancelled_at_ms, changes);
}

void LedgerState::apply_record(const protocol::GiveUpRecord& record, Changes& changes) {
  Job* job = live_job(record.job);
  if (!job) {
    return;
  }
  TaskOutcome outcome;
  outcome.state = TaskState::lost;
  outcome.reason = record.reason;
  outcome.message = record.message;
  end_live_tasks(*job, normalized(record.ranges), std::move(outcome), changes);
  end_job_if_done(*job, record.given_up_at_ms, changes);
}

void LedgerState::apply_record(const protocol::DependencyRecord& record, Changes& changes) {
  Job* job = live_job(record.job);
  const protocol::JobStanding& parent = record.parent;
  if (!job || !parent.is_final()) {
    return;
  }
  const auto names_parent = [&parent](const protocol::Dependency& condition) {
    return condition.job == parent.job;
  };
  for (const protocol::Dependency& condition : job->waits_for) {
    if (names_parent(condition) && !holds(condition.kind, parent)) {
      TaskOutcome outcome;
      outcome.state = TaskState::cancelled;
      outcome.reason = base::FailureReason::cancelled;
      outcome.message = broken_text(condition.kind, parent);
      end_live_tasks(*job, {{0, job->spec->tasks}}, std::move(outcome), changes);
      end_job_if_done(*job, record.recorded_at_ms, changes);
      return;
    }
  }
  if (std::erase_if(job->waits_for, names_parent) > 0) {
    changes.push_back(DependencyMet{job->id, parent.job});
    if (job->waits_for.empty()) {
      changes.push_back(JobReleased{job->id});
    }
  }
}

void LedgerState::end_live_tasks(Job& job, const TaskRanges& ranges, TaskOutcome outcome,
                                 Changes& changes) {
  const auto state = static_cast<std::size_t>(outcome.state);
  const protocol::SharedOutcome shared = share(std::move(outcome));
  TaskRanges ended;
  for (const base::TaskRange& range : ranges) {
    job.tasks.update(range, [&](base::TaskRange part, TaskRecord& task) {
      if (task.phase == TaskPhase::ended) {
        return;
      }
      task.phase = TaskPhase::ended;
      task.outcome = shared;
      job.live_tasks -= part.count;
      job.ended[state] += part.count;
      append(ended, part);
    });
  }
  if (!ended.empty()) {
    changes.push_back(TasksEnded{job.id, {}, std::move(ended), shared});
  }
}

bool LedgerState::is_root(const base::RequestId& request, Changes& changes) const {
  if (shard_.value != 0) {
    changes.push_back(RequestRefused{
        request, refusal(base::ErrorCode::conflict, "only shard 0 keeps the members")});
  }
  return shard_.value == 0;
}

void LedgerState::apply_record(const protocol::MemberRecord& record, Changes& changes) {
  if (!is_root(record.request, changes)) {
    return;
  }
  base::Result<MemberBook::Added> added = members_.add(record, applied_);
  if (added.ok()) {
    changes.push_back(
        MemberAdded{record.request, std::move(added.value().info), added.value().repeated});
  } else {
    changes.push_back(RequestRefused{record.request, added.error()});
  }
}

static Applied told(const base::RequestId& request, const base::Status& status) {
  return status.ok() ? Applied(RequestRecorded{request}) : RequestRefused{request, status.error()};
}

void LedgerState::apply_record(const protocol::MemberStateRecord& record, Changes& changes) {
  if (is_root(record.request, changes)) {
    changes.push_back(told(record.request, members_.change(record, applied_)));
  }
}

void LedgerState::apply_record(const protocol::TokenRecord& record, Changes& changes) {
  if (is_root(record.request, changes)) {
    changes.push_back(told(record.request, members_.add(record, applied_)));
  }
}

void LedgerState::apply_record(const protocol::ClientKeyRecord& record, Changes& changes) {
  if (is_root(record.request, changes)) {
    changes.push_back(told(record.request, members_.set(record, applied_)));
  }
}

void LedgerState::apply_record(const protocol::ReplicasRecord& record, Changes& changes) {
  if (is_root(record.request, changes)) {
    changes.push_back(told(record.request, members_.set(record, applied_)));
  }
}

}  // namespace fastgpu::ledger
