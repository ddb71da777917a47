#pragma once

/// Which attempt of which task counts, and on which node it runs or ran. What a follower of logs
/// knows of a job, from the ledger's list of attempts and from records of attempts that the list
/// did not have yet. A value; nothing here fails.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::session {

class LogAttempts {
 public:
  /// The ledger's list takes the place of the one before.
  void update(const std::vector<protocol::AttemptInfo>& attempts);
  /// A record of this attempt was read.
  void saw(std::uint32_t task, const base::AttemptId& attempt);

  bool is_superseded(std::uint32_t task, const base::AttemptId& attempt) const;
  /// Does the node have the newest attempt of a task (of this one, if one is named)? True as well
  /// for a node that the list does not name: it may be older than the list, or newer.
  bool counts(base::NodeId node, std::optional<std::uint32_t> task) const;
  /// "task 3", "tasks 4-7", "12 tasks": whose newest attempt is there; "this job" if none is known.
  std::string tasks_on(base::NodeId node) const;

 private:
  /// Tasks with the same newest attempt.
  struct Part {
    std::uint64_t first{};
    std::uint64_t end{};
    base::AttemptId attempt;
    base::NodeId node;
  };
  const Part* part_of(std::uint32_t task) const;

  std::vector<Part> parts_;                        ///< by task, not overlapping
  std::set<base::NodeId> nodes_;                   ///< of all attempts
  std::set<base::NodeId> newest_nodes_;            ///< of those in parts_
  std::map<std::uint32_t, base::AttemptId> seen_;  ///< newer than the list's, of tasks that printed
};

}  // namespace fastgpu::session
