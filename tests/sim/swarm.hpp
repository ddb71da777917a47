#pragma once

/// One seed of trouble: a whole cluster and its users under everything that may befall nodes, disks
/// and links, then peace, in which everything accepted must come to its end and all replicas must
/// come to the same. Invariants are checked after every step by code that is none of the machines'.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/sim/plan.hpp"

namespace fastgpu::testing {

struct SwarmOptions {
  std::uint64_t seed{1};
  /// Changes what the seed has drawn, for tests that want something of the kind in every seed.
  std::function<void(Plan&)> bend;
  // Rules broken on purpose, to see that it is noticed.
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
  store::MemoryStoreFaults store_faults;
  raft::Fault raft_fault{raft::Fault::none};
  SimCommandOptions command;
  bool verbose{false};
};

/// What took place; sums over histories with +=.
struct SwarmCounts {
  std::uint64_t histories{};
  std::uint64_t virtual_ms{};
  std::uint64_t steps{};
  PerFault<std::uint64_t> faults{};
  std::uint64_t elections{};
  std::uint64_t snapshots{};  ///< that a replica went on from in the middle of a life
  std::uint64_t lost_writes{};
  std::uint64_t torn_syncs{};
  link::SimNetworkCounters frames;
  std::uint64_t accepted{};
  std::uint64_t lost{};
  std::uint64_t refused{};  ///< submits that were refused, or whose outcome is unknown
  std::uint64_t repeats{};  ///< submits that were sent again through another connection
  std::uint64_t looks{};
  std::uint64_t tasks_ended{};
  std::uint64_t attempts{};
  std::uint64_t followers{};  ///< jobs that waited for others and could begin
  std::uint64_t held_back{};  ///< and those that never could
  std::uint64_t executions{};
  std::uint64_t executed_again{};  ///< of commands, beyond the first of each task; none at once
  std::uint64_t leases_ended{};
  std::uint64_t uploads{};
  std::uint64_t objects_gone{};

  SwarmCounts& operator+=(const SwarmCounts& other);
};

struct SwarmResult {
  std::string drawn;
  std::vector<std::string> violations;
  std::uint64_t trace_hash{};
  SwarmCounts counts;
};

SwarmResult run_swarm(const SwarmOptions& options);

/// The seed, what it drew, what was broken, and the command that replays it.
std::string report(const SwarmOptions& options, const SwarmResult& result);
/// One line for each kind of thing: "  12 crashes".
std::string table(const SwarmCounts& counts);

}  // namespace fastgpu::testing
