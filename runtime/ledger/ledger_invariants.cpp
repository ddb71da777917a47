#include "runtime/ledger/ledger_invariants.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

namespace fastgpu::ledger {

namespace {

using protocol::TaskPhase;
using protocol::TaskRecord;

/// Collects broken promises, each with where it was found.
class Findings {
 public:
  void expect(bool holds, base::JobId job, const std::string& promise) {
    if (!holds) {
      found_.push_back(base::to_string(job) + ": " + promise);
    }
  }
  void expect(bool holds, const std::string& promise) {
    if (!holds) {
      found_.push_back(promise);
    }
  }
  std::vector<std::string> take() { return std::move(found_); }

 private:
  std::vector<std::string> found_;
};

std::string tasks_of(base::TaskRange range) {
  return "tasks " + std::to_string(range.first) + " to " + std::to_string(range.end() - 1);
}

void check_record(const Job& job, base::TaskRange range, const TaskRecord& task,
                  Findings& findings) {
  const std::string where = tasks_of(range);
  if (task.phase == TaskPhase::ended) {
    findings.expect(bool(task.outcome), job.id, where + " ended without an outcome");
    findings.expect(!task.outcome || protocol::is_terminal(task.outcome->state), job.id,
                    where + " ended in a state that is not terminal");
  } else {
    findings.expect(!task.outcome, job.id, where + " are live and have an outcome");
  }
  if (task.phase == TaskPhase::placed) {
    findings.expect(bool(task.floor), job.id, where + " are placed without an attempt");
    findings.expect(job.attempts.contains(task.floor), job.id,
                    where + " are placed under an attempt that is not listed");
  }
  const bool live = task.phase != TaskPhase::ended;
  findings.expect(!live || task.own_failures <= job.spec->retries, job.id,
                  where + " are live after more failures than their retries");
  findings.expect(task.own_failures <= job.spec->retries, job.id,
                  where + " failed more often than they may");
}

void check_waiting(const Job& job, Findings& findings) {
  for (const protocol::Dependency& condition : job.waits_for) {
    const auto& all = job.spec->after;
    findings.expect(
        std::find(all.begin(), all.end(), condition) != all.end(), job.id,
        "waits for " + base::to_string(condition.job) + ", which its spec does not name");
  }
  if (job.waits_for.empty()) {
    return;
  }
  findings.expect(job.live(), job.id, "waits for others although it has ended");
  job.tasks.for_each([&](base::TaskRange range, const TaskRecord& task) {
    findings.expect(task.phase != TaskPhase::placed && !task.floor, job.id,
                    tasks_of(range) + " were placed before the end of what they wait for");
  });
}

void check_job(const Job& job, Findings& findings) {
  check_waiting(job, findings);
  std::uint64_t position = 0;
  std::uint64_t live = 0;
  std::array<std::uint64_t, protocol::task_state_count> ended{};
  job.tasks.for_each([&](base::TaskRange range, const TaskRecord& task) {
    findings.expect(range.first == position, job.id,
                    "a gap or an overlap before " + tasks_of(range));
    position = range.end();
    check_record(job, range, task, findings);
    if (task.phase != TaskPhase::ended) {
      live += range.count;
    } else if (task.outcome) {
      ended[static_cast<std::size_t>(task.outcome->state)] += range.count;
    }
  });
  findings.expect(position == job.spec->tasks, job.id, "its records do not cover all its tasks");
  findings.expect(live == job.live_tasks, job.id, "the count of live tasks is wrong");
  findings.expect(std::equal(ended.begin(), ended.end(), job.ended.begin()), job.id,
                  "the counts of ended tasks are wrong");
  for (const auto& [attempt, known] : job.attempts) {
    const TaskRanges all = {{0, job.spec->tasks}};
    findings.expect(difference(known.ranges, all).empty(), job.id,
                    base::to_string(attempt) + " was placed for tasks that the job has not");
    findings.expect(known.ranges == normalized(known.ranges), job.id,
                    base::to_string(attempt) + " lists tasks twice or out of order");
  }
}

void check_step(const Job& before, const Job& after, Findings& findings) {
  findings.expect(before.spec == after.spec && before.request == after.request, before.id,
                  "its spec or request has changed");
  findings.expect(before.device_ns <= after.device_ns, before.id, "usage was taken back");
  for (const protocol::Dependency& condition : after.waits_for) {
    const auto& old = before.waits_for;
    findings.expect(std::find(old.begin(), old.end(), condition) != old.end(), before.id,
                    "waits again for " + base::to_string(condition.job));
  }
  before.tasks.for_each([&](base::TaskRange range, const TaskRecord& old_task) {
    after.tasks.for_each_in(range, [&](base::TaskRange part, const TaskRecord& new_task) {
      findings.expect(old_task.floor <= new_task.floor, before.id,
                      "the floor of " + tasks_of(part) + " fell");
      findings.expect(old_task.node_failures <= new_task.node_failures &&
                          old_task.own_failures <= new_task.own_failures,
                      before.id, "failures of " + tasks_of(part) + " were forgotten");
      findings.expect(old_task.phase != TaskPhase::ended || old_task == new_task, before.id,
                      "the terminal record of " + tasks_of(part) + " changed");
    });
  });
  for (const auto& [attempt, known] : before.attempts) {
    const auto at = after.attempts.find(attempt);
    findings.expect(
        at != after.attempts.end() && difference(known.ranges, at->second.ranges).empty(),
        before.id, base::to_string(attempt) + " shrank");
  }
}

}  // namespace

std::vector<std::string> check(const LedgerState& state) {
  Findings findings;
  std::set<base::JobId> finished(state.finished().begin(), state.finished().end());
  findings.expect(finished.size() == state.finished().size(), "a job is listed as finished twice");
  std::uint64_t bytes = 0;
  for (const auto& [id, job] : state.jobs()) {
    findings.expect(id == job.id, id, "is kept under another id");
    findings.expect(finished.contains(id) == !job.live(), id,
                    "being finished and being listed as finished differ");
    findings.expect(state.find(job.request) == &job, id, "its request does not lead to it");
    check_job(job, findings);
    bytes += job.live() ? 0 : kept_bytes(job);
  }
  for (const base::JobId id : state.finished()) {
    findings.expect(state.find(id) != nullptr, id, "is listed as finished and not kept");
  }
  findings.expect(bytes == state.finished_bytes(), "the bytes of finished jobs are miscounted");
  std::set<std::string> names;
  for (const auto& [node, member] : state.members().members()) {
    findings.expect(node == member.info.node && node.value > 0, "a member's id is wrong");
    findings.expect(member.info.state == protocol::MemberState::removed ||
                        names.insert(member.info.name).second,
                    "two members have the same name");
  }
  return findings.take();
}

std::vector<std::string> check(const ShardMachine& machine) {
  Findings findings;
  const DutyTable& duties = machine.duties();
  std::map<base::AttemptId, TaskRanges> on_duty;
  for (const auto& [id, job] : machine.state().jobs()) {
    TaskRanges with_duty;
    duties.for_each_in(id, {0, job.spec->tasks}, [&](base::TaskRange range, const Duty& duty) {
      append(with_duty, range);
      if (duty.attempt) {
        append(on_duty[duty.attempt], range);
      }
    });
    const bool may_run = machine.leading() && job.waits_for.empty();
    const TaskRanges live = may_run ? job.live_part({{0, job.spec->tasks}}) : TaskRanges{};
    findings.expect(with_duty == live, id, "tasks with a duty and live tasks that may run differ");
    for (const protocol::Dependency& condition : job.waits_for) {
      findings.expect(!machine.leading() || machine.dependencies().awaits(id, condition.job), id,
                      "nobody looks for the end of " + base::to_string(condition.job));
    }
  }
  findings.expect(on_duty.size() == duties.holdings().size(), "an attempt has no task on duty");
  for (const auto& [attempt, ranges] : on_duty) {
    const Holding* holding = duties.find(attempt);
    findings.expect(holding && holding->ranges == ranges,
                    base::to_string(attempt) + " holds other tasks than are its duty");
    findings.expect(!holding || difference(holding->running, holding->ranges).empty(),
                    base::to_string(attempt) + " runs tasks that it does not hold");
    findings.expect(!holding || !needs_proof(*holding) || machine.watches(attempt),
                    base::to_string(attempt) + " has commands whose lease nobody looks at");
  }
  std::vector<std::string> found = check(machine.state());
  for (std::string& one : findings.take()) {
    found.push_back(std::move(one));
  }
  return found;
}

std::vector<std::string> check_step(const LedgerState& before, const LedgerState& after) {
  Findings findings;
  findings.expect(before.applied() <= after.applied(), "the applied index fell");
  findings.expect(before.next_job_sequence() <= after.next_job_sequence(), "the job sequence fell");
  for (const auto& [id, job] : before.jobs()) {
    if (const Job* later = after.find(id)) {
      check_step(job, *later, findings);
    } else {
      // Finished and gone in one step is possible only where something younger finished too.
      findings.expect(!job.live() || after.finished().size() > 0, id, "a live job was forgotten");
    }
  }
  for (const auto& [node, member] : before.members().members()) {
    const auto at = after.members().members().find(node);
    if (at == after.members().members().end()) {
      findings.expect(false, base::to_string(node) + " left");
      continue;
    }
    protocol::MemberImage later = at->second;
    findings.expect(member.info.state != protocol::MemberState::removed ||
                        later.info.state == protocol::MemberState::removed,
                    base::to_string(node) + " was removed and came back");
    later.info.state = member.info.state;
    findings.expect(later == member, base::to_string(node) + " became another");
  }
  return findings.take();
}

}  // namespace fastgpu::ledger
