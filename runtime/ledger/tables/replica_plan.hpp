#pragma once

/// Which nodes should keep the replicas of each shard: a pure function of who is there and of how
/// it was planned before, so that every replica of the root comes to the same plan.

#include <cstdint>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/cluster.hpp"

namespace fastgpu::ledger {

/// Replicas of a shard where there are nodes enough and nobody asked for another number: any one
/// may be lost.
inline constexpr std::uint32_t replicas_wanted = 3;

/// What was asked for; 0 = nothing.
constexpr std::uint32_t replicas_of(std::uint32_t asked) {
  return asked == 0 ? replicas_wanted : asked;
}

/// 1, 3 or 5 may be asked for: of an even number no more may be lost than of the one below.
base::Status check_replicas(std::uint32_t replicas);

/// `nodes` are those that may keep replicas, ascending; at least one. Of `before` (by shard, may be
/// shorter) all stays that may stay; what is missing goes to the nodes with the fewest replicas.
/// Then as few replicas and leaderships move as make the nodes differ by at most one each, as far
/// as single moves can. O(shards x nodes) for each that moves.
std::vector<protocol::ShardPlan> plan_replicas(std::vector<protocol::ShardPlan> before,
                                               const std::vector<base::NodeId>& nodes,
                                               std::uint32_t shard_count,
                                               std::uint32_t replicas = replicas_wanted);

}  // namespace fastgpu::ledger
