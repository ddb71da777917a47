#pragma once

/// What the tasks of this node have said: for each job one stream, the records of all its tasks in
/// the order in which they came, so that an array of a million tasks is one stream too.
///
/// Place: written by the workers through the logs actor, read by anybody through a gateway. Owned
/// by that actor and called on it only; its calls block on the disk. Durability: nothing is synced.
/// The end of the process by any signal loses nothing that `append` was given; a power cut may lose
/// the tail of each stream. What such a cut left half written is shown as a notice with its size,
/// and never hides what was written later. Failure: `append` cannot fail. What finds no room
/// (limits::log_bytes_per_job_max for a job, log_bytes_max for all, or the disk) is counted,
/// dropped, and shown by one notice in the stream. When all logs together are too large, those of
/// the jobs that run nothing here go, the one written longest ago first, and a notice stays in
/// their place.
///
/// A cursor is a position in a job's stream on this node: the number of a segment and a place in
/// it. Every life of the node writes segments of its own, numbered by the life, so a position never
/// comes to mean anything else, whatever a crash has cut off. 0 is the beginning.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/log_record.hpp"
#include "runtime/base/result.hpp"
#include "runtime/logs/log_files.hpp"

namespace fastgpu::logs {

struct LogQuery {
  base::JobId job;
  std::uint32_t task{};  ///< meaningful unless all_tasks
  bool all_tasks{true};
  std::uint64_t cursor{};
  std::uint64_t bytes_max{base::limits::log_read_bytes_max};  ///< as stored; one record always fits
  bool operator==(const LogQuery&) const = default;
};

struct LogPiece {
  std::vector<base::LogRecord> records;
  std::uint64_t next_cursor{};
  bool at_end{};                  ///< there was nothing behind them
  std::uint64_t dropped_bytes{};  ///< of the job's output on this node, as far as is known
  bool operator==(const LogPiece&) const = default;
};

struct LogStoreOptions {
  std::uint64_t life{1};  ///< greater in each life of the node, from 1
  std::uint64_t job_bytes_max{base::limits::log_bytes_per_job_max};
  std::uint64_t total_bytes_max{base::limits::log_bytes_max};
  std::size_t jobs_max{base::limits::log_jobs_max};
};

struct LogCounters {
  std::uint64_t jobs{};
  std::uint64_t bytes{};          ///< stored
  std::uint64_t dropped_bytes{};  ///< in this life
  bool operator==(const LogCounters&) const = default;
};

class LogStore {
 public:
  /// Takes over what `files` holds.
  static base::Result<std::unique_ptr<LogStore>> open(std::shared_ptr<LogFiles> files,
                                                      LogStoreOptions options = {});

  void append(std::span<const base::LogRecord> batch);
  LogPiece read(const LogQuery& query);
  LogCounters counters() const;

 private:
  struct Segment {
    std::uint32_t number{};
    std::uint64_t size_bytes{};
  };
  struct JobLog {
    std::vector<Segment> segments;
    std::uint64_t stored_bytes{};
    std::uint64_t written_at{};         ///< grows with every write of the store
    std::uint32_t attempts_running{0};  ///< started here in this life and not ended
    bool writing{false};                ///< the last segment is of this life
    bool looked_at{true};               ///< whether it was cut is known
    bool cut{false};                    ///< the last record of the last segment is the mark
    std::uint64_t cut_bytes{0};         ///< dropped for the job's own limit
    std::uint64_t refused_bytes{0};     ///< dropped because there was no room
    std::uint64_t refused_untold{0};    ///< of those, not in a notice yet
    std::string refused_why;
  };
  using Logs = std::map<base::JobId, JobLog>;

  LogStore(std::shared_ptr<LogFiles> files, LogStoreOptions options)
      : files_(std::move(files)), options_(options) {}

  // Writing (log_store.cpp)
  void append_job(base::JobId job, std::span<const base::LogRecord* const> records);
  void take(base::JobId job, JobLog& log, const base::LogRecord& record);
  void flush(base::JobId job, JobLog& log);
  void cut(base::JobId job, JobLog& log);
  void look_at(base::JobId job, JobLog& log);
  base::Status write(base::JobId job, JobLog& log, std::span<const std::uint8_t> data);
  std::uint32_t next_segment(const JobLog& log) const;
  std::vector<std::uint8_t> notice(base::JobId job, const std::string& text) const;
  std::vector<std::uint8_t> cut_mark(base::JobId job, std::uint64_t bytes) const;

  // Room (log_room.cpp)
  bool make_room(std::uint64_t bytes, base::JobId writer);
  void evict(base::JobId job, JobLog& log);
  void forget_some(base::JobId writer);

  // Reading (log_read.cpp)
  bool read_segment(const LogQuery& query, const Segment& segment, std::uint64_t& offset,
                    std::uint64_t& scanned, std::uint64_t& taken, LogPiece& piece);

  const std::shared_ptr<LogFiles> files_;
  const LogStoreOptions options_;
  Logs logs_;
  std::uint64_t total_bytes_{0};
  std::uint64_t writes_{0};
  std::uint64_t dropped_bytes_{0};
  std::int64_t last_time_ns_{0};  ///< of the newest record that was given: what notices bear
  // Of the job that is being appended to: what waits to be written in one go.
  std::vector<std::uint8_t> buffer_;
  std::uint64_t buffer_output_bytes_{0};
};

}  // namespace fastgpu::logs
