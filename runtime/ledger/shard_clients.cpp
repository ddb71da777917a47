#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "runtime/ledger/shard_errors.hpp"
#include "runtime/ledger/shard_machine.hpp"

/// What clients ask a shard, through the gateway of its leader's node.

namespace fastgpu::ledger {

void ShardMachine::handle(const protocol::ShardRequest& event) {
  if (!leading_) {
    reply(event.call, shard_not_leading());
  } else if (needs_read(event.request)) {
    wait_for_read(event);
  } else {
    answer(event);
  }
}

// This replica leads, and a majority has said so since the request came; or the log will tell.
void ShardMachine::answer(const protocol::ShardRequest& event) {
  std::visit([this, &event](const auto& known) { request(event.call, known); }, event.request);
}

// A submit is answered by the log, which takes none of a leader whose time is over; but that a
// parent does not exist is said from the state.
bool ShardMachine::needs_read(const protocol::ClientRequest& request) const {
  if (!options_.replicated || options_.faults.read_without_majority) {
    return false;
  }
  const auto* submit = std::get_if<protocol::Submit>(&request);
  if (submit == nullptr) {
    return true;
  }
  return submit->spec &&
         std::any_of(submit->spec->after.begin(), submit->spec->after.end(),
                     [this](const protocol::Dependency& condition) {
                       return options_.layout.shard_of(condition.job) == options_.shard &&
                              state_.find(condition.job) == nullptr;
                     });
}

void ShardMachine::wait_for_read(const protocol::ShardRequest& event) {
  if (readers_.requests.size() >= options_.limits.requests_pending_max) {
    reply(event.call, shard_overloaded(std::to_string(readers_.requests.size()) +
                                       " requests wait for this shard's other replicas already"));
    return;
  }
  readers_.requests.push_back(event);
}

void ShardMachine::turn_away(const Readers& readers) {
  for (const protocol::ShardRequest& request : readers.requests) {
    reply(request.call, shard_not_leading());
  }
}

template <class Other>
void ShardMachine::request(base::CallId call, const Other&) {
  reply(call, base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                          "this request is not for a shard", ""});
}

void ShardMachine::request(base::CallId call, const protocol::Submit& submit) {
  if (submit.request.shard != options_.shard || !submit.spec || submit.spec->tasks == 0) {
    reply(call, base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_job_spec,
                            "the submit names another shard, or no task", ""});
    return;
  }
  if (const Job* job = state_.find(submit.request)) {
    reply(call, protocol::Accepted{job->id});
    return;
  }
  if (disk_.low) {
    reply(call, disk_too_full(disk_.free_bytes, disk_.reserve_bytes));
    return;
  }
  // Of other shards' jobs their leaders know: a job that waits for none of theirs is cancelled.
  for (const protocol::Dependency& condition : submit.spec->after) {
    if (options_.layout.shard_of(condition.job) == options_.shard &&
        standing_of(condition.job).knowledge == protocol::JobKnowledge::never) {
      reply(call, parent_not_found(condition.job));
      return;
    }
  }
  const std::size_t live = state_.live_jobs() + submits_in_flight_;
  if (live >= options_.limits.live_jobs_max) {
    reply(call, shard_overloaded("the shard has " + std::to_string(live) +
                                 " live jobs already, its limit"));
    return;
  }
  std::optional<base::CallId> waiter = call;
  if (options_.faults.reply_before_durable && !requests_in_flight_.contains(submit.request)) {
    const std::uint64_t sequence = state_.next_job_sequence() + submits_in_flight_;
    reply(call, protocol::Accepted{options_.layout.job_id(options_.shard, sequence)});
    waiter.reset();
  }
  propose_request(submit.request, waiter, true,
                  protocol::SubmitRecord{submit.request, submit.spec, wall_now_, options_.self});
}

std::size_t ShardMachine::finished_with(const protocol::Labels& labels) const {
  const auto& finished = state_.finished();
  if (labels.empty()) {
    return finished.size();
  }
  return static_cast<std::size_t>(
      std::count_if(finished.begin(), finished.end(), [&](base::JobId id) {
        const Job* job = state_.find(id);
        return job && protocol::has_labels(*job->spec, labels);
      }));
}

