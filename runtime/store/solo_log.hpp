#pragma once

/// The log of a shard that has one replica: a ReplicatedLog over this node's store.
///
/// Place: between a shard's ledger and the store. Owned by the shard actor and called on it only;
/// it has no thread and no clock. The owner passes every StoreDurable for this log to `on_durable`
/// and calls `pump` (from a message to itself) whenever `has_events()`; the log's events come out
/// of these two calls only, and the sink may call the log again. At each start it raises the term
/// durably, so attempts of an earlier life are fenced, and gives out: LogRestored, LogCommitted of
/// all recovered entries, LogCommitted of its own no-op, LogLeading.
/// Failure: a record that is present but wrong, missing in the middle or out of place is
/// corruption: `open` refuses with ErrorCode::corrupt and nothing is cut. A torn tail never reaches
/// here: the store drops it whole. LogOutcomeUnknown and LogNotLeading never come: a failed write
/// ends the process. Limits: limits::proposals_in_flight_max and proposal_bytes_in_flight_max, then
/// `full`.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/base/replicated_log.hpp"
#include "runtime/base/result.hpp"
#include "runtime/store/solo_record.hpp"
#include "runtime/store/store.hpp"
#include "runtime/store/stored_log.hpp"

namespace fastgpu::store {

/// Rules broken on purpose, to see that the tests notice.
struct SoloLogFaults {
  bool keep_term{false};  ///< do not raise the term at start
};

struct SoloLogOptions {
  base::ShardId shard;
  /// The shard's founding; a greater one than the stored replaces it (a forced recovery).
  base::Epoch epoch{1};
  std::size_t proposals_in_flight_max{base::limits::proposals_in_flight_max};
  std::size_t proposal_bytes_in_flight_max{base::limits::proposal_bytes_in_flight_max};
  /// Writes handed over and not yet durable; further proposals gather into the next one.
  std::size_t writes_in_flight_max{4};
  SoloLogFaults faults{};
};

class SoloLog final : public StoredLog {
 public:
  /// All keys of a shard's log begin with this: `contents` of `open` is a scan of it.
  static std::string key_prefix(base::ShardId shard);

  /// Checks and takes over what is stored; empty `contents` is a new log. `writer` outlives the
  /// log.
  static base::Result<std::unique_ptr<SoloLog>> open(SoloLogOptions options, StoreWriter& writer,
                                                     std::vector<KeyValue> contents);

  base::Term term() const { return term_; }
  base::Epoch epoch() const { return epoch_; }
  base::LogIndex commit_index() const { return commit_index_; }
  base::LogIndex first_index() const { return first_index_; }
  base::LogIndex last_index() const;
  bool has_events() const override { return leading_ && !events_.empty(); }
  bool waits_for_room() const override { return write_refused_ && in_flight_.empty(); }

  void start(Sink sink) override;
  base::Admission propose(base::LogToken token, base::Bytes command) override;
  base::Admission read_index(base::LogToken token) override;
  void compact(base::LogIndex index, base::Bytes snapshot) override;

  /// Commits what is durable now and gives out events.
  void on_durable(StoreToken up_to) override;
  void pump() override;

 private:
  struct Proposal {
    base::LogIndex index;
    base::Term term;
    std::optional<base::LogToken> token;
    base::Bytes command;
  };
  struct InFlight {
    StoreToken token;
    base::LogIndex last_index;  ///< committed once durable
  };

  SoloLog(SoloLogOptions options, StoreWriter& writer);
  base::Status load(std::vector<KeyValue> contents);
  base::Status load_snapshot(const std::optional<KeyValue>& record,
                             const std::vector<KeyValue>& pieces);
  base::Status load_entries(const std::vector<KeyValue>& records);
  void append(std::optional<base::LogToken> token, base::Bytes command);
  void write_out();
  void commit_through(base::LogIndex index);
  void give_out();
  const LogPosition& position_of(base::LogIndex index) const;
  LogHead head_with_last(base::LogIndex last) const;

  const SoloLogOptions options_;
  StoreWriter& writer_;
  Sink sink_;

  base::Epoch epoch_;
  base::Term term_;
  base::LogIndex first_index_{1};  ///< the first entry that is kept; the snapshot ends before it
  base::LogIndex commit_index_;
  LogPosition before_first_;           ///< of the snapshot's end
  std::deque<LogPosition> positions_;  ///< of each kept entry, from first_index_
  std::deque<Proposal> uncommitted_;   ///< in index order; before leading also what was recovered
  std::size_t uncommitted_bytes_{0};

  std::vector<Write> gathered_;  ///< the next write, in order
  bool write_refused_{false};
  std::deque<InFlight> in_flight_;
  StoreToken last_token_;
  bool leading_{false};
  std::deque<base::LogEvent> events_;
  bool giving_out_{false};
};

}  // namespace fastgpu::store
