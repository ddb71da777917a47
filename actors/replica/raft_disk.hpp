#pragma once

/// What a group's log has on this replica's disk: finds it at the start, and puts each Persist of
/// the machine into writes that mean the same as raft::apply.
///
/// Place: between RaftLog, which owns it, and the store. Pure. It knows head and positions of what
/// is on disk or on its way there, so it never asks the machine, whose log may be ahead of a
/// snapshot that is being put in place. Failure: what is present but wrong, missing or out of place
/// is ErrorCode::corrupt, and nothing is cut; a torn tail never reaches here, since the store drops
/// whole Persists.

#include <deque>
#include <vector>

#include "actors/replica/raft_record.hpp"
#include "runtime/raft/raft_effects.hpp"
#include "runtime/raft/stored_state.hpp"

namespace fastgpu::actors {

class RaftDisk {
 public:
  /// A replica with nothing on its disk yet.
  RaftDisk(base::ShardId shard, base::Epoch epoch, raft::StoreId store);

  /// All keys of the log begin with this.
  static std::string key_prefix(base::ShardId shard);

  /// Takes over a scan of the prefix; empty `contents` is a log that was never written. What comes
  /// out has yet to pass raft::checked.
  base::Result<raft::StoredState> load(std::vector<store::KeyValue> contents);

  base::Epoch epoch() const { return head_.epoch; }
  /// One list for the store: all of it or nothing.
  std::vector<store::Write> changes(const raft::Persist& persist);
  /// The same for a state that is on no disk yet, such as raft::founded gives.
  std::vector<store::Write> all_of(const raft::StoredState& state);

 private:
  struct Position {
    base::Term term;
    raft::Chain chain;
  };
  base::Result<raft::StoredState> load(const store::LogRecords& records);
  base::LogIndex first() const { return {head_.before_first.index.value + 1}; }
  void erase(base::LogIndex from, base::LogIndex end, std::vector<store::Write>& writes) const;
  void cut_from(base::LogIndex index, std::vector<store::Write>& writes);
  void clear(const raft::LogPosition& last, raft::Chain chain, std::vector<store::Write>& writes);
  void drop_through(base::LogIndex index, std::vector<store::Write>& writes);
  void append(const raft::Entry& entry, std::vector<store::Write>& writes);

  const base::ShardId shard_;
  RaftHead head_;
  std::deque<Position> positions_;  ///< of each kept entry
};

}  // namespace fastgpu::actors
