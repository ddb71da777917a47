#pragma once

/// Conversions of a client's requests and of the answers; see wire.hpp for the pattern. Peers
/// forward both, so peer_codec.cpp uses them too.

#include "runtime/codec/wire.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "schema/client.capnp.h"

namespace fastgpu::schema {

void write(ClientRequest::Builder to, const protocol::ClientRequest& from);
protocol::ClientRequest read(ClientRequest::Reader from, codec::Reading& reading);

void write(ClientReply::Builder to, const protocol::ClientReply& from);
protocol::ClientReply read(ClientReply::Reader from, codec::Reading& reading);

}  // namespace fastgpu::schema
