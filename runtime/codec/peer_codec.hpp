#pragma once

/// What nodes say to each other, as bytes and back. schema/peer.capnp is the form.
/// Place: between link (opaque frame bodies) and the actors (values). Pure, from any thread.
/// Decoding never trusts a byte: what is cut, out of range or larger than its limit is an Error
/// (kind invalid, code corrupt) and takes memory of at most a small multiple of the input.
/// Encoding cannot fail; whether the result fits a frame is checked by the link that sends it.

#include <cstdint>
#include <span>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::codec {

base::Bytes encode(const protocol::PeerMessage& message);
base::Result<protocol::PeerMessage> decode_peer(std::span<const std::uint8_t> data);

}  // namespace fastgpu::codec