void ShardMachine::request(base::CallId call, const protocol::ListJobs& list) {
  protocol::JobList jobs;
  jobs.source = options_.self;
  if (!list.finished_too) {
    jobs.finished_hidden = finished_with(list.labels);
  }
  for (auto at = state_.jobs().rbegin(); at != state_.jobs().rend(); ++at) {
    if (jobs.jobs.size() == options_.limits.listed_jobs_max) {
      break;
    }
    if ((list.finished_too || at->second.live()) &&
        protocol::has_labels(*at->second.spec, list.labels)) {
      jobs.jobs.push_back(summary(at->second));
    }
  }
  std::reverse(jobs.jobs.begin(), jobs.jobs.end());
  reply(call, std::move(jobs));
}

void ShardMachine::request(base::CallId call, const protocol::ShowJob& show) {
  const Job* job = state_.find(show.job);
  if (!job) {
    reply(call, job_not_found(show.job));
    return;
  }
  protocol::JobDetail detail;
  detail.summary = summary(*job);
  detail.spec = job->spec;
  detail.source = options_.self;
  const std::uint32_t tasks = job->spec->tasks;
  const std::uint32_t first = std::min(show.first_task, tasks);
  detail.next_task = tasks;
  std::size_t bytes = 0;
  bool full = false;
  job->tasks.for_each_in({first, tasks - first},
                         [&](base::TaskRange part, const protocol::TaskRecord& task) {
                           if (full || task.phase != protocol::TaskPhase::ended) {
                             return;
                           }
                           if (detail.reports.size() == options_.limits.listed_results_max ||
                               bytes >= base::limits::listed_bytes_max) {
                             detail.next_task = part.first;
                             full = true;
                             return;
                           }
                           bytes += static_cast<std::size_t>(estimated_bytes(*task.outcome));
                           detail.reports.push_back({part, *task.outcome});
                         });
  for (auto at = job->attempts.rbegin(); at != job->attempts.rend(); ++at) {
    if (detail.attempts.size() == options_.limits.listed_results_max) {
      break;
    }
    detail.attempts.push_back({at->first, at->second.ranges, at->second.device, at->second.cause});
  }
  std::reverse(detail.attempts.begin(), detail.attempts.end());
  reply(call, std::move(detail));
}

void ShardMachine::request(base::CallId call, const protocol::WaitJob& wait) {
  const Job* job = state_.find(wait.job);
  if (!job) {
    reply(call, job_not_found(wait.job));
    return;
  }
  if (!job->live() || wait.wait_ns <= 0) {
    reply(call, list_of(*job));
    return;
  }
  if (watch_deadlines_.size() >= options_.limits.watchers_max) {
    reply(call, shard_overloaded(std::to_string(watch_deadlines_.size()) +
                                 " clients wait for jobs of this shard already"));
    return;
  }
  const base::Time deadline =
      now_ + std::min(base::Duration(wait.wait_ns), options_.limits.wait_max);
  if (watchers_[wait.job].emplace(call, deadline).second) {
    watch_deadlines_.insert({deadline, {wait.job, call}});
  }
}

void ShardMachine::request(base::CallId call, const protocol::CancelJob& cancel) {
  const Job* job = state_.find(cancel.job);
  if (!job) {
    reply(call, job_not_found(cancel.job));
    return;
  }
  if (!job->live() && job->cancel_request == cancel.request) {
    reply(call, list_of(*job));
    return;
  }
  if (!job->live()) {
    reply(call, base::Error{base::ErrorKind::rejected, base::ErrorCode::already_finished,
                            base::to_string(job->id) + " is finished: it is " +
                                protocol::to_word(job->state()),
                            ""});
    return;
  }
  propose_request(cancel.request, call, false,
                  protocol::CancelRecord{cancel.request, cancel.job, wall_now_});
}

void ShardMachine::propose_request(const base::RequestId& request, std::optional<base::CallId> call,
                                   bool submit, protocol::Record record) {
  const auto known = requests_in_flight_.find(request);
  if (call && calls_in_flight_ >= options_.limits.requests_pending_max) {
    reply(*call, shard_overloaded(std::to_string(calls_in_flight_) +
                                  " requests wait for this shard's log already"));
    return;
  }
  RequestInFlight& waiting =
      known == requests_in_flight_.end() ? requests_in_flight_[request] : known->second;
  if (call) {
    waiting.calls.push_back(*call);
    ++calls_in_flight_;
  }
  if (known == requests_in_flight_.end()) {
    waiting.submit = submit;
    submits_in_flight_ += submit ? 1 : 0;
    propose(std::move(record));
  }
}

