#include "runtime/ledger/ledger_state.hpp"

#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::ledger {

LedgerState::LedgerState(base::ShardId shard, base::ShardLayout layout, RetentionLimits retention,
                         LedgerFaults faults)
    : shard_(shard),
      layout_(layout),
      retention_(retention),
      faults_(faults),
      members_(layout.shard_count) {
  FASTGPU_CHECK(shard.value < layout.shard_count, "a shard outside of the layout");
}

std::vector<Applied> LedgerState::apply(base::LogIndex index, const protocol::Entry& entry) {
  Changes changes;
  if (index <= applied_) {
    return changes;
  }
  applied_ = index;
  for (const protocol::Record& record : entry.records) {
    std::visit([this, &changes](const auto& known) { apply_record(known, changes); }, record);
  }
  return changes;
}

const Job* LedgerState::find(base::JobId job) const {
  const auto at = jobs_.find(job);
  return at == jobs_.end() ? nullptr : &at->second;
}

const Job* LedgerState::find(const base::RequestId& request) const {
  const auto at = requests_.find(request);
  return at == requests_.end() ? nullptr : find(at->second);
}

Job* LedgerState::live_job(base::JobId job) {
  const auto at = jobs_.find(job);
  return at == jobs_.end() || !at->second.live() ? nullptr : &at->second;
}

void LedgerState::end_job_if_done(Job& job, base::WallTimeMs at_ms, Changes& changes) {
  if (job.live()) {
    return;
  }
  job.finished_at_ms = at_ms;
  finished_.push_back(job.id);
  finished_bytes_ += kept_bytes(job);
  job.waits_for.clear();
  changes.push_back(JobEnded{job.id, job.state()});
  forget_oldest(changes);
}

// The newest finished job always stays, however large: somebody is about to ask for it.
void LedgerState::forget_oldest(Changes& changes) {
  while (finished_.size() > 1 && (finished_.size() > retention_.finished_jobs_max ||
                                  finished_bytes_ > retention_.finished_bytes_max)) {
    const auto at = jobs_.find(finished_.front());
    finished_bytes_ -= kept_bytes(at->second);
    changes.push_back(JobForgotten{at->first});
    requests_.erase(at->second.request);
    jobs_.erase(at);
    finished_.pop_front();
  }
}

namespace {

protocol::JobImage image_of(const Job& job) {
  protocol::JobImage image{job.id,
                           job.request,
                           job.cancel_request,
                           job.spec,
                           job.submitted_at_ms,
                           job.finished_at_ms,
                           job.accepted_by,
                           job.device_ns,
                           {},
                           {},
                           job.waits_for};
  image.tasks.reserve(job.tasks.segment_count());
  job.tasks.for_each([&image](base::TaskRange range, const protocol::TaskRecord& record) {
    image.tasks.push_back({range, record});
  });
  image.attempts.reserve(job.attempts.size());
  for (const auto& [attempt, known] : job.attempts) {
    image.attempts.push_back({attempt, known.device, known.ranges, known.released, known.cause});
  }
  return image;
}

Job job_of(const protocol::JobImage& image) {
  Job job;
  job.id = image.job;
  job.request = image.request;
  job.cancel_request = image.cancel_request;
  job.spec = image.spec;
  job.submitted_at_ms = image.submitted_at_ms;
  job.finished_at_ms = image.finished_at_ms;
  job.accepted_by = image.accepted_by;
  job.device_ns = image.device_ns;
  job.waits_for = image.waits_for;
  for (const protocol::TaskSegment& segment : image.tasks) {
    job.tasks.assign(segment.range, segment.record);
    if (segment.record.phase == protocol::TaskPhase::ended) {
      job.ended[static_cast<std::size_t>(segment.record.outcome->state)] += segment.range.count;
    } else {
      job.live_tasks += segment.range.count;
    }
  }
  for (const protocol::AttemptImage& attempt : image.attempts) {
    JobAttempt& known = job.attempt_on(attempt.attempt, attempt.device);
    known.ranges = attempt.ranges;
    known.released = attempt.released;
    known.cause = attempt.cause;
  }
  return job;
}

}  // namespace

protocol::LedgerImage LedgerState::image() const {
  protocol::LedgerImage image;
  image.applied = applied_;
  image.next_job_sequence = next_job_sequence_;
  image.jobs.reserve(jobs_.size());
  for (const auto& [id, job] : jobs_) {
    image.jobs.push_back(image_of(job));
  }
  image.finished.assign(finished_.begin(), finished_.end());
  members_.put_into(image);
  return image;
}

void LedgerState::restore(const protocol::LedgerImage& image) {
  applied_ = image.applied;
  next_job_sequence_ = image.next_job_sequence;
  jobs_.clear();
  requests_.clear();
  for (const protocol::JobImage& job : image.jobs) {
    if (!faults_.forget_requests) {
      requests_.emplace(job.request, job.job);
    }
    jobs_.emplace(job.job, job_of(job));
  }
  finished_.assign(image.finished.begin(), image.finished.end());
  finished_bytes_ = 0;
  if (faults_.forget_in_snapshot && !finished_.empty()) {
    requests_.erase(jobs_.at(finished_.back()).request);
    jobs_.erase(finished_.back());
    finished_.pop_back();
  }
  for (const base::JobId id : finished_) {
    const Job* job = find(id);
    FASTGPU_CHECK(job && !job->live(), "a snapshot names a finished job that it does not hold");
    finished_bytes_ += kept_bytes(*job);
  }
  members_.restore(image);
}

}  // namespace fastgpu::ledger
