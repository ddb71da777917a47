/// How a SoloLog takes over what is stored. Every record is checked before any is believed; the
/// first that is wrong ends it, because an entry that was acknowledged must never be cut off in
/// silence.

#include <utility>

#include "runtime/store/solo_log.hpp"

namespace fastgpu::store {

base::Status SoloLog::load(std::vector<KeyValue> contents) {
  if (contents.empty()) {
    return {};
  }
  auto sorted = sort_out(std::move(contents), key_prefix(options_.shard));
  if (!sorted) {
    return sorted.error();
  }
  LogRecords records = std::move(sorted).value();
  if (!records.head) {
    return corrupt_log("the log's head is missing, but other records of it are there");
  }
  const auto head = read_head(*records.head);
  if (!head) {
    return head.error();
  }
  epoch_ = std::max(epoch_, head.value().epoch);
  term_ = head.value().term;
  first_index_ = head.value().first_index;
  before_first_ = head.value().before_first;
  commit_index_ = {first_index_.value - 1};
  if (auto status = load_snapshot(records.snapshot, records.pieces); !status.ok()) {
    return status;
  }
  if (auto status = load_entries(records.entries); !status.ok()) {
    return status;
  }
  if (last_index() < head.value().last_index) {
    return corrupt_log("the log ends at entry " + std::to_string(last_index().value) +
                       ", but entry " + std::to_string(head.value().last_index.value) +
                       " had been written");
  }
  return {};
}

base::Status SoloLog::load_snapshot(const std::optional<KeyValue>& record,
                                    const std::vector<KeyValue>& pieces) {
  if (!record) {
    if (first_index_.value == 1 && pieces.empty()) {
      return {};
    }
    return corrupt_log("the log begins at entry " + std::to_string(first_index_.value) +
                       ", but the snapshot before it is missing");
  }
  const auto snapshot = read_snapshot(*record);
  if (!snapshot) {
    return snapshot.error();
  }
  if (snapshot.value().index != commit_index_) {
    return corrupt(record->key, "ends at entry " + std::to_string(snapshot.value().index.value) +
                                    ", the log begins at " + std::to_string(first_index_.value));
  }
  auto data = read_pieces(snapshot.value().data, pieces);
  if (!data) {
    return data.error();
  }
  events_.emplace_back(base::LogRestored{snapshot.value().index, std::move(data).value()});
  return {};
}

base::Status SoloLog::load_entries(const std::vector<KeyValue>& records) {
  LogPosition previous = before_first_;
  for (const auto& record : records) {
    const base::LogIndex index{record_number(record.key)};
    const base::LogIndex expected{last_index().value + 1};
    if (index != expected) {
      return corrupt(record.key, "stands where entry " + std::to_string(expected.value) +
                                     " should: entries are missing or out of place");
    }
    auto entry = read_entry(record);
    if (!entry) {
      return entry.error();
    }
    const LogPosition position = entry.value().position;
    if (position.chain !=
        chain_after(previous.chain, index, position.term, entry.value().command)) {
      return corrupt(record.key, "does not follow the entry before it");
    }
    if (position.term < previous.term || position.term > term_) {
      return corrupt(record.key, "is of term " + std::to_string(position.term.value) +
                                     ", between terms " + std::to_string(previous.term.value) +
                                     " and " + std::to_string(term_.value));
    }
    previous = position;
    positions_.push_back(position);
    uncommitted_bytes_ += entry.value().command.size();
    uncommitted_.push_back({index, position.term, std::nullopt, std::move(entry).value().command});
  }
  return {};
}

}  // namespace fastgpu::store
