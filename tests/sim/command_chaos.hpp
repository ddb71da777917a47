#pragma once

/// One seed of trouble for commands: whole nodes with all their actors, and wardens that outlive
/// them. What was executed in truth is written down by the wardens alone, and judged here without
/// the ledger's or the workers' code: no two executions of a task at once, none beyond its lease,
/// a recorded success was one, and everything accepted comes to its end once the trouble is over.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {

struct CommandChaosOptions {
  std::uint64_t seed{1};
  base::Duration trouble{std::chrono::seconds{45}};  ///< how long it lasts; leases end within it
  ledger::LedgerFaults ledger_faults;
  SimCommandOptions command;
  bool verbose{false};
};

struct CommandChaosResult {
  std::string drawn;  ///< the options that the seed drew, for people
  std::vector<std::string> violations;
  std::uint64_t trace_hash{};
  // What took place, so that a test can show that the trouble was real.
  std::uint64_t accepted{};
  std::uint64_t crashes{};
  std::uint64_t executions{};
  std::uint64_t killed_at_lease_end{};
};

CommandChaosResult run_command_chaos(const CommandChaosOptions& options);

}  // namespace fastgpu::testing
