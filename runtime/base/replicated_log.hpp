#pragma once

/// The log of one shard as its ledger sees it: an asynchronous, totally ordered list of commands.
///
/// Implementations: store::SoloLog (one replica on this node's store) and actors::RaftLog
/// (several). Owned by the shard actor and called on it only; events come back on the same actor,
/// never from inside a call. Order: LogRestored (first, or in place of entries that a replica
/// missed), LogCommitted in index order, LogLeading only after every entry of earlier terms was
/// given out.

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::base {

/// Names a proposal or a read to its proposer; unique in the life of the log object.
using LogToken = Id<struct LogTokenTag, std::uint64_t>;

/// What a call is told at once. Only `accepted` is followed by an event for its token.
enum class Admission : std::uint8_t {
  accepted,
  not_leading,  ///< this replica does not lead: surely not done
  full,         ///< too much is in flight: surely not done, try later
};

/// This replica leads from now on, in a term greater than any before. Proposals are welcome.
struct LogLeading {
  Epoch epoch;
  Term term;
  bool operator==(const LogLeading&) const = default;
};
/// This replica leads no longer; `leader` is who does, where known.
struct LogNotLeading {
  std::optional<NodeId> leader;
  bool operator==(const LogNotLeading&) const = default;
};
/// A command is durable on a majority for good: apply it. An empty command is a leader's no-op.
struct LogCommitted {
  LogIndex index;
  Term term;
  std::optional<LogToken> token;  ///< set where this replica proposed it in this life
  Bytes command;
  bool operator==(const LogCommitted&) const = default;
};
/// The fate of a proposal is not known: it may still commit. Never to be reported as failed.
struct LogOutcomeUnknown {
  LogToken token;
  bool operator==(const LogOutcomeUnknown&) const = default;
};
/// Leadership was confirmed by a majority after the call: state through `index` may be read.
struct LogReadReady {
  LogToken token;
  LogIndex index;
  bool operator==(const LogReadReady&) const = default;
};
/// The state at `index`, as a snapshot that this ledger once gave to `compact`.
struct LogRestored {
  LogIndex index;
  Bytes snapshot;
  bool operator==(const LogRestored&) const = default;
};

using LogEvent = std::variant<LogLeading, LogNotLeading, LogCommitted, LogOutcomeUnknown,
                              LogReadReady, LogRestored>;

class ReplicatedLog {
 public:
  using Sink = std::function<void(const LogEvent&)>;

  virtual ~ReplicatedLog() = default;
  /// Loads what is stored and begins. Events go to `sink` from now on.
  virtual void start(Sink sink) = 0;
  virtual Admission propose(LogToken token, Bytes command) = 0;
  virtual Admission read_index(LogToken token) = 0;
  /// `snapshot` replaces all entries through `index`, which must have been committed.
  virtual void compact(LogIndex index, Bytes snapshot) = 0;
};

}  // namespace fastgpu::base
