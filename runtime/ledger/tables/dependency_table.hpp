#pragma once

/// What the leader knows of the jobs that its own jobs wait for, and when it looks at each again.
///
/// Volatile: rebuilt at each leadership from the ledger's waiting jobs. Owned by ShardMachine.
/// Nothing fails; names of jobs that nobody waits for are ignored. Where no job waits for another
/// it is empty and costs nothing. Holds one entry for each condition of each waiting job, so it is
/// bounded as they are.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/dependency.hpp"

namespace fastgpu::ledger {

class DependencyTable {
 public:
  void clear();
  bool empty() const { return parents_.empty(); }
  std::optional<base::Time> next_deadline() const;
  bool awaits(base::JobId child, base::JobId parent) const;
  /// How the parent was said to stand last; null if nothing was said.
  const protocol::JobStanding* heard_of(base::JobId parent) const;

  /// `child` waits for `parent`, which is looked at when it is due, and at once if it is not. What
  /// is answered to asks up to `last_ask` was true before the child came.
  void add(base::JobId child, base::JobId parent, std::uint64_t last_ask, base::Time now);
  /// The child waits for this parent no longer; the second: for none.
  void remove(base::JobId child, base::JobId parent);
  void remove(base::JobId child);

  /// Said in answer to that ask, or found in the own ledger under such a number. A standing that is
  /// final is looked at at once; a known end stays, whatever is said later.
  void hear(const protocol::JobStanding& standing, std::uint64_t ask, base::Time now);

  /// Parents to look at, the longest due first.
  std::vector<base::JobId> due(base::Time now, std::size_t parents_max) const;
  /// Looks at the parent then; none: when something is heard of it.
  void look_again(base::JobId parent, std::optional<base::Time> at);
  /// Up to `children_max` of those that the parent's standing, which is final, concerns. They are
  /// given out once.
  std::vector<base::JobId> take_children(base::JobId parent, std::size_t children_max);
  /// What was taken came to nothing: given out again from `at` on.
  void give_back(base::JobId child, base::JobId parent, std::uint64_t last_ask, base::Time at);
  /// Children that were not given out.
  bool has_waiting(base::JobId parent) const;

 private:
  struct Parent {
    std::map<base::JobId, std::uint64_t> waiting;  ///< by the last ask before they came
    std::set<base::JobId> taken;
    std::optional<protocol::JobStanding> heard;
    std::uint64_t heard_ask{0};
    std::optional<base::Time> due;
  };

  std::map<base::JobId, Parent> parents_;
  std::map<base::JobId, std::set<base::JobId>> by_child_;
  std::set<std::pair<base::Time, base::JobId>> by_due_;
};

}  // namespace fastgpu::ledger
