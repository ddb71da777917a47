#pragma once

/// The in-memory twin of RocksDbStore, for simulation: same order, same grouping, same delays.
///
/// Place: under a simulated node. The harness owns a MemoryDisk per node, which survives crashes,
/// and the node's life owns a MemoryStore on it. The harness drives it in virtual time: when
/// `next_event()` has come, `run_until(now)`; the sink is called in there. One thread.
/// Failure: none but the crash. `crash` keeps what was synced and a random prefix of what was not,
/// whole writes in order; a write that was cut by the crash is dropped whole, as the recovery of a
/// torn write-ahead log does. After it the store takes writes and forgets them. `end_at` lets the
/// life end by itself at a chosen point of its next sync; who drives the store looks at `crashed`
/// after each `run_until` and ends the rest of the node.

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

/// Where a life ends in its next sync.
enum class SyncPoint : std::uint8_t {
  before,   ///< nothing of it is on the disk
  within,   ///< a prefix of it is
  after,    ///< all of it is, and nobody was told
  failure,  ///< the sync fails: what is there is unknown, and the process ends itself
};

/// What befell the writes of all lives on a disk.
struct MemoryDiskCounters {
  std::uint64_t lost_writes{};  ///< accepted, and not on the disk when their life ended
  std::uint64_t torn_syncs{};   ///< of which a part stayed
  std::uint64_t failed_syncs{};
};

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
  /// Each sync that begins from now on takes so much longer.
  base::Duration stall() const { return stall_; }
  void set_stall(base::Duration stall) { stall_ = stall; }
  /// Turns one bit of one record's value over, as drawn; false when there is none.
  bool rot(base::Random& random);
  MemoryDiskCounters counters;

 private:
  std::uint64_t bytes_free_{UINT64_MAX};
  base::Duration stall_{};
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
  /// Ends it in the next sync; none: not any more.
  void end_at(std::optional<SyncPoint> point) { end_at_ = point; }
  bool crashed() const { return crashed_; }

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
  std::optional<SyncPoint> end_at_;
  bool crashed_{false};
};

}  // namespace fastgpu::store
