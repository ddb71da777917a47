#include "runtime/ledger/tables/assign_table.hpp"

namespace fastgpu::ledger {

void AssignTable::clear() {
  assigns_.clear();
  by_due_.clear();
}

std::optional<base::Time> AssignTable::next_deadline() const {
  return by_due_.empty() ? std::nullopt : std::optional(by_due_.begin()->first);
}

void AssignTable::note(const base::AttemptId& attempt, UnansweredAssign assign) {
  take(attempt);
  by_due_.emplace(assign.due, attempt);
  assigns_.emplace(attempt, assign);
}

std::optional<UnansweredAssign> AssignTable::take(const base::AttemptId& attempt) {
  const auto at = assigns_.find(attempt);
  if (at == assigns_.end()) {
    return std::nullopt;
  }
  const UnansweredAssign assign = at->second;
  by_due_.erase({assign.due, attempt});
  assigns_.erase(at);
  return assign;
}

std::vector<base::AttemptId> AssignTable::due(base::Time now) const {
  std::vector<base::AttemptId> attempts;
  for (const auto& [due, attempt] : by_due_) {
    if (due > now) {
      break;
    }
    attempts.push_back(attempt);
  }
  return attempts;
}

const UnansweredAssign* AssignTable::find(const base::AttemptId& attempt) const {
  const auto at = assigns_.find(attempt);
  return at == assigns_.end() ? nullptr : &at->second;
}

void AssignTable::sent(const base::AttemptId& attempt, base::Time due) {
  if (std::optional<UnansweredAssign> assign = take(attempt)) {
    ++assign->tries;
    assign->due = due;
    note(attempt, *assign);
  }
}

void AssignTable::postpone(const base::AttemptId& attempt, base::Time due) {
  if (std::optional<UnansweredAssign> assign = take(attempt)) {
    assign->due = due;
    note(attempt, *assign);
  }
}

}  // namespace fastgpu::ledger
