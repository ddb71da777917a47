#pragma once

/// Who a replica is, its bounds and times. The relations among limits are checked when a machine is
/// made.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/raft/raft_faults.hpp"
#include "runtime/raft/raft_types.hpp"

namespace fastgpu::raft {

struct RaftLimits {
  base::Duration heartbeat_interval{base::limits::heartbeat_interval};
  /// An election is tried after a time drawn evenly from [min, max). A live leader was heard within
  /// min; a leader that heard no majority for min steps down.
  base::Duration election_timeout_min{base::limits::election_timeout_min};
  base::Duration election_timeout_max{base::limits::election_timeout_max};
  /// After the leader's connection broke, the voters that are left try one after another, so long
  /// apart: at once they would share the votes.
  base::Duration early_election_step{base::limits::early_election_step};
  /// Unanswered entries or pieces are sent again after this.
  base::Duration resend_after{std::chrono::milliseconds{150}};
  base::Duration transfer_timeout{std::chrono::milliseconds{1000}};

  std::size_t entry_bytes_max{2 * base::limits::entry_bytes_max};
  std::size_t append_bytes_max{1u << 20};        ///< of one message, or one entry
  std::size_t append_entries_max{4096};          ///< of one message
  std::size_t window_bytes_max{4u << 20};        ///< unanswered, of one follower
  std::size_t window_messages_max{16};           ///< unanswered, of one follower
  std::size_t unpersisted_bytes_max{16u << 20};  ///< then a follower takes no more entries
  std::size_t proposals_in_flight_max{
      base::limits::proposals_in_flight_max};  ///< uncommitted, of this leadership
  std::size_t proposal_bytes_in_flight_max{base::limits::proposal_bytes_in_flight_max};
  std::size_t reads_in_flight_max{4096};
  std::size_t held_messages_max{1024};      ///< waiting for the disk; more are dropped
  std::size_t persists_in_flight_max{256};  ///< then messages are dropped
  std::size_t snapshot_chunk_bytes{base::limits::object_chunk_bytes};
  std::uint64_t snapshot_bytes_max{std::uint64_t{4} << 30};
  std::uint64_t entries_kept_behind_snapshot{2048};  ///< for followers a little behind
  std::uint64_t caught_up_entries{64};               ///< a learner this near may be promoted
  std::uint64_t term_jump_max{1'000'000};            ///< a greater one is no term but damage
};

struct RaftOptions {
  base::NodeId self;
  StoreId store;
  base::Epoch epoch{1};   ///< of the stored log; an empty one takes that of whoever calls it first
  std::uint64_t seed{1};  ///< of the election timeouts
  RaftLimits limits;
  Fault fault{Fault::none};
};

}  // namespace fastgpu::raft
