#pragma once

/// Who waits for which job's log, and when to look for them. Pure: the logs actor steps it, reads
/// what it says and answers whom it says.
///
/// A reader is answered as soon as there are records behind its cursor, or when its time is over,
/// and exactly once; one that is refused is answered with an Error. At most limits::log_readers_max
/// wait.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/logs/log_store.hpp"

namespace fastgpu::logs {

// --- what it is told -----------------------------------------------------------------------------

/// Somebody asks, under a number of their own, and is willing to wait. A repeat is ignored.
struct ReaderCame {
  base::CallId reader;
  LogQuery query;
  base::Duration wait{};
  bool operator==(const ReaderCame&) const = default;
};
/// What a ReadFor gave.
struct ReadDone {
  base::CallId reader;
  LogPiece piece;
  bool operator==(const ReadDone&) const = default;
};
/// Records of the job were appended.
struct LogGrew {
  base::JobId job;
  bool operator==(const LogGrew&) const = default;
};
/// `next_deadline()` has come.
struct DeskTick {
  bool operator==(const DeskTick&) const = default;
};
using DeskEvent = std::variant<ReaderCame, ReadDone, LogGrew, DeskTick>;

// --- what it wants -------------------------------------------------------------------------------

/// Read this from the store, and tell ReadDone before anything else.
struct ReadFor {
  base::CallId reader;
  LogQuery query;
  bool operator==(const ReadFor&) const = default;
};
struct AnswerReader {
  base::CallId reader;
  LogPiece piece;
  bool operator==(const AnswerReader&) const = default;
};
struct RefuseReader {
  base::CallId reader;
  base::Error error;
  bool operator==(const RefuseReader&) const = default;
};
using DeskEffect = std::variant<ReadFor, AnswerReader, RefuseReader>;
using DeskEffects = std::vector<DeskEffect>;

class LogDesk {
 public:
  std::size_t readers_waiting() const { return readers_.size(); }
  std::optional<base::Time> next_deadline() const;

  DeskEffects step(const DeskEvent& event, base::Time now);

 private:
  struct Reader {
    LogQuery query;
    base::Time deadline;
    LogPiece last;  ///< what is answered when the time is over
  };

  void handle(const ReaderCame& event);
  void handle(const ReadDone& event);
  void handle(const LogGrew& event);
  void handle(const DeskTick& event);
  void answer(base::CallId reader, LogPiece piece);

  std::map<base::CallId, Reader> readers_;
  std::set<std::pair<base::JobId, base::CallId>> by_job_;
  std::set<std::pair<base::Time, base::CallId>> timers_;
  base::Time now_{};
  DeskEffects effects_;
};

}  // namespace fastgpu::logs
