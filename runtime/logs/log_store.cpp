#include "runtime/logs/log_store.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "runtime/logs/log_format.hpp"
#include "runtime/logs/log_words.hpp"

namespace fastgpu::logs {
namespace {

namespace limits = base::limits;

/// Written at once; more is written in several goes.
constexpr std::size_t buffer_bytes_max = 1u << 20;
/// Numbers of segments that one life has for a job; it needs more than one where logs are evicted.
constexpr std::uint64_t segments_of_a_life = 256;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

base::Result<std::unique_ptr<LogStore>> LogStore::open(std::shared_ptr<LogFiles> files,
                                                       LogStoreOptions options) {
  base::Result<std::vector<LogFileEntry>> entries = files->list();
  if (!entries.ok()) {
    return entries.error();
  }
  std::unique_ptr<LogStore> store(new LogStore(std::move(files), options));
  for (const LogFileEntry& entry : entries.value()) {
    JobLog& log = store->logs_[entry.name.job];
    log.segments.push_back({entry.name.segment, entry.size_bytes});
    log.stored_bytes += entry.size_bytes;
    log.looked_at = false;
    // Ids grow: without a better clock, a greater one was written later.
    log.written_at = ++store->writes_;
    store->total_bytes_ += entry.size_bytes;
  }
  return store;
}

void LogStore::append(std::span<const base::LogRecord> batch) {
  std::map<base::JobId, std::vector<const base::LogRecord*>> by_job;
  for (const base::LogRecord& record : batch) {
    by_job[record.job].push_back(&record);
    last_time_ns_ = std::max(last_time_ns_, record.time_ns);
  }
  for (const auto& [job, records] : by_job) {
    append_job(job, records);
  }
}

LogCounters LogStore::counters() const {
  return {logs_.size(), total_bytes_, dropped_bytes_};
}

void LogStore::append_job(base::JobId job, std::span<const base::LogRecord* const> records) {
  JobLog& log = logs_[job];
  look_at(job, log);
  const std::uint64_t cut_before = log.cut_bytes;
  for (const base::LogRecord* record : records) {
    if (record->stream == base::LogStream::started) {
      ++log.attempts_running;
    } else if (record->stream == base::LogStream::ended && log.attempts_running > 0) {
      --log.attempts_running;
    }
    take(job, log, *record);
  }
  flush(job, log);
  if (log.cut && log.cut_bytes != cut_before) {
    const std::vector<std::uint8_t> mark = cut_mark(job, log.cut_bytes);
    const Segment& last = log.segments.back();
    // Where that fails, an older count stays in the mark; readers are told the true one beside it.
    (void)files_->overwrite({job, last.number}, last.size_bytes - mark.size(), mark).ok();
  }
  if (logs_.size() > options_.jobs_max) {
    forget_some(job);
  }
}

/// Into the buffer, in parts of at most log_record_bytes_max.
void LogStore::take(base::JobId job, JobLog& log, const base::LogRecord& record) {
  std::span<const std::uint8_t> left = record.bytes.span();
  do {
    const std::span<const std::uint8_t> part =
        left.first(std::min(left.size(), limits::log_record_bytes_max));
    left = left.subspan(part.size());
    if (!log.cut) {
      const std::uint64_t end = log.stored_bytes + buffer_.size() + stored_bytes_of(part.size());
      if (end + stored_bytes_of(cut_mark_bytes) > options_.job_bytes_max) {
        flush(job, log);
        cut(job, log);
      }
    }
    if (log.cut) {
      log.cut_bytes += part.size();
      dropped_bytes_ += part.size();
      continue;
    }
    put_record(buffer_, record, part);
    buffer_output_bytes_ += part.size();
    if (buffer_.size() >= buffer_bytes_max) {
      flush(job, log);
    }
  } while (!left.empty());
}

void LogStore::flush(base::JobId job, JobLog& log) {
  if (buffer_.empty()) {
    return;
  }
  std::vector<std::uint8_t> told;
  if (log.refused_untold > 0) {
    told = notice(job, refused_text(log.refused_untold, log.refused_why));
    buffer_.insert(buffer_.begin(), told.begin(), told.end());
  }
  if (const base::Status written = write(job, log, buffer_); written.ok()) {
    log.refused_untold = told.empty() ? log.refused_untold : 0;
  } else {
    log.refused_bytes += buffer_output_bytes_;
    log.refused_untold += buffer_output_bytes_;
    log.refused_why = written.error().message;
    dropped_bytes_ += buffer_output_bytes_;
  }
  buffer_.clear();
  buffer_output_bytes_ = 0;
}

/// From here on the job's records are counted only. Without room for the mark the next record tries
/// again, and until then is dropped for want of room.
void LogStore::cut(base::JobId job, JobLog& log) {
  const std::vector<std::uint8_t> mark = cut_mark(job, log.cut_bytes);
  log.cut = write(job, log, mark).ok();
}

/// Once for each log of an earlier life: is its last record the mark of a log that was cut?
void LogStore::look_at(base::JobId job, JobLog& log) {
  if (std::exchange(log.looked_at, true)) {
    return;
  }
  const Segment& last = log.segments.back();
  const std::size_t mark_bytes = stored_bytes_of(cut_mark_bytes);
  if (last.size_bytes < mark_bytes ||
      log.stored_bytes + limits::log_record_bytes_max + 2 * mark_bytes < options_.job_bytes_max) {
    return;
  }
  const base::Result<base::Bytes> bytes =
      files_->read({job, last.number}, last.size_bytes - mark_bytes, mark_bytes);
  if (!bytes.ok()) {
    return;
  }
  const RecordView view = parse_record(bytes.value().span(), job);
  if (view.state != ParseState::whole || view.head.stream != base::LogStream::notice) {
    return;
  }
  if (const auto count =
          cut_bytes_in({reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()})) {
    log.cut = true;
    log.cut_bytes = *count;
  }
}

/// Behind the last segment of this life, which is made if there is none.
base::Status LogStore::write(base::JobId job, JobLog& log, std::span<const std::uint8_t> data) {
  if (!make_room(data.size(), job)) {
    return base::Error{base::ErrorKind::overloaded, base::ErrorCode::overloaded,
                       "the logs of this node have reached their limit of " +
                           size_text(options_.total_bytes_max) + " and all are being written",
                       ""};
  }
  Segment segment;
  if (log.writing) {
    segment = log.segments.back();
  } else {
    segment.number = next_segment(log);
  }
  if (base::Status written = files_->append({job, segment.number}, segment.size_bytes, data);
      !written.ok()) {
    return written;
  }
  if (!std::exchange(log.writing, true)) {
    log.segments.push_back(segment);
  }
  log.segments.back().size_bytes += data.size();
  log.stored_bytes += data.size();
  total_bytes_ += data.size();
  log.written_at = ++writes_;
  return {};
}

std::uint32_t LogStore::next_segment(const JobLog& log) const {
  const std::uint64_t after = log.segments.empty() ? 1 : log.segments.back().number + 1;
  return static_cast<std::uint32_t>(std::max(after, options_.life * segments_of_a_life));
}

std::vector<std::uint8_t> LogStore::notice(base::JobId job, const std::string& text) const {
  base::LogRecord record;
  record.job = job;
  record.stream = base::LogStream::notice;
  record.time_ns = last_time_ns_;
  std::vector<std::uint8_t> stored;
  put_record(stored, record, bytes_of(text));
  return stored;
}

std::vector<std::uint8_t> LogStore::cut_mark(base::JobId job, std::uint64_t bytes) const {
  return notice(job, cut_text(bytes, options_.job_bytes_max));
}

}  // namespace fastgpu::logs
