#pragma once

/// What waits for a read of the log before it is answered from the ledger's state. What comes while
/// a read runs shares the next one, which begins after it came.

#include <map>
#include <vector>

#include "runtime/ledger/ledger_events.hpp"

namespace fastgpu::ledger {

struct Readers {
  std::vector<RenewEvent> renewals;
  std::map<base::NodeId, protocol::PinCheck> checks;  ///< the last one of each node
  std::vector<DependencyAskEvent> asks;
  std::vector<protocol::ShardRequest> requests;  ///< of clients

  bool empty() const {
    return renewals.empty() && checks.empty() && asks.empty() && requests.empty();
  }
};

}  // namespace fastgpu::ledger
