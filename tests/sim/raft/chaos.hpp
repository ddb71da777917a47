#pragma once

/// One seed of trouble for a group: crashes, torn and failed writes, bad links, cuts of every
/// shape, pauses, clocks that differ, members that come and go, snapshots, transfers; then peace,
/// in which the group must agree again.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/raft/raft_faults.hpp"

namespace fastgpu::raft::testing {

struct ChaosOptions {
  std::uint64_t seed{1};
  Fault fault{Fault::none};
  base::Duration trouble{std::chrono::milliseconds{2500}};
  bool verbose{false};
};

struct ChaosResult {
  std::string drawn;  ///< what the seed drew, for people
  std::vector<std::string> violations;
  std::uint64_t trace_hash{};
  std::uint64_t steps{};
  std::uint64_t done{};  ///< proposals acknowledged
  std::uint64_t reads{};
  std::uint64_t leaderships{};
  std::uint64_t crashes{};
  std::uint64_t installs{};
  std::uint64_t changes{};  ///< of members, acknowledged
  base::Duration virtual_time{};
};

ChaosResult run_chaos(const ChaosOptions& options);

}  // namespace fastgpu::raft::testing
