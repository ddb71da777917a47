#include <algorithm>
#include <string>
#include <utility>

#include "runtime/ledger/shard_machine.hpp"

/// Jobs that wait for others (JobSpec::after).
///
/// A waiting job has no duty and the scheduler does not know it: nothing can be placed before the
/// record that ends its waiting is committed. How a job of this shard stands, the ledger itself
/// says; of another shard's its leader is asked, again and again, until the job has ended. What is
/// heard is recorded when it is final, and only by the record's commit anything changes. An end
/// never becomes untrue, whoever tells of it. That a job was never accepted does: it is believed of
/// a leader that had a quorum confirm it after it was asked, and only for jobs that waited then.

namespace fastgpu::ledger {

using protocol::DependencyKind;
using protocol::JobKnowledge;
using protocol::JobStanding;
using protocol::TaskState;

namespace {

/// Of one job, in the sentence that says why it waits.
constexpr std::size_t parents_named_max = 3;

const char* wish_of(DependencyKind kind) {
  switch (kind) {
    case DependencyKind::ok:
      return " to end well";
    case DependencyKind::any:
      return " to end";
    case DependencyKind::fail:
      return " to end in any way but well";
  }
  return "";
}

struct KnownLeader {
  base::NodeId node;
  std::pair<base::Epoch, base::Term> leadership;
};

/// The newest leader of the shard that the view shows.
std::optional<KnownLeader> leader_of(const protocol::SharedView& view, base::ShardId shard) {
  std::optional<KnownLeader> newest;
  if (!view) {
    return newest;
  }
  for (const protocol::NodeView& node : view->nodes) {
    for (const protocol::LedShard& led : node.leads) {
      const std::pair leadership(led.epoch, led.term);
      if (led.shard == shard && (!newest || leadership > newest->leadership)) {
        newest = {node.info.node, leadership};
      }
    }
  }
  return newest;
}

}  // namespace

void ShardMachine::begin(const Job& job) {
  if (!job.waits_for.empty() && !options_.faults.start_before_parents) {
    for (const protocol::Dependency& condition : job.waits_for) {
      dependencies_.add(job.id, condition.job, last_ask_, now_);
    }
    return;
  }
  duties_.add(job);
  job.tasks.for_each([this, &job](base::TaskRange range, const protocol::TaskRecord& task) {
    if (task.phase == protocol::TaskPhase::ready) {
      tell_ready(job.id, {range}, task.next_cause);
    }
  });
}

void ShardMachine::on_applied(const DependencyMet& change) {
  dependencies_.remove(change.job, change.parent);
}

void ShardMachine::on_applied(const JobReleased& change) {
  // A later record of the same entry may have ended the job.
  const Job* job = leading_ ? state_.find(change.job) : nullptr;
  if (job && job->live() && !options_.faults.start_before_parents) {
    begin(*job);
  }
}

JobStanding ShardMachine::standing_of(base::JobId id) const {
  if (const Job* job = state_.find(id)) {
    const bool runs = job->live() && duties_.running_tasks(id) > 0;
    return {id, JobKnowledge::known, runs ? TaskState::running : job->state()};
  }
  const std::uint64_t sequence = id.value / options_.layout.shard_count;
  const bool was_accepted = sequence > 0 && sequence < state_.next_job_sequence();
  return {id, was_accepted ? JobKnowledge::forgotten : JobKnowledge::never, {}};
}

void ShardMachine::look_after_dependencies() {
  if (dependencies_.empty()) {
    return;
  }
  std::size_t room = options_.limits.entry_records_max;
  std::map<base::ShardId, std::vector<base::JobId>> questions;
  for (const base::JobId parent :
       dependencies_.due(now_, options_.limits.dependency_ask_jobs_max)) {
    const base::ShardId home = options_.layout.shard_of(parent);
    if (home == options_.shard) {
      dependencies_.hear(standing_of(parent), ++last_ask_, now_);
    }
    const JobStanding* heard = dependencies_.heard_of(parent);
    if (heard && heard->is_final()) {
      const JobStanding end = *heard;
      for (const base::JobId child : dependencies_.take_children(parent, room)) {
        propose(protocol::DependencyRecord{child, end, wall_now_});
        --room;
      }
      if (room == 0) {
        break;  // the rest is due still
      }
    }
    if (home == options_.shard || !dependencies_.has_waiting(parent)) {
      dependencies_.look_again(parent, std::nullopt);  // its end in the log wakes it
    } else {
      questions[home].push_back(parent);
      dependencies_.look_again(parent, now_ + options_.limits.dependency_ask_interval);
    }
  }
  // Without a leader that is known, or with one that does not answer, they are asked again later.
  for (auto& [shard, jobs] : questions) {
    if (const auto leader = leader_of(view_, shard)) {
      send(leader->node, protocol::DependencyAsk{shard, options_.shard, epoch_, term_, ++last_ask_,
                                                 std::move(jobs)});
    }
  }
}

void ShardMachine::handle(const DependencyAskEvent& event) {
  const protocol::DependencyAsk& ask = event.message;
  // What is dropped is asked again.
  if (leading_ && ask.shard == options_.shard &&
      readers_.asks.size() < options_.limits.dependency_asks_pending_max) {
    readers_.asks.push_back(event);
  }
}

void ShardMachine::answer_ask(const DependencyAskEvent& event) {
  const protocol::DependencyAsk& ask = event.message;
  protocol::DependencyAnswer answer{ask.asker,      ask.asker_epoch, ask.asker_term, ask.number,
                                    options_.shard, epoch_,          term_,          {}};
  for (const base::JobId job : ask.jobs) {
    if (options_.layout.shard_of(job) == options_.shard) {
      answer.jobs.push_back(standing_of(job));
    }
  }
  send(event.node, std::move(answer));
}

void ShardMachine::handle(const DependencyAnswerEvent& event) {
  const protocol::DependencyAnswer& answer = event.message;
  if (!leading_ || answer.asker != options_.shard ||
      std::pair(answer.asker_epoch, answer.asker_term) != std::pair(epoch_, term_)) {
    return;
  }
  const auto leader = leader_of(view_, answer.shard);
  if (leader && std::pair(answer.epoch, answer.term) < leader->leadership) {
    return;  // its leadership is over
  }
  for (const JobStanding& standing : answer.jobs) {
    if (options_.layout.shard_of(standing.job) == answer.shard) {
      dependencies_.hear(standing, answer.number, now_);
    }
  }
}

protocol::WaitingReason ShardMachine::waiting_for_jobs(const Job& job) const {
  std::string text = "waits for ";
  const std::size_t named = std::min(job.waits_for.size(), parents_named_max);
  for (std::size_t i = 0; i < named; ++i) {
    const auto& [parent, kind] = job.waits_for[i];
    text += (i == 0 ? "" : ", and for ") + ("job " + base::to_string(parent)) + wish_of(kind) +
            " (" + how_it_stands(parent) + ")";
  }
  if (const std::size_t more = job.waits_for.size() - named; more > 0) {
    text += ", and for " + std::to_string(more) + " more jobs";
  }
  return {protocol::WaitingCode::dependency, std::move(text)};
}

std::string ShardMachine::how_it_stands(base::JobId parent) const {
  const base::ShardId home = options_.layout.shard_of(parent);
  const JobStanding* heard = dependencies_.heard_of(parent);
  if (home == options_.shard) {
    const JobStanding own = standing_of(parent);
    return own.knowledge == JobKnowledge::known ? protocol::to_word(own.state) : "not known";
  }
  if (heard && heard->is_final()) {
    return heard->knowledge == JobKnowledge::known ? protocol::to_word(heard->state) : "not known";
  }
  if (!leader_of(view_, home)) {
    return "its shard " + std::to_string(home.value) + " has no leader now";
  }
  return heard ? protocol::to_word(heard->state) : "not heard of yet";
}

}  // namespace fastgpu::ledger
