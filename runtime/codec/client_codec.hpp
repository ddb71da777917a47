#pragma once

/// What a client asks a node and the answers, as bytes and back. schema/client.capnp is the form.
/// Place: between link (opaque frame bodies) and the gateway, or the client's own actor. Pure, from
/// any thread.
/// Decoding never trusts a byte: what is cut, out of range or larger than its limit is an Error
/// (kind invalid, code corrupt; too_large for a request that is well formed but beyond a limit) and
/// takes memory of at most a small multiple of the input.
/// Encoding cannot fail; whether the result fits a frame is checked by the link that sends it.

#include <cstdint>
#include <optional>
#include <span>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::codec {

/// A request and the number under which its client waits for the answer.
struct ClientCall {
  base::CallId call;
  protocol::ClientRequest request;
  bool operator==(const ClientCall&) const = default;
};

/// The answer to the request of that number in the same session.
struct ClientAnswer {
  base::CallId call;
  protocol::ClientReply reply;
  bool operator==(const ClientAnswer&) const = default;
};

base::Bytes encode(base::CallId call, const protocol::ClientRequest& request);
base::Result<ClientCall> decode_client_call(std::span<const std::uint8_t> data);

base::Bytes encode(base::CallId call, const protocol::ClientReply& reply);
base::Result<ClientAnswer> decode_client_answer(std::span<const std::uint8_t> data);

/// The number of a call whose request could not be read, so that it can be answered all the same.
/// Nothing when not even that can be read.
std::optional<base::CallId> peek_call(std::span<const std::uint8_t> data);

}  // namespace fastgpu::codec
