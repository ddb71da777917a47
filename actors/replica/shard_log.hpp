#pragma once

/// Opens the log of a shard, of whichever kind the shard is. A shard keeps its kind for life: a
/// node that finds a log of the other kind on its disk is refused (ErrorCode::conflict), since
/// beginning anew beside it would lose accepted work.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/replica/raft_log.hpp"
#include "runtime/store/solo_log.hpp"

namespace fastgpu::actors {

struct ShardLogOptions {
  base::ShardId shard;
  std::uint64_t seed{1};
  store::SoloLogFaults solo_faults;
  std::optional<RaftLogOptions> group;  ///< of a shard with several replicas; shard, seed: not set
};

struct ShardLog {
  std::unique_ptr<store::StoredLog> log;
  RaftLog* group{nullptr};  ///< the same, where the shard has several replicas
};

/// What a node needs to open the shard's log, read before the store starts. With a group: whether
/// the store is the one with which this node belongs to it is found out here, too.
base::Result<std::vector<store::KeyValue>> read_log(const store::Store& store, base::ShardId shard,
                                                    const std::optional<RaftLogOptions>& group);

/// `contents` as read_log gave them; `writer` and `host` outlive the log.
base::Result<ShardLog> open_log(const ShardLogOptions& options,
                                std::vector<store::KeyValue> contents, store::StoreWriter& writer,
                                RaftHost& host);

/// The number that the node's store was given when it was made; none if it has none.
base::Result<std::optional<raft::StoreId>> store_id_of(const store::Store& store);

}  // namespace fastgpu::actors
