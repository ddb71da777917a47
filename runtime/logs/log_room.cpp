/// Room for new logs: which old ones go.

#include <algorithm>
#include <utility>

#include "runtime/logs/log_format.hpp"
#include "runtime/logs/log_store.hpp"
#include "runtime/logs/log_words.hpp"

namespace fastgpu::logs {
namespace {

/// A log that is not larger than this frees nothing worth a notice.
constexpr std::uint64_t worth_evicting_bytes = 1024;

}  // namespace

/// Makes more room than is asked for, so that the search among all jobs is rare.
bool LogStore::make_room(std::uint64_t bytes, base::JobId writer) {
  if (total_bytes_ + bytes <= options_.total_bytes_max) {
    return true;
  }
  std::vector<std::pair<std::uint64_t, base::JobId>> idle;
  for (const auto& [job, log] : logs_) {
    if (job != writer && log.attempts_running == 0 && log.stored_bytes > worth_evicting_bytes) {
      idle.emplace_back(log.written_at, job);
    }
  }
  std::sort(idle.begin(), idle.end());
  const std::uint64_t goal = options_.total_bytes_max - options_.total_bytes_max / 16;
  for (const auto& [written_at, job] : idle) {
    if (total_bytes_ + bytes <= goal) {
      break;
    }
    evict(job, logs_.at(job));
  }
  return total_bytes_ + bytes <= options_.total_bytes_max;
}

/// The notice lies behind everything that was there, so that every cursor leads to it.
void LogStore::evict(base::JobId job, JobLog& log) {
  const std::uint64_t gone = log.stored_bytes;
  Segment segment{next_segment(log), 0};
  for (const Segment& old : log.segments) {
    files_->remove({job, old.number});
  }
  total_bytes_ -= gone;
  const std::uint64_t dropped = log.refused_bytes + log.cut_bytes + gone;
  const std::uint64_t written_at = log.written_at;
  const std::vector<std::uint8_t> told = notice(job, evicted_text(gone));
  log = {};
  log.written_at = written_at;
  log.refused_bytes = dropped;
  dropped_bytes_ += gone;
  if (files_->append({job, segment.number}, 0, told).ok()) {
    segment.size_bytes = told.size();
  }
  log.segments.push_back(segment);
  log.stored_bytes = segment.size_bytes;
  total_bytes_ += segment.size_bytes;
}

/// More jobs than any ledger remembers: the oldest are unknown by now.
void LogStore::forget_some(base::JobId writer) {
  std::vector<std::pair<std::uint64_t, base::JobId>> idle;
  for (const auto& [job, log] : logs_) {
    if (job != writer && log.attempts_running == 0) {
      idle.emplace_back(log.written_at, job);
    }
  }
  std::sort(idle.begin(), idle.end());
  const std::size_t goal = options_.jobs_max - options_.jobs_max / 16;
  for (const auto& [written_at, job] : idle) {
    if (logs_.size() <= goal) {
      break;
    }
    const auto found = logs_.find(job);
    for (const Segment& segment : found->second.segments) {
      files_->remove({job, segment.number});
    }
    total_bytes_ -= found->second.stored_bytes;
    logs_.erase(found);
  }
}

}  // namespace fastgpu::logs
