#include "runtime/ledger/tables/dependency_table.hpp"

namespace fastgpu::ledger {

using protocol::JobKnowledge;
using protocol::JobStanding;

void DependencyTable::clear() {
  parents_.clear();
  by_child_.clear();
  by_due_.clear();
}

std::optional<base::Time> DependencyTable::next_deadline() const {
  return by_due_.empty() ? std::nullopt : std::optional(by_due_.begin()->first);
}

bool DependencyTable::awaits(base::JobId child, base::JobId parent) const {
  const auto at = by_child_.find(child);
  return at != by_child_.end() && at->second.contains(parent);
}

const JobStanding* DependencyTable::heard_of(base::JobId parent) const {
  const auto at = parents_.find(parent);
  return at == parents_.end() || !at->second.heard ? nullptr : &*at->second.heard;
}

void DependencyTable::add(base::JobId child, base::JobId parent, std::uint64_t last_ask,
                          base::Time now) {
  if (!by_child_[child].insert(parent).second) {
    return;
  }
  Parent& known = parents_[parent];
  known.waiting.emplace(child, last_ask);
  if (!known.due) {
    look_again(parent, now);
  }
}

void DependencyTable::remove(base::JobId child, base::JobId parent) {
  const auto of_child = by_child_.find(child);
  if (of_child == by_child_.end() || of_child->second.erase(parent) == 0) {
    return;
  }
  if (of_child->second.empty()) {
    by_child_.erase(of_child);
  }
  const auto at = parents_.find(parent);
  at->second.waiting.erase(child);
  at->second.taken.erase(child);
  if (at->second.waiting.empty() && at->second.taken.empty()) {
    look_again(parent, std::nullopt);
    parents_.erase(at);
  }
}

void DependencyTable::remove(base::JobId child) {
  const auto at = by_child_.find(child);
  if (at == by_child_.end()) {
    return;
  }
  for (const base::JobId parent : std::set(at->second)) {
    remove(child, parent);
  }
}

// That a job was never accepted may become untrue; that it ended, and that it is forgotten, stays.
void DependencyTable::hear(const JobStanding& standing, std::uint64_t ask, base::Time now) {
  const auto at = parents_.find(standing.job);
  if (at == parents_.end()) {
    return;
  }
  Parent& parent = at->second;
  const bool settled =
      parent.heard && parent.heard->is_final() && parent.heard->knowledge != JobKnowledge::never;
  if (settled || ask < parent.heard_ask) {
    return;
  }
  parent.heard = standing;
  parent.heard_ask = ask;
  if (standing.is_final()) {
    look_again(standing.job, now);
  }
}

std::vector<base::JobId> DependencyTable::due(base::Time now, std::size_t parents_max) const {
  std::vector<base::JobId> parents;
  for (const auto& [at, parent] : by_due_) {
    if (at > now || parents.size() == parents_max) {
      break;
    }
    parents.push_back(parent);
  }
  return parents;
}

void DependencyTable::look_again(base::JobId parent, std::optional<base::Time> at) {
  const auto known = parents_.find(parent);
  if (known == parents_.end()) {
    return;
  }
  std::optional<base::Time>& due = known->second.due;
  if (due) {
    by_due_.erase({*due, parent});
  }
  due = at;
  if (due) {
    by_due_.emplace(*due, parent);
  }
}

std::vector<base::JobId> DependencyTable::take_children(base::JobId parent,
                                                        std::size_t children_max) {
  std::vector<base::JobId> children;
  const auto at = parents_.find(parent);
  if (at == parents_.end() || !at->second.heard || !at->second.heard->is_final()) {
    return children;
  }
  Parent& known = at->second;
  const bool may_change = known.heard->knowledge == JobKnowledge::never;
  for (auto child = known.waiting.begin();
       child != known.waiting.end() && children.size() < children_max;) {
    if (may_change && child->second >= known.heard_ask) {
      ++child;  // came after this was asked: the job may have been accepted in between
      continue;
    }
    children.push_back(child->first);
    known.taken.insert(child->first);
    child = known.waiting.erase(child);
  }
  return children;
}

void DependencyTable::give_back(base::JobId child, base::JobId parent, std::uint64_t last_ask,
                                base::Time at) {
  const auto known = parents_.find(parent);
  if (known != parents_.end() && known->second.taken.erase(child) > 0) {
    known->second.waiting.emplace(child, last_ask);
    look_again(parent, at);
  }
}

bool DependencyTable::has_waiting(base::JobId parent) const {
  const auto at = parents_.find(parent);
  return at != parents_.end() && !at->second.waiting.empty();
}

}  // namespace fastgpu::ledger
