#pragma once

/// A replica's disk: what is on it for good, and what was written and not yet synced. A crash keeps
/// some first part of the unsynced writes; one torn in the middle is not there at all.

#include <deque>
#include <optional>

#include "runtime/raft/stored_state.hpp"

namespace fastgpu::raft::testing {

class SimDisk {
 public:
  StoredState& durable() { return durable_; }
  const StoredState& durable() const { return durable_; }
  std::size_t waiting() const { return queue_.size(); }

  void write(Persist persist) { queue_.push_back(std::move(persist)); }
  /// The oldest write is on disk now.
  PersistTag sync_one() {
    const PersistTag tag = queue_.front().tag;
    apply(durable_, queue_.front());
    queue_.pop_front();
    return tag;
  }
  void crash(std::size_t kept) {
    for (; kept > 0 && !queue_.empty(); --kept) {
      sync_one();
    }
    queue_.clear();
  }

  std::optional<base::Term> term_at(base::LogIndex index) const {
    if (index == durable_.before_first.index) {
      return durable_.before_first.term;
    }
    const Entry* entry = find(index);
    return entry == nullptr ? std::nullopt : std::optional(entry->term);
  }
  /// The entry, and so all before it, is on disk.
  bool holds(base::LogIndex index, Chain chain) const {
    if (index <= durable_.snapshot.last.index) {
      return true;
    }
    const Entry* entry = find(index);
    return entry != nullptr && entry->chain == chain;
  }

 private:
  const Entry* find(base::LogIndex index) const {
    const std::uint64_t before = durable_.before_first.index.value;
    return index.value <= before || index.value > before + durable_.entries.size()
               ? nullptr
               : &durable_.entries[index.value - before - 1];
  }

  StoredState durable_;
  std::deque<Persist> queue_;
};

}  // namespace fastgpu::raft::testing
