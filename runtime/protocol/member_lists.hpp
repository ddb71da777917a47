#pragma once

/// Who has which list of members on its disk, as the monitor of one node knows it: tells its shards
/// whom a member can call and lets in, also after a restart. Never on a wire, never stored.

#include <cstdint>
#include <map>
#include <memory>

#include "runtime/base/ids.hpp"

namespace fastgpu::protocol {

/// Versions are those of Members: who keeps a list keeps all members that older ones name.
struct MemberLists {
  struct Versions {
    std::uint64_t since{};  ///< of a list that names the node, the first known here; 0: none does
    std::uint64_t kept{};   ///< of the list that the node has on its disk, as it said last
    bool operator==(const Versions&) const = default;
  };
  std::map<base::NodeId, Versions> nodes;
  bool operator==(const MemberLists&) const = default;

  /// `who` has the address and the key of `whom` on its disk.
  bool knows(base::NodeId who, base::NodeId whom) const {
    const auto one = nodes.find(who);
    const auto other = nodes.find(whom);
    return one != nodes.end() && other != nodes.end() && other->second.since != 0 &&
           one->second.kept >= other->second.since;
  }
};
using SharedMemberLists = std::shared_ptr<const MemberLists>;

}  // namespace fastgpu::protocol
