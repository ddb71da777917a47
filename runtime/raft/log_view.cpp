#include "runtime/raft/log_view.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::raft {

LogView::LogView(const StoredState& stored, Fault fault)
    : fault_(fault),
      before_first_(stored.before_first),
      before_chain_(stored.before_chain),
      entries_(stored.entries.begin(), stored.entries.end()) {
  members_.push_back({stored.snapshot.last.index, stored.snapshot.configuration});
  for (const Entry& entry : entries_) {
    if (entry.kind == EntryKind::configuration && entry.index > stored.snapshot.last.index) {
      members_.push_back({entry.index, entry.configuration});
    }
  }
  if (fault_ == Fault::tail_is_committed) {
    members_.erase(members_.begin(), members_.end() - 1);
  }
  persisted_ = last().index;
}

std::size_t LogView::offset(base::LogIndex index) const {
  FASTGPU_CHECK(index > before_first_.index && index <= last().index, "no such entry here");
  return static_cast<std::size_t>(index.value - before_first_.index.value - 1);
}

std::optional<base::Term> LogView::term_at(base::LogIndex index) const {
  if (index == before_first_.index) {
    return before_first_.term;
  }
  if (index < before_first_.index || index > last().index) {
    return std::nullopt;
  }
  return entries_[offset(index)].term;
}

Chain LogView::chain_at(base::LogIndex index) const {
  return index == before_first_.index ? before_chain_ : entries_[offset(index)].chain;
}

const Entry& LogView::at(base::LogIndex index) const {
  return entries_[offset(index)];
}

base::LogIndex LogView::first_of_term_at(base::LogIndex index) const {
  const std::optional<base::Term> term = term_at(index);
  while (index.value > before_first_.index.value + 1 && term_at({index.value - 1}) == term) {
    index.value -= 1;
  }
  return index;
}

const Entry& LogView::append(Entry entry) {
  FASTGPU_CHECK(entry.index.value == last().index.value + 1, "an append leaves a hole");
  FASTGPU_CHECK(entry.term >= last().term, "terms go back in the log");
  entry.chain = chain_after(chain_at(last().index), entry);
  if (entry.kind == EntryKind::configuration) {
    members_.push_back({entry.index, entry.configuration});
  }
  unpersisted_bytes_ += entry.size_bytes();
  return entries_.emplace_back(std::move(entry));
}

void LogView::cut_from(base::LogIndex index) {
  for (std::size_t i = offset(index); i < entries_.size(); ++i) {
    if (entries_[i].index > persisted_) {
      unpersisted_bytes_ -= entries_[i].size_bytes();
    }
  }
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(offset(index)), entries_.end());
  while (members_.size() > 1 && members_.back().index >= index && fault_ != Fault::no_rollback) {
    members_.pop_back();
  }
  persisted_ = std::min(persisted_, last().index);
  for (Issued& one : issued_) {
    if (fault_ != Fault::report_past_cut) {
      one.last = std::min(one.last, last().index);
    }
  }
}

void LogView::drop_through(base::LogIndex index) {
  FASTGPU_CHECK(index <= persisted_, "only what is on disk can be dropped");
  while (!entries_.empty() && entries_.front().index <= index) {
    before_first_ = entries_.front().position();
    before_chain_ = entries_.front().chain;
    entries_.pop_front();
  }
}

void LogView::reset_to(const Snapshot& snapshot) {
  entries_.clear();
  before_first_ = snapshot.last;
  before_chain_ = snapshot.chain;
  members_.clear();
  members_.push_back({snapshot.last.index, snapshot.configuration});
  persisted_ = snapshot.last.index;
  unpersisted_bytes_ = 0;
  for (Issued& one : issued_) {
    one.last = snapshot.last.index;
  }
}

const Configuration& LogView::active() const {
  return members_.back().configuration;
}

base::LogIndex LogView::active_index() const {
  return members_.back().index;
}

const Configuration* LogView::before_active() const {
  return members_.size() > 1 ? &members_[members_.size() - 2].configuration : nullptr;
}

const Configuration& LogView::members_at(base::LogIndex index) const {
  auto at = members_.rbegin();
  while (at != members_.rend() - 1 && at->index > index) {
    ++at;
  }
  return at->configuration;
}

void LogView::forget_members_before(base::LogIndex index) {
  while (members_.size() > 1 && members_[1].index <= index) {
    members_.pop_front();
  }
}

LogPosition LogView::persisted() const {
  const base::LogIndex index = std::min(persisted_, last().index);
  return {index, *term_at(index)};
}

void LogView::issued(PersistTag tag) {
  issued_.push_back({tag, last().index});
}

void LogView::completed(PersistTag up_to) {
  while (!issued_.empty() && issued_.front().tag <= up_to) {
    for (base::LogIndex index{persisted_.value + 1};
         index <= std::min(issued_.front().last, last().index); ++index.value) {
      unpersisted_bytes_ -= at(index).size_bytes();
    }
    persisted_ = std::max(persisted_, issued_.front().last);
    issued_.pop_front();
  }
}

}  // namespace fastgpu::raft
