#pragma once

/// The replicas that a node's store holds, seen while the node does not run: what an operator
/// compares when the majority of a shard's replicas is gone for good, and the write that founds the
/// shard's group anew from one of them (raft/recovery).
///
/// Place: between the stored records on one side, and raft and ledger on the other; used by the
/// composition root (`fastgpu-node recover`) and by simulated worlds. Pure but for scans of the
/// store, which must be locked by the caller. Failure: what is damaged is ErrorCode::corrupt, a
/// shard of which nothing is held ErrorCode::not_found, one that lacks no majority
/// ErrorCode::conflict. Limit: one shard's log and ledger are in memory at a time.

#include <cstddef>
#include <optional>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/ledger/shard_limits.hpp"
#include "runtime/raft/raft_types.hpp"
#include "runtime/store/store.hpp"

namespace fastgpu::actors {

/// Whose store it is.
struct RecoveryOf {
  base::NodeId self;
  base::ShardLayout layout;
  ledger::RetentionLimits retention{};
};

/// What a store holds of a shard.
struct ReplicaFound {
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;
  raft::LogPosition last;         ///< of the log
  base::LogIndex surely_settled;  ///< a majority had it: the snapshot's end; later ones may be, too
  raft::Configuration members;    ///< as the log says
  bool votes{false};              ///< this replica, by its own log
  bool votes_alone{false};        ///< it has a majority by itself
  std::size_t jobs{0};            ///< if all of the log counts
  std::size_t jobs_live{0};
  base::WallTimeMs newest_job_at_ms{0};  ///< when it was submitted; 0: there is none
};

/// None where the store holds nothing of the shard, or knows no more than its term.
base::Result<std::optional<ReplicaFound>> find_replica(const store::Store& store,
                                                       const RecoveryOf& of, base::ShardId shard);

/// One write that makes this replica the only voter of a group founded anew, with all entries of
/// its log. The node's next start goes on from it.
base::Result<std::vector<store::Write>> found_anew(const store::Store& store, const RecoveryOf& of,
                                                   base::ShardId shard);

}  // namespace fastgpu::actors
