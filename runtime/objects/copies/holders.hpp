#pragma once

/// Where the copies of an object belong, and whom to ask for it: pure functions of its order
/// (base/object_order.hpp) and of who is there.

#include <cstdint>
#include <vector>

#include "runtime/base/ids.hpp"

namespace fastgpu::objects {

/// A member of the cluster, as one that may hold copies.
struct CopyMember {
  base::NodeId node;
  bool active{true};  ///< it is to stay: neither draining nor removed
  bool up{true};      ///< it answers
  bool down{false};   ///< it has not for long; with neither, it may come back any moment
  bool operator==(const CopyMember&) const = default;
};

/// How many copies of each object there should be where shards have so many replicas: as many
/// nodes may be lost as a shard survives.
constexpr std::uint32_t copies_for(std::uint32_t replicas) {
  return (replicas + 1) / 2;
}

/// Whom to ask for an object, in order: `first` and the home where they are up, all others that
/// are, and last, since it surely had it, a home that is not. Never `self`.
std::vector<base::NodeId> sources_of(const base::ObjectHash& hash, base::NodeId home,
                                     base::NodeId first, base::NodeId self,
                                     const std::vector<CopyMember>& members);
/// The same for one who does not wait for nodes that are down: last come those that are silent.
std::vector<base::NodeId> sources_not_down(const base::ObjectHash& hash, base::NodeId home,
                                           base::NodeId self,
                                           const std::vector<CopyMember>& members);

}  // namespace fastgpu::objects
