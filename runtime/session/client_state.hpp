#pragma once

/// What the client machine remembers of servers and open calls.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/session/client_events.hpp"
#include "runtime/session/transfer.hpp"

namespace fastgpu::session {

enum class ServerPhase : std::uint8_t {
  idle,      ///< not connected, not before `not_before`
  dialling,  ///< until `give_up_at`
  greeting,  ///< connected, Hello sent; until `give_up_at`
  ready,
};

struct ClientServer {
  explicit ClientServer(std::string where, std::string known_key = {})
      : address(std::move(where)), key(std::move(known_key)) {}

  std::string address;
  std::string key;  ///< of whom must answer there; empty where links have no keys
  ServerPhase phase{ServerPhase::idle};
  base::Time not_before{};
  base::Time give_up_at{};
  base::Duration backoff{base::limits::client_backoff_min};
  base::CallId hello;                ///< the wire call of the last Hello
  std::vector<base::ShardId> leads;  ///< as its last Welcome said
};

enum class CallPhase : std::uint8_t {
  parked,   ///< waits for its server to be ready
  waiting,  ///< tries again at `wake_at`
  sent,     ///< an answer is due by `wake_at`
};

struct ClientCall {
  using Work = std::variant<protocol::ClientRequest, Upload, Download>;
  ClientCall(Work what, base::Time until) : work(std::move(what)), deadline(until) {}

  Work work;
  base::Time deadline;
  base::Time wait_until{};  ///< WaitJob: how long the caller wants to wait
  CallPhase phase{CallPhase::parked};
  ServerId server;
  base::Time wake_at{};
  base::Duration backoff{base::limits::client_backoff_min};
  int tries{0};
  std::size_t looks{0};    ///< of a submit: how often its server led no shard
  base::CallId newest;     ///< the wire call of the last try
  bool maybe_done{false};  ///< a try that changes something was lost
  std::optional<base::Error> last_error;
  std::optional<protocol::ClientReply> last_reply;  ///< WaitJob: the job while it is live
};

}  // namespace fastgpu::session
