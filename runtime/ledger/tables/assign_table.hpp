#pragma once

/// Assigns that are unanswered, or not sent before their placement is committed, with when to look
/// at each again. Owned by ShardMachine; a new leader begins with an empty one. Every entry leaves
/// exactly once: answered, or given up.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"

namespace fastgpu::ledger {

struct UnansweredAssign {
  base::JobId job;
  base::DeviceId device;
  std::uint32_t tasks{};
  int tries{};     ///< how often it was sent; 0: nobody was asked yet
  base::Time due;  ///< when it is sent again, or given up
  bool operator==(const UnansweredAssign&) const = default;
};

class AssignTable {
 public:
  void clear();
  std::size_t size() const { return assigns_.size(); }
  std::optional<base::Time> next_deadline() const;

  void note(const base::AttemptId& attempt, UnansweredAssign assign);
  /// Its worker has answered: what was asked, or nothing if it is answered already.
  std::optional<UnansweredAssign> take(const base::AttemptId& attempt);
  /// Attempts due at `now`, ascending by due time.
  std::vector<base::AttemptId> due(base::Time now) const;
  const UnansweredAssign* find(const base::AttemptId& attempt) const;
  void sent(const base::AttemptId& attempt, base::Time due);
  /// It is not sent yet: looked at again then.
  void postpone(const base::AttemptId& attempt, base::Time due);

 private:
  std::map<base::AttemptId, UnansweredAssign> assigns_;
  std::set<std::pair<base::Time, base::AttemptId>> by_due_;
};

}  // namespace fastgpu::ledger
