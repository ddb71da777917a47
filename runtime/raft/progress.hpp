#pragma once

/// What a leader knows of one follower, and what it has sent it that is unanswered.
///
/// A follower is *probed* (one message at a time, until it is known where the logs part), then
/// *streamed* to (many messages at once within a window of bytes and of messages), or sent a
/// *snapshot* (a piece at a time), when what it needs is no longer in the log. Anything unanswered
/// for too long brings it back to probing. Owned by the Leader role of a machine; forgotten with
/// it.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/base/time.hpp"
#include "runtime/raft/raft_messages.hpp"
#include "runtime/raft/raft_options.hpp"

namespace fastgpu::raft {

class Progress {
 public:
  enum class Mode : std::uint8_t { probe, stream, snapshot };

  Progress(StoreId store, base::LogIndex next, base::Time now)
      : store_(store), next_(next), heard_(now) {}

  StoreId store() const { return store_; }
  Mode mode() const { return mode_; }
  base::LogIndex match() const { return match_; }  ///< on its disk, and the same as here
  base::LogIndex next() const { return next_; }    ///< to be sent
  base::Time heard() const { return heard_; }
  Round round() const { return round_; }
  std::size_t bytes_in_flight() const { return bytes_in_flight_; }
  std::size_t messages_in_flight() const { return in_flight_.size(); }
  const Snapshot& snapshot() const { return snapshot_; }
  std::uint64_t offset() const { return offset_; }

  void hear(base::Time now, Round round);
  /// The follower has everything through `match` on disk; `probe_passed`: and refused nothing.
  void acknowledge(base::LogIndex match, bool probe_passed);
  void reject(base::LogIndex rejected, base::LogIndex hint);

  /// Something may be sent now. What was unanswered for too long is given up first.
  bool may_send(base::Time now, const RaftLimits& limits, Fault fault);
  void sent(base::LogIndex last, std::size_t bytes, base::Time now);
  void begin_snapshot(const Snapshot& snapshot);
  void sent_chunk(base::Time now) { waiting_since_ = now; }
  void received_chunk(const SnapshotReply& reply);

 private:
  struct InFlight {
    base::LogIndex last;
    std::size_t bytes{};
    base::Time at;
  };
  void probe_from(base::LogIndex next);

  StoreId store_;
  Mode mode_{Mode::probe};
  base::LogIndex match_;
  base::LogIndex next_;
  base::Time heard_;
  Round round_;
  std::deque<InFlight> in_flight_;
  std::size_t bytes_in_flight_{0};
  std::optional<base::Time> waiting_since_;  ///< for the answer to a probe or a piece
  Snapshot snapshot_;                        ///< being sent; kept whole though newer ones come
  std::uint64_t offset_{0};
};

}  // namespace fastgpu::raft
