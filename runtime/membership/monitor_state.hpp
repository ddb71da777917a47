#pragma once

/// What a monitor machine remembers of the other nodes: plain data.

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/cluster.hpp"

namespace fastgpu::membership {

struct Peer {
  protocol::NodeInfo info;
  base::Incarnation incarnation;  ///< newest life heard of; none before the first
  protocol::NodeState state{protocol::NodeState::down};
  base::Time heard_at;  ///< or when it became known, before the first
  std::vector<protocol::LedShard> leads;
  std::vector<protocol::DeviceBooks> devices;
  std::optional<protocol::NodeDuties> duties;
  std::string dialled_address;  ///< empty: not dialled yet
  std::optional<base::Time> asked_members_at;
};

}  // namespace fastgpu::membership
