#pragma once

/// Keys on ZeroMQ's sockets (its CURVE mechanism): what makes a listening socket refuse whom it
/// does not know, what a dialling one proves, and the probe that shows that the first holds.
/// Used by the transport, on its thread.

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/link/link_keys.hpp"
#include "runtime/link/zap_handler.hpp"

namespace fastgpu::link {

/// What encryption adds to a message on the wire, at most.
inline constexpr std::size_t curve_message_bytes_extra = 64;

/// Before binding: only callers that the context's ZapHandler knows come in. Encryption alone, or a
/// domain alone, would let in anybody: ZeroMQ asks no handler unless all of this is set.
void require_known_keys(void* socket, const LinkKeys& keys);

/// Before connecting: speaks as `keys`, with nobody but the owner of `server_key`. False for a key
/// that is none.
bool speak_as(void* socket, const LinkKeys& keys, const std::string& server_key);

/// Calls at `endpoint` ("tcp://127.0.0.1:7601") under a key that nobody knows, which must be
/// refused; waits for that, at most `stranger_probe_limit_ms`. Anything else is an Error: whoever
/// listens there must not go on.
inline constexpr int stranger_probe_limit_ms = 10'000;
base::Status probe_as_stranger(const std::string& endpoint, const LinkKeys& keys,
                               ZapHandler& handler);

}  // namespace fastgpu::link
