#pragma once

/// The stored records of a shard that has several replicas, and their keys; pure functions of
/// bytes. Keys and checksums as in store/sealed_record, under the letter 'r'.
///
/// The head is written with every Persist, so it always names the last entry: an entry that is
/// missing at the end is seen at load. Whether an entry continues the one before is told by its
/// chain, which raft::checked looks at. Decoding fails with ErrorCode::corrupt and names the key.

#include <span>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/raft/raft_types.hpp"
#include "runtime/store/sealed_record.hpp"

namespace fastgpu::actors {

inline constexpr std::uint32_t raft_log_format = 1;

struct RaftHead {
  base::Epoch epoch;
  raft::StoreId store;
  raft::HardState hard;
  raft::LogPosition before_first;  ///< the entry before the first that is kept
  raft::Chain before_chain;        ///< of that entry
  base::LogIndex last;             ///< before_first.index: no entries
  bool operator==(const RaftHead&) const = default;
};

store::Write put_head(base::ShardId shard, const RaftHead& head);
store::Write put_entry(base::ShardId shard, const raft::Entry& entry);
/// Appends the writes that replace an older snapshot whole.
void put_snapshot(base::ShardId shard, const raft::Snapshot& snapshot,
                  std::vector<store::Write>& writes);

base::Result<RaftHead> read_head(const store::KeyValue& record);
base::Result<raft::Entry> read_entry(const store::KeyValue& record);
base::Result<raft::Snapshot> read_snapshot(const store::KeyValue& record,
                                           std::span<const store::KeyValue> pieces);

/// The number of a node's store. Written once, by whoever makes the store, before a node begins on
/// it: a store that was lost and made anew has another.
std::string store_id_key();
store::Write put_store_id(raft::StoreId id);
base::Result<raft::StoreId> read_store_id(const store::KeyValue& record);

}  // namespace fastgpu::actors
