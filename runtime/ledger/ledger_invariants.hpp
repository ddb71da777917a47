#pragma once

/// What must hold of every ledger, checked by code that shares nothing with the code that applies:
/// used after each step by tests and simulation. Each broken promise is one sentence.

#include <string>
#include <vector>

#include "runtime/ledger/ledger_state.hpp"
#include "runtime/ledger/shard_machine.hpp"

namespace fastgpu::ledger {

/// Of a state by itself: segments cover each job's tasks exactly, counts agree, terminal records
/// are whole, finished jobs are listed once, members and attempts are in order, nothing of a job
/// that waits for others was placed.
std::vector<std::string> check(const LedgerState& state);

/// Of a replica: its ledger as above and, while it leads, that every live task has exactly one
/// duty, or none while its job waits for others that are looked for, and that attempts hold exactly
/// the tasks whose duty they are.
std::vector<std::string> check(const ShardMachine& machine);

/// Of a state and a later one of the same replica, or of two replicas: terminal records never
/// change, floors and attempts only grow, usage is never taken back, no live job is forgotten, no
/// member changes.
std::vector<std::string> check_step(const LedgerState& before, const LedgerState& after);

}  // namespace fastgpu::ledger
