#pragma once

/// What a replica's machine says, in the words that travel, and back. Pure functions.
///
/// Place: between RaftLog and the link. What comes from the wire may be of anybody: whether it
/// makes sense to a replica is for raft/message_check; nothing here depends on it.

#include "runtime/base/ids.hpp"
#include "runtime/protocol/raft_messages.hpp"
#include "runtime/raft/raft_messages.hpp"

namespace fastgpu::actors {

protocol::RaftMessage to_wire(base::ShardId shard, const raft::Message& message);
/// `from` is who the frame says that sent it, `to` is this node.
raft::Message from_wire(const protocol::RaftMessage& message, base::NodeId from, base::NodeId to);

}  // namespace fastgpu::actors