void ShardMachine::answer_request(const base::RequestId& request,
                                  const protocol::ClientReply& answer) {
  const auto at = requests_in_flight_.find(request);
  if (at == requests_in_flight_.end()) {
    return;
  }
  const RequestInFlight waiting = std::move(at->second);
  requests_in_flight_.erase(at);
  calls_in_flight_ -= waiting.calls.size();
  submits_in_flight_ -= waiting.submit ? 1 : 0;
  for (const base::CallId call : waiting.calls) {
    reply(call, answer);
  }
}

void ShardMachine::answer_dropped(const protocol::Record& record, const base::Error& error) {
  std::visit(
      [&](const auto& known) {
        if constexpr (requires { known.request; }) {
          answer_request(known.request, error);
        }
      },
      record);
}

void ShardMachine::reply(base::CallId call, protocol::ClientReply answer) {
  effects_.push_back(Reply{{call, options_.shard, std::move(answer)}});
}

protocol::JobSummary ShardMachine::summary(const Job& job) const {
  protocol::JobSummary summary;
  summary.job = job.id;
  summary.name = job.spec->name;
  summary.counts = job.ended;
  const std::uint32_t running = duties_.running_tasks(job.id);
  const std::uint32_t pending = job.live_tasks - running;
  summary.counts[static_cast<std::size_t>(protocol::TaskState::running)] = running;
  summary.counts[static_cast<std::size_t>(protocol::TaskState::pending)] = pending;
  summary.state = running > 0 ? protocol::TaskState::running : job.state();
  summary.kind = job.spec->request.kind;
  summary.submitted_at_ms = job.submitted_at_ms;
  summary.finished_at_ms = job.finished_at_ms;
  summary.nodes = job.nodes;
  summary.device_ns = job.device_ns;
  summary.labels = job.spec->labels;
  if (pending == 0) {
    return summary;
  }
  if (!job.waits_for.empty()) {
    summary.waiting = waiting_for_jobs(job);
    return summary;
  }
  const auto told = waiting_.find(job.id);
  const protocol::WaitingReason at_workers = duties_.waiting_at_workers(job.id);
  if (at_workers.code != protocol::WaitingCode::none) {
    summary.waiting = at_workers;
  } else if (!duties_.has_ready(job.id)) {
    summary.waiting = {protocol::WaitingCode::capacity,
                       std::to_string(pending) + " tasks wait at the devices chosen for them"};
  } else if (told != waiting_.end()) {
    summary.waiting = told->second;
  } else {
    summary.waiting = {protocol::WaitingCode::not_yet_considered,
                       std::to_string(pending) + " tasks wait for the scheduler's next round"};
  }
  return summary;
}

protocol::JobList ShardMachine::list_of(const Job& job) const {
  protocol::JobList list;
  list.source = options_.self;
  list.jobs.push_back(summary(job));
  return list;
}

void ShardMachine::answer_watchers(base::JobId job) {
  const auto at = watchers_.find(job);
  if (at == watchers_.end()) {
    return;
  }
  const std::map<base::CallId, base::Time> calls = std::move(at->second);
  watchers_.erase(at);
  const Job* ended = state_.find(job);
  for (const auto& [call, deadline] : calls) {
    watch_deadlines_.erase({deadline, {job, call}});
    reply(call, ended ? protocol::ClientReply(list_of(*ended)) : job_not_found(job));
  }
}

void ShardMachine::answer_late_watchers() {
  while (!watch_deadlines_.empty() && watch_deadlines_.begin()->first <= now_) {
    const auto [job, call] = watch_deadlines_.begin()->second;
    watch_deadlines_.erase(watch_deadlines_.begin());
    const auto at = watchers_.find(job);
    at->second.erase(call);
    if (at->second.empty()) {
      watchers_.erase(at);
    }
    handle(protocol::ShardRequest{call, options_.shard, protocol::WaitJob{job, 0}});
  }
}

}  // namespace fastgpu::ledger
