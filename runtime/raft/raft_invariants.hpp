#pragma once

/// What must hold of every replica, checked by code that shares nothing with the code that decides:
/// used after each step by tests and simulation. Each broken promise is one sentence. What must
/// hold among the replicas of a group is checked by the simulator
/// (tests/sim/raft/group_checker.hpp).

#include <optional>
#include <string>
#include <vector>

#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

/// What may only grow.
struct RaftFacts {
  base::Term term;
  std::optional<base::NodeId> vote;
  base::LogIndex commit;
  base::LogIndex given;
  PersistTag durable;
  bool leads{false};
  LogPosition last;
};

RaftFacts facts_of(const RaftMachine& machine);

/// Of a replica by itself.
std::vector<std::string> check(const RaftMachine& machine);

/// Of a replica and what it was before: terms, commits and reports only grow, a vote stands for its
/// term, a leader's log is never cut.
std::vector<std::string> check_step(const RaftFacts& before, const RaftMachine& after);

/// Of a step's effects: the one Persist comes first; only a follower acknowledges.
std::vector<std::string> check_effects(const Effects& effects, const RaftMachine& after);

}  // namespace fastgpu::raft
