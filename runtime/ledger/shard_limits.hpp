#pragma once

/// The bounds of a shard replica, from limits.hpp; tests choose smaller ones.

#include <cstddef>
#include <cstdint>

#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"

namespace fastgpu::ledger {

/// How long the token that a cluster is founded with lets a node in.
inline constexpr std::int64_t founding_token_valid_ms = 24 * 3600 * std::int64_t{1000};

/// What a ledger keeps of the past. The same on all replicas of a shard: they must forget alike.
struct RetentionLimits {
  std::size_t finished_jobs_max{base::limits::finished_jobs_kept_max};
  std::uint64_t finished_bytes_max{base::limits::finished_job_bytes_kept_max};
};

struct ShardLimits {
  RetentionLimits retention;
  std::size_t live_jobs_max{base::limits::live_jobs_per_shard_max};
  std::size_t requests_pending_max{base::limits::shard_requests_pending_max};
  std::size_t watchers_max{base::limits::shard_watchers_max};
  std::size_t entries_in_flight_max{base::limits::entries_in_flight_max};
  /// More than those, while all that is in flight is this small: who waits for a record then waits
  /// for one write of the disks, not for the entry before it as well.
  std::size_t small_entries_in_flight_max{base::limits::small_entries_in_flight_max};
  std::size_t small_entries_bytes_max{base::limits::small_entries_bytes_max};
  std::size_t entry_records_max{base::limits::entry_records_max};
  std::size_t entry_bytes_max{base::limits::entry_bytes_max};
  std::size_t listed_jobs_max{base::limits::listed_jobs_max};
  std::size_t listed_results_max{base::limits::listed_results_max};
  std::uint64_t compact_after_entries{base::limits::compact_after_entries};
  base::Duration rpc_timeout{base::limits::rpc_timeout};
  int rpc_tries_max{base::limits::rpc_tries_max};
  base::Duration lease{base::limits::lease_safe};
  base::Duration lease_command{base::limits::lease_command};
  base::Duration suspect_after{base::limits::suspect_after};
  base::Duration wait_max{base::limits::job_wait_max};
  base::Duration dependency_ask_interval{base::limits::dependency_ask_interval};
  std::size_t dependency_ask_jobs_max{base::limits::dependency_ask_jobs_max};
  std::size_t dependency_asks_pending_max{base::limits::dependency_asks_pending_max};
};

}  // namespace fastgpu::ledger
