#pragma once

/// What a leader notes of clients, workers and nodes while it leads: plain data of ShardMachine.

#include <cstdint>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::ledger {

/// A request whose record is in flight, and who waits for it.
struct RequestInFlight {
  bool submit{false};
  std::vector<base::CallId> calls;
};
/// Given to a device.
struct Lease {
  base::Incarnation incarnation;
  base::Time until;            ///< as this leader counts it: 1 % longer than the worker
  std::int64_t asked_at_ns{};  ///< of the Renew that it answers, on the worker's own clock
};
/// The last one to a device.
struct RenewalAnswer {
  base::Incarnation incarnation;
  base::Time at;
  std::int64_t asked_at_ns{};  ///< on the worker's own clock
};
/// A device as the view shows it.
struct DeviceShown {
  protocol::DeviceKind kind{};
  std::uint32_t slots{};
};
/// A node that did not report to this leader yet.
struct Adoption {
  int tries{0};
  base::Time due;
};

}  // namespace fastgpu::ledger
