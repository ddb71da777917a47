#pragma once

/// What the client machine wants done, in this order.

#include <string>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/session/client_events.hpp"

namespace fastgpu::session {

/// Connect. Answered by ServerUp or ServerDown.
struct Dial {
  ServerId server;
  std::string address;
  std::string key{};  ///< of whom must answer there
  bool operator==(const Dial&) const = default;
};
/// Close the connection, or stop trying. No event follows.
struct HangUp {
  ServerId server;
  bool operator==(const HangUp&) const = default;
};
/// To a server that is up. May be lost. `wire_call` is new for each try.
struct SendRequest {
  ServerId server;
  base::CallId wire_call;
  protocol::ClientRequest request;
  bool operator==(const SendRequest&) const = default;
};
/// The end of a call. The reply is of the type that its request promises, or an Error; an Error of
/// kind `unknown` says that a Submit, CancelJob or Join may have been done.
struct CallDone {
  base::CallId call;
  protocol::ClientReply reply;
  bool operator==(const CallDone&) const = default;
};

using ClientEffect = std::variant<Dial, HangUp, SendRequest, CallDone>;
using ClientEffects = std::vector<ClientEffect>;

}  // namespace fastgpu::session
