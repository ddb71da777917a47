#pragma once

/// Conversions of what the replicas of a shard say to each other; see wire.hpp for the pattern.

#include "runtime/codec/wire.hpp"
#include "runtime/protocol/raft_messages.hpp"
#include "schema/raft.capnp.h"

namespace fastgpu::schema {

void write(RaftMessage::Builder to, const protocol::RaftMessage& from);
/// Refuses data or members in an entry that is of another kind, and a piece that lies outside of
/// its snapshot. What depends on the state of a replica is checked by raft/message_check.
protocol::RaftMessage read(RaftMessage::Reader from, codec::Reading& reading);

}  // namespace fastgpu::schema
