#pragma once

/// Conversions of nodes and devices as they are told to others; see wire.hpp for the pattern.

#include "runtime/codec/common_parts.hpp"
#include "runtime/protocol/cluster.hpp"
#include "schema/cluster.capnp.h"

namespace fastgpu::schema {

void write(NodeInfo::Builder to, const protocol::NodeInfo& from);
protocol::NodeInfo read(NodeInfo::Reader from, codec::Reading& reading);

void write(ShardPlan::Builder to, const protocol::ShardPlan& from);
protocol::ShardPlan read(ShardPlan::Reader from, codec::Reading& reading);

void write(ClientKey::Builder to, const protocol::ClientKey& from);
protocol::ClientKey read(ClientKey::Reader from, codec::Reading& reading);

void write(JoinToken::Builder to, const protocol::JoinToken& from);
protocol::JoinToken read(JoinToken::Reader from, codec::Reading& reading);

void write(LedShard::Builder to, const protocol::LedShard& from);
protocol::LedShard read(LedShard::Reader from, codec::Reading& reading);

void write(DeviceBooks::Builder to, const protocol::DeviceBooks& from);
/// Refuses books with more free than there is.
protocol::DeviceBooks read(DeviceBooks::Reader from, codec::Reading& reading);

void write(NodeDuties::Builder to, const protocol::NodeDuties& from);
protocol::NodeDuties read(NodeDuties::Reader from, codec::Reading& reading);
void write(NodeView::Builder to, const protocol::NodeView& from);
protocol::NodeView read(NodeView::Reader from, codec::Reading& reading);

}  // namespace fastgpu::schema
