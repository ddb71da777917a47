#pragma once

/// One seed of trouble: a cluster and its users under crashes, restarts, cuts, pauses and a bad
/// network, then peace, in which everything accepted must come to its end.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {

struct ChaosOptions {
  std::uint64_t seed{1};
  base::Duration trouble{std::chrono::seconds{5}};  ///< how long it lasts
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
  store::MemoryStoreFaults store_faults;
  raft::Fault raft_fault{raft::Fault::none};
  /// Of each shard; there are at least so many nodes. With several of them logs are kept short, so
  /// that who was away for a while is sent a snapshot.
  std::uint32_t replicas{1};
  bool objects{false};  ///< users upload inputs as well, and disks are looked at in the end
  objects::PinLimits pin_limits;
  bool verbose{false};
};

struct ChaosResult {
  std::string drawn;  ///< the options that the seed drew, for people
  std::vector<std::string> violations;
  std::uint64_t trace_hash{};
  std::uint64_t steps{};
  // What took place, so that a test can show that the trouble was real.
  std::uint64_t accepted{};
  std::uint64_t crashes{};
  std::uint64_t tasks_ended{};
  std::uint64_t attempts{};
  std::uint64_t frames_lost{};
  std::uint64_t uploads{};
  std::uint64_t objects_gone{};
  std::uint64_t followers{};  ///< jobs that waited for others and could begin
  std::uint64_t held_back{};  ///< and those that never could
  std::uint64_t jumps{};      ///< replicas that went on from a snapshot in the middle of a life
};

ChaosResult run_chaos(const ChaosOptions& options);

}  // namespace fastgpu::testing
