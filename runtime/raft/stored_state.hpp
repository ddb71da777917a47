#pragma once

/// What a replica finds on its disk when it starts, and what a Persist does to it.
///
/// Place: the store's adapter loads a StoredState, `checked` refuses a damaged one,
/// RaftMachine::open takes it. `apply` is the meaning of a Persist: adapters write the same change
/// to their own format, and their contract test compares the two. Failure: ErrorCode::corrupt,
/// nothing is cut: a torn tail is dropped by the store beneath, whole Persists at a time, so what
/// is present must be right.

#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/raft/raft_effects.hpp"
#include "runtime/raft/raft_faults.hpp"
#include "runtime/raft/raft_types.hpp"

namespace fastgpu::raft {

struct StoredState {
  StoreId store;  ///< drawn when the store was made; the machine refuses another
  HardState hard;
  Snapshot snapshot;         ///< last.index 0: none
  LogPosition before_first;  ///< the entry before entries.front(); at or below the snapshot's end
  Chain before_chain;        ///< of that entry
  std::vector<Entry> entries;
  bool operator==(const StoredState&) const = default;

  bool pristine() const {
    return !hard.term && !snapshot.last.index && !before_first.index && entries.empty();
  }
  LogPosition last() const { return entries.empty() ? before_first : entries.back().position(); }
};

void apply(StoredState& state, const Persist& persist);

/// The same state if it is whole: no hole, no swap, no wrong chain, no term after the stored one.
base::Result<StoredState> checked(StoredState state, Fault fault = Fault::none);

/// The state of each founder of a group: its members as entry 1 of term 1. Only for a pristine
/// store and a founder; every founder must have the same list, and have this on disk before it
/// starts.
base::Result<StoredState> founded(const StoredState& pristine, base::NodeId self,
                                  const Configuration& members);

}  // namespace fastgpu::raft
