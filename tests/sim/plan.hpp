#pragma once

/// What one seed draws before its history begins: the cluster, the work, and which kinds of trouble
/// there will be. Whole classes are on or off, so that each is also seen alone.

#include <cstdint>
#include <string>

#include "tests/sim/trouble.hpp"

namespace fastgpu::testing {

struct Plan {
  std::uint32_t nodes{3};
  std::uint32_t replicas{1};
  std::uint32_t devices{1};
  bool commands{false};
  bool objects{false};
  bool dying_devices{false};
  bool short_logs{false};  ///< who was away is sent a snapshot
  bool drifting_clocks{false};
  bool bad_network{false};
  bool slow_network{false};
  bool corrupt_frames{false};
  PerFault<bool> faults{};
  base::Duration trouble{};         ///< how long it lasts
  base::Duration between_faults{};  ///< at most
  base::Duration between_calls{};   ///< of users, at most
  base::Duration lasting{};         ///< of one fault, at most

  static Plan draw(base::Random& random);
  /// Of commands alone, whose leases have time to end.
  void run_commands();
  std::string text() const;
  /// Of a world of this plan.
  SimOptions world(std::uint64_t seed) const;
};

}  // namespace fastgpu::testing
