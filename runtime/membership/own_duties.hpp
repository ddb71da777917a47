#pragma once

/// What the others rely on this node for, put together from what its replicas and its objects say.
///
/// Place: part of the monitor machine, which tells it with each heartbeat and shows it in the view.
/// Pure. Nothing is told before each part of the node has said how it stands: a node that has just
/// started would seem to have nothing to hand over. A repeat changes nothing.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::membership {

class OwnDuties {
 public:
  /// So many replicas will say how they stand.
  void expect(std::size_t replicas) { expected_ = replicas; }
  void take(const protocol::ReplicaStands& stands);
  void take(const protocol::CopiesStand& stands) { copies_ = stands; }

  /// None before all have said. What the objects said by an older list of members does not count as
  /// counted.
  std::optional<protocol::NodeDuties> told(std::uint64_t members_version) const;

 private:
  std::optional<std::size_t> expected_;
  std::map<base::ShardId, bool> votes_;
  std::uint32_t voting_{0};  ///< of `votes_`
  std::optional<protocol::CopiesStand> copies_;
};

}  // namespace fastgpu::membership
