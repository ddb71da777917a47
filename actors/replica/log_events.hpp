#pragma once

/// What a replica's machine does, in the words of base::ReplicatedLog. Pure.

#include <optional>
#include <string>

#include "runtime/base/replicated_log.hpp"
#include "runtime/raft/raft_effects.hpp"

namespace fastgpu::actors {

/// Tokens from here on are the log's own, of changes that it makes to itself; whoever proposes
/// takes smaller ones.
inline constexpr std::uint64_t own_tokens = std::uint64_t{1} << 63;

/// None for what a log tells nobody. An entry that is no command is given out as an empty one.
std::optional<base::LogEvent> event_of(const raft::Effect& effect);

/// What a call is told that was refused: surely not done.
base::Admission admission_of(raft::Refusal why);

/// "n2 said what no sound replica says: it is not the member's disk -> dropped"
std::string line_of(const raft::Alarm& alarm);

/// What whoever runs the node is told once a replica of it is out for good.
std::string outdated_line(base::ShardId shard, base::NodeId told_by);

}  // namespace fastgpu::actors
