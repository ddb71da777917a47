#pragma once

/// The in-memory twin of RocksDbStore, for simulation: same order, same grouping, same delays.
///
/// Place: under a simulated node. The harness owns a MemoryDisk per node, which survives crashes,
/// and the node's life owns a MemoryStore on it. The harness drives it in virtual time: when
/// `next_event()` has come, `run_until(now)`; the sink is called in there. One thread.
/// Failure: none but the crash. `crash` keeps what was synced and a random prefix of what was not,
/// whole writes in order; a write that was cut by the crash is dropped whole, as the recovery of a
/// torn write-ahead log does. After it the store takes writes and forgets them.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "runtime/base/limits.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::store {

/// What is durable. Tests may damage it, to play a disk that does.
class MemoryDisk {
 public:
  using Contents = std::map<std::string, base::Bytes, std::less<>>;

  const Contents& contents() const { return contents_; }
  Contents& contents() { return contents_; }
  void apply(const Write& write);
  /// What it says it has free; writes do not change it.
  std::uint64_t bytes_free() const { return bytes_free_; }
  void set_bytes_free(std::uint64_t bytes) { bytes_free_ = bytes; }

 private:
  std::uint64_t bytes_free_{UINT64_MAX};
  Contents contents_;
};

/// Rules broken on purpose, to see that the tests notice.
struct MemoryStoreFaults {
  bool lie_about_durability{false};  ///< reports a write durable when its sync begins
};

struct MemoryStoreOptions {
  /// A sync takes this long, drawn evenly for each.
  base::Duration sync_delay_min{std::chrono::microseconds{200}};
  base::Duration sync_delay_max{std::chrono::milliseconds{4}};
  std::size_t pending_bytes_max{base::limits::store_pending_bytes_max};
  MemoryStoreFaults faults{};
};

class MemoryStore final : public Store {
 public:
  /// `disk` outlives the store; one store at a time on a disk.
  MemoryStore(MemoryDisk& disk, MemoryStoreOptions options, base::Random random);

  base::Result<std::vector<KeyValue>> scan(std::string_view prefix) const override;
  void start(Sink sink) override;
  base::Admission write(StoreToken token, std::vector<Write> writes) override;
  StoreCounters counters() const override { return counters_; }
  std::uint64_t bytes_free() const override { return disk_.bytes_free(); }

  /// When `run_until` has something to do; a moment in the past means now.
  std::optional<base::Time> next_event() const;
  /// Begins and ends the syncs that are due. `now` never goes back.
  void run_until(base::Time now);
  /// Ends this life.
  void crash();

 private:
  struct Pending {
    StoreToken token;
    std::vector<Write> writes;
    std::size_t bytes{};
  };

  void begin_sync(base::Time now);
  void end_sync();

  MemoryDisk& disk_;
  const MemoryStoreOptions options_;
  base::Random random_;
  Sink sink_;
  base::Time now_{};
  std::deque<Pending> pending_;  ///< not yet handed to a sync
  std::deque<Pending> syncing_;
  std::optional<base::Time> sync_end_;
  std::size_t bytes_in_flight_{0};
  StoreToken last_token_;
  StoreCounters counters_;
  bool crashed_{false};
};

}  // namespace fastgpu::store
