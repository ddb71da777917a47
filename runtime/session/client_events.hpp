#pragma once

/// What the client machine is told.

#include <cstddef>
#include <cstdint>
#include <variant>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::session {

/// A server as the client machine names it: an index into its list, which only grows.
using ServerId = base::Id<struct ServerTag, std::uint32_t>;

/// Ask the cluster. The caller chooses `call`, new for each. A Submit or CancelJob whose request id
/// is zero is given one. Answered by exactly one CallDone, at `deadline` at the latest.
struct StartCall {
  base::CallId call;
  protocol::ClientRequest request;
  base::Time deadline;
  bool operator==(const StartCall&) const = default;
};
/// Bring these bytes to a node. CallDone holds a complete PutReply, with the object's home.
struct StartUpload {
  base::CallId call;
  base::ObjectHash hash;  ///< SHA-256 of `data`
  base::Bytes data;
  base::Time deadline;
  bool operator==(const StartUpload&) const = default;
};
/// Bring this object here. CallDone holds a Chunk with all of it, checked against its hash.
struct StartDownload {
  base::CallId call;
  protocol::ObjectRef object;
  base::Time deadline;
  bool operator==(const StartDownload&) const = default;
};
/// The caller waits no longer. No CallDone follows; a request under way is not undone.
struct AbandonCall {
  base::CallId call;
  bool operator==(const AbandonCall&) const = default;
};
/// What was dialled has answered.
struct ServerUp {
  ServerId server;
  bool operator==(const ServerUp&) const = default;
};
/// What was dialled cannot be reached, or is gone.
struct ServerDown {
  ServerId server;
  bool denied{false};  ///< it does not know our key
  bool operator==(const ServerDown&) const = default;
};
/// An answer to a SendRequest. Repeats and answers of calls that are done are ignored.
struct ReplyReceived {
  ServerId server;
  base::CallId wire_call;
  protocol::ClientReply reply;
  bool operator==(const ReplyReceived&) const = default;
};
/// `next_deadline()` has come.
struct ClientTick {
  bool operator==(const ClientTick&) const = default;
};

using ClientEvent = std::variant<StartCall, StartUpload, StartDownload, AbandonCall, ServerUp,
                                 ServerDown, ReplyReceived, ClientTick>;

}  // namespace fastgpu::session
