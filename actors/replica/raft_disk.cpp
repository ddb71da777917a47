#include "actors/replica/raft_disk.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::actors {

RaftDisk::RaftDisk(base::ShardId shard, base::Epoch epoch, raft::StoreId store) : shard_(shard) {
  head_.epoch = epoch;
  head_.store = store;
}

std::string RaftDisk::key_prefix(base::ShardId shard) {
  return store::log_prefix(store::LogKind::group, shard);
}

base::Result<raft::StoredState> RaftDisk::load(std::vector<store::KeyValue> contents) {
  if (contents.empty()) {
    raft::StoredState pristine;
    pristine.store = head_.store;
    return pristine;
  }
  const auto sorted = store::sort_out(std::move(contents), key_prefix(shard_));
  if (!sorted) {
    return sorted.error();
  }
  return load(sorted.value());
}

base::Result<raft::StoredState> RaftDisk::load(const store::LogRecords& records) {
  if (!records.head) {
    return store::corrupt_log("the log's head is missing, but other records of it are there");
  }
  const auto head = read_head(*records.head);
  if (!head) {
    return head.error();
  }
  const base::Epoch epoch = std::max(head_.epoch, head.value().epoch);
  head_ = head.value();
  head_.epoch = epoch;
  raft::StoredState state;
  state.store = head_.store;
  state.hard = head_.hard;
  state.before_first = head_.before_first;
  state.before_chain = head_.before_chain;
  if (records.snapshot) {
    auto snapshot = read_snapshot(*records.snapshot, records.pieces);
    if (!snapshot) {
      return snapshot.error();
    }
    state.snapshot = std::move(snapshot).value();
  } else if (!records.pieces.empty()) {
    return store::corrupt_log("the description of the log's snapshot is missing");
  }
  for (const store::KeyValue& record : records.entries) {
    auto entry = read_entry(record);
    if (!entry) {
      return entry.error();
    }
    positions_.push_back({entry.value().term, entry.value().chain});
    state.entries.push_back(std::move(entry).value());
  }
  if (state.last().index != head_.last) {
    return store::corrupt_log("the log ends at entry " + std::to_string(state.last().index.value) +
                              ", but entry " + std::to_string(head_.last.value) +
                              " had been written last");
  }
  return state;
}

// In the order of raft::apply.
std::vector<store::Write> RaftDisk::changes(const raft::Persist& persist) {
  std::vector<store::Write> writes;
  if (persist.epoch) {
    head_.epoch = *persist.epoch;
  }
  if (persist.hard) {
    head_.hard = *persist.hard;
  }
  if (persist.cut_from) {
    cut_from(*persist.cut_from, writes);
  }
  if (persist.snapshot) {
    put_snapshot(shard_, *persist.snapshot, writes);
  }
  if (persist.clear_log) {
    FASTGPU_CHECK(persist.snapshot.has_value(), "a log begins anew at a snapshot only");
    clear(persist.snapshot->last, persist.snapshot->chain, writes);
  }
  if (persist.drop_through) {
    drop_through(*persist.drop_through, writes);
  }
  for (const raft::Entry& entry : persist.entries) {
    append(entry, writes);
  }
  writes.push_back(put_head(shard_, head_));
  return writes;
}

std::vector<store::Write> RaftDisk::all_of(const raft::StoredState& state) {
  FASTGPU_CHECK(!state.snapshot.last.index && state.store == head_.store,
                "a founder begins with entries only, on its own disk");
  raft::Persist whole;
  whole.hard = state.hard;
  whole.entries = state.entries;
  return changes(whole);
}

void RaftDisk::erase(base::LogIndex from, base::LogIndex end,
                     std::vector<store::Write>& writes) const {
  if (from < end) {
    writes.push_back(store::Write::erase_range(log_key(store::LogKind::group, shard_, from),
                                               log_key(store::LogKind::group, shard_, end)));
  }
}

void RaftDisk::cut_from(base::LogIndex index, std::vector<store::Write>& writes) {
  FASTGPU_CHECK(index >= first(), "a cut reaches into what a snapshot replaced");
  if (index > head_.last) {
    return;
  }
  erase(index, {head_.last.value + 1}, writes);
  positions_.resize(static_cast<std::size_t>(index.value - first().value));
  head_.last = {index.value - 1};
}

void RaftDisk::clear(const raft::LogPosition& last, raft::Chain chain,
                     std::vector<store::Write>& writes) {
  erase(first(), {head_.last.value + 1}, writes);
  positions_.clear();
  head_.before_first = last;
  head_.before_chain = chain;
  head_.last = last.index;
}

void RaftDisk::drop_through(base::LogIndex index, std::vector<store::Write>& writes) {
  const base::LogIndex through = std::min(index, head_.last);
  if (through < first()) {
    return;
  }
  erase(first(), {through.value + 1}, writes);
  const auto dropped = static_cast<std::ptrdiff_t>(through.value - first().value + 1);
  const Position last = positions_[static_cast<std::size_t>(dropped - 1)];
  positions_.erase(positions_.begin(), positions_.begin() + dropped);
  head_.before_first = {through, last.term};
  head_.before_chain = last.chain;
}

void RaftDisk::append(const raft::Entry& entry, std::vector<store::Write>& writes) {
  FASTGPU_CHECK(entry.index.value == head_.last.value + 1, "an append leaves a hole");
  writes.push_back(put_entry(shard_, entry));
  positions_.push_back({entry.term, entry.chain});
  head_.last = entry.index;
}

}  // namespace fastgpu::actors
