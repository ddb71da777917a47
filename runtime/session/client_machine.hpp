#pragma once

/// A client's side of the conversation: keeps connections to nodes, repeats what was lost through
/// other nodes until it is answered, and moves objects in windows of chunks. Stepped by the client
/// actor. The mirror of GatewayMachine.
///
/// A call ends with exactly one CallDone, at its deadline at the latest. What changes something
/// carries one request id from its first try to its last, so it is done at most once. An answer to
/// any of the tries ends the call. Where a try was lost and no later one said for certain, the
/// Error is of kind `unknown`. At most limits::client_calls_in_flight_max calls are open; more are
/// refused as `overloaded`.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"
#include "runtime/session/client_effects.hpp"
#include "runtime/session/client_events.hpp"
#include "runtime/session/client_state.hpp"

namespace fastgpu::session {

struct ClientOptions {
  std::vector<std::string> servers;  ///< at least one
  std::string program{"fastgpu"};    ///< said in Hello
  std::uint64_t random_seed{};       ///< request ids come from it: never the same seed twice
  std::vector<std::string> keys{};   ///< of `servers`, one each; none where links have no keys
};

class ClientMachine {
 public:
  explicit ClientMachine(const ClientOptions& options);

  std::size_t calls_open() const { return calls_.size(); }
  /// The newest Welcome; none before the first connection.
  const std::optional<protocol::Welcome>& welcome() const { return welcome_; }
  std::optional<base::Time> next_deadline() const;

  ClientEffects step(const ClientEvent& event, base::Time now);

 private:
  void handle(const StartCall& event);
  void handle(const StartUpload& event);
  void handle(const StartDownload& event);
  void handle(const AbandonCall& event);
  void handle(const ServerUp& event);
  void handle(const ServerDown& event);
  void handle(const ReplyReceived& event);
  void handle(const ClientTick& event);

  // Servers (client_machine.cpp)
  ClientServer& server(ServerId id) { return servers_[id.value]; }
  void use(ServerId id);
  void greet(ServerId id);
  void learn(const protocol::NodeInfo& member);
  void greeted(ServerId id, const protocol::ClientReply& reply);
  void turned_away(ServerId id, const base::Error& error);
  void ready(ServerId id, const protocol::Welcome& welcome);
  void lose(ServerId id, const std::optional<base::Error>& error);
  /// The server to try after `id` has failed; `id` itself where there is no other.
  ServerId other_than(ServerId id) const;

  // Calls (client_calls.cpp)
  void open(base::CallId id, ClientCall call);
  void wake(base::CallId id);
  void attempt(base::CallId id);
  void send_chunks(base::CallId id);
  void send(base::CallId id, protocol::ClientRequest request);
  bool give_request_id(protocol::ClientRequest& request, ServerId id, bool looked_elsewhere);
  void answered(base::CallId id, base::CallId wire_call, const protocol::ClientReply& reply);
  void failed(base::CallId id, base::CallId wire_call, const base::Error& error);
  bool still_waiting(base::CallId id, base::CallId wire_call, const protocol::ClientReply& reply);
  void chunk_answered(base::CallId id, const protocol::ClientReply& reply);
  void retry(base::CallId id, bool elsewhere, base::Duration after);
  void finish(base::CallId id, protocol::ClientReply reply);
  void drop(base::CallId id);
  void forget_tries(base::CallId id);
  protocol::ClientReply at_deadline(const ClientCall& call) const;
  void arm(base::CallId id, base::Time at);

  ClientOptions options_;
  base::Random random_;
  std::vector<ClientServer> servers_;
  ServerId preferred_{};
  std::optional<protocol::Welcome> welcome_;
  std::map<base::CallId, ClientCall> calls_;
  std::map<base::CallId, base::CallId> wire_calls_;  ///< all tries of open calls, to their call
  std::map<base::CallId, base::Time> armed_;
  std::set<std::pair<base::Time, base::CallId>> timers_;
  std::uint64_t last_wire_call_{0};
  base::Time now_{};
  ClientEffects effects_;
};

}  // namespace fastgpu::session
