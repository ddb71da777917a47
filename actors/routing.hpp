#pragma once

/// Which actor of a node a peer's message concerns, and which shard it speaks of. One table, so
/// that it is the same for messages that came over a wire and for a node's messages to itself.

#include <utility>
#include <vector>

#include "actors/node_context.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::actors {

/// The receivers among `directory`; none for a shard or device that this node does not have.
std::vector<caf::actor> receivers_of(const Directory& directory,
                                     const protocol::PeerMessage& message);

/// Shard and epoch that a message speaks of; zero where it speaks of none.
std::pair<base::ShardId, base::Epoch> shard_of(const protocol::PeerMessage& message);

}  // namespace fastgpu::actors
