#pragma once

/// Gathers records into log entries: what comes while entries are in flight rides together in the
/// next one, so one commit carries many; a few small ones more are let go at once. Keeps the order
/// in which records were added, also when the log refuses an entry and it is offered again. Owned
/// by ShardMachine.

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "runtime/base/replicated_log.hpp"
#include "runtime/base/time.hpp"
#include "runtime/ledger/ledger_effects.hpp"
#include "runtime/ledger/shard_limits.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

/// About what a record takes in an entry.
std::size_t estimated_bytes(const protocol::Record& record);

class ProposalBatch {
 public:
  explicit ProposalBatch(const ShardLimits& limits) : limits_(limits) {}

  /// Records that are not in an entry of the log yet.
  std::size_t waiting_records() const { return waiting_.size() + returned_records_; }
  /// When an entry that the log refused is offered again.
  std::optional<base::Time> next_deadline() const { return retry_at_; }

  void add(protocol::Record record);
  /// Entries that may go to the log now; they are in flight then. `last_token` is counted on.
  std::vector<Propose> flush(base::Time now, base::LogToken& last_token);
  /// The entry's fate is told: it is in flight no longer. Its records, empty if it is not known.
  protocol::Entry take(base::LogToken token);
  /// The log is full: the entry is offered again at `retry_at`, before anything younger.
  void refused(base::LogToken token, base::Time retry_at);

  struct Dropped {
    std::vector<protocol::Entry> in_flight;      ///< may still be committed
    std::vector<protocol::Record> not_proposed;  ///< surely not
  };
  /// The leadership is over.
  Dropped drop_all();

 private:
  struct Sized {
    protocol::Entry entry;
    std::size_t bytes{0};  ///< about
  };
  Sized gather();
  bool may_propose() const;
  /// Out of those in flight.
  Sized extract(std::map<base::LogToken, Sized>::iterator at);

  const ShardLimits limits_;
  std::deque<protocol::Record> waiting_;
  std::map<base::LogToken, Sized> returned_;
  std::size_t returned_records_{0};
  std::map<base::LogToken, Sized> in_flight_;
  std::size_t bytes_in_flight_{0};
  std::optional<base::Time> retry_at_;
};

}  // namespace fastgpu::ledger
