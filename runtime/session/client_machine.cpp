#include "runtime/session/client_machine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::session {
namespace {

namespace limits = base::limits;

constexpr bool is_busy(ServerPhase phase) {
  return phase == ServerPhase::dialling || phase == ServerPhase::greeting;
}

/// Whoever does not know our key has been reached: that is more than that others cannot be.
bool says_more(const std::optional<base::Error>& now, const std::optional<base::Error>& before) {
  return now && !(now->code == base::ErrorCode::no_node_reachable && before &&
                  before->code == base::ErrorCode::denied);
}

}  // namespace

ClientMachine::ClientMachine(const ClientOptions& options)
    : options_(options), random_(options.random_seed) {
  FASTGPU_CHECK(!options.servers.empty(), "a client needs a server to begin with");
  FASTGPU_CHECK(options.keys.empty() || options.keys.size() == options.servers.size(),
                "each server has its key, or none has");
  for (std::size_t i = 0; i < options.servers.size(); ++i) {
    servers_.emplace_back(options.servers[i], options.keys.empty() ? "" : options.keys[i]);
  }
}

std::optional<base::Time> ClientMachine::next_deadline() const {
  std::optional<base::Time> next;
  if (!timers_.empty()) {
    next = timers_.begin()->first;
  }
  for (const ClientServer& each : servers_) {
    if (is_busy(each.phase) && (!next || each.give_up_at < *next)) {
      next = each.give_up_at;
    }
  }
  return next;
}

ClientEffects ClientMachine::step(const ClientEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& what) { handle(what); }, event);
  return std::exchange(effects_, {});
}

void ClientMachine::handle(const ServerUp& event) {
  if (event.server.value < servers_.size() && server(event.server).phase == ServerPhase::dialling) {
    greet(event.server);
  }
}

void ClientMachine::handle(const ServerDown& event) {
  if (event.server.value < servers_.size() && server(event.server).phase != ServerPhase::idle) {
    if (event.denied) {
      // A node that has just come up may not know all clients yet: that may pass.
      return lose(event.server,
                  base::Error{base::ErrorKind::unavailable, base::ErrorCode::denied,
                              "the node at " + server(event.server).address +
                                  " does not know the key of these credentials",
                              "are they of this cluster, and not withdrawn? --credentials FILE "
                              "or FASTGPU_CREDENTIALS gives others"});
    }
    lose(event.server,
         base::Error{base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
                     "no node answers at " + server(event.server).address,
                     "is fastgpu-node running there? Give other nodes with --server"});
  }
}

void ClientMachine::handle(const ReplyReceived& event) {
  if (event.server.value < servers_.size() && server(event.server).phase == ServerPhase::greeting &&
      server(event.server).hello == event.wire_call) {
    return greeted(event.server, event.reply);
  }
  const auto found = wire_calls_.find(event.wire_call);
  if (found != wire_calls_.end()) {
    answered(found->second, event.wire_call, event.reply);
  }
}

void ClientMachine::handle(const ClientTick&) {
  for (std::uint32_t i = 0; i < servers_.size(); ++i) {
    if (is_busy(servers_[i].phase) && servers_[i].give_up_at <= now_) {
      lose({i}, base::Error{base::ErrorKind::unavailable, base::ErrorCode::no_node_reachable,
                            "the node at " + servers_[i].address + " does not answer",
                            "is it overloaded or stopped? Give other nodes with --server"});
    }
  }
  while (!timers_.empty() && timers_.begin()->first <= now_) {
    wake(timers_.begin()->second);
  }
}

/// Begins to connect, where that has not begun.
void ClientMachine::use(ServerId id) {
  ClientServer& it = server(id);
  if (it.phase != ServerPhase::idle) {
    return;
  }
  it.phase = ServerPhase::dialling;
  it.give_up_at = now_ + limits::rpc_timeout;
  effects_.push_back(Dial{id, it.address, it.key});
}

void ClientMachine::greet(ServerId id) {
  ClientServer& it = server(id);
  it.phase = ServerPhase::greeting;
  it.give_up_at = now_ + limits::rpc_timeout;
  it.hello = {++last_wire_call_};
  effects_.push_back(
      SendRequest{id, it.hello, protocol::Hello{limits::protocol_version, options_.program}});
}

void ClientMachine::greeted(ServerId id, const protocol::ClientReply& reply) {
  if (const auto* welcome = std::get_if<protocol::Welcome>(&reply)) {
    if (welcome_ && welcome_->cluster != welcome->cluster) {
      return lose(id,
                  base::Error{base::ErrorKind::rejected, base::ErrorCode::wrong_cluster,
                              "the node at " + server(id).address +
                                  " belongs to another cluster than the first one that answered",
                              "give servers of one cluster only"});
    }
    return ready(id, *welcome);
  }
  const auto* error = std::get_if<base::Error>(&reply);
  if (error != nullptr && error->kind == base::ErrorKind::rejected && !welcome_) {
    turned_away(id, *error);
  }
  lose(id, error ? std::optional(*error) : std::nullopt);
}

/// The first node that answers will not have us: the next one will hardly think otherwise.
void ClientMachine::turned_away(ServerId id, const base::Error& error) {
  std::vector<base::CallId> refused;
  for (const auto& [call_id, call] : calls_) {
    if (call.server == id) {
      refused.push_back(call_id);
    }
  }
  for (const base::CallId call : refused) {
    finish(call, error);
  }
}

/// A member says who else is one, and by which key; it is believed, as it has proved its own.
void ClientMachine::learn(const protocol::NodeInfo& member) {
  const auto known = std::find_if(servers_.begin(), servers_.end(), [&](const ClientServer& other) {
    return other.address == member.address;
  });
  if (known != servers_.end()) {
    known->key = member.key.empty() ? known->key : member.key;
  } else if (!member.address.empty() && member.state != protocol::MemberState::removed &&
             servers_.size() < limits::client_servers_max) {
    servers_.emplace_back(member.address, member.key);
  }
}

void ClientMachine::ready(ServerId id, const protocol::Welcome& welcome) {
  welcome_ = welcome;
  ClientServer& it = server(id);
  it.phase = ServerPhase::ready;
  it.backoff = limits::client_backoff_min;
  it.leads = welcome.leads;
  if (server(preferred_).phase != ServerPhase::ready) {
    preferred_ = id;
  }
  for (const protocol::NodeInfo& member : welcome.members) {
    learn(member);
  }
  std::vector<base::CallId> parked;
  for (const auto& [call_id, call] : calls_) {
    if (call.phase == CallPhase::parked && call.server == id) {
      parked.push_back(call_id);
    }
  }
  for (const base::CallId call : parked) {
    attempt(call);
  }
}

/// The server cannot be used for a while: its calls go on elsewhere.
void ClientMachine::lose(ServerId id, const std::optional<base::Error>& error) {
  ClientServer& it = server(id);
  it.phase = ServerPhase::idle;
  it.not_before = now_ + it.backoff;
  it.backoff = std::min<base::Duration>(it.backoff * 2, limits::client_backoff_max);
  effects_.push_back(HangUp{id});
  if (preferred_ == id) {
    preferred_ = other_than(id);
  }
  std::vector<base::CallId> orphans;
  for (auto& [call_id, call] : calls_) {
    if (call.server == id && call.phase != CallPhase::waiting) {
      call.last_error = says_more(error, call.last_error) ? error : call.last_error;
      orphans.push_back(call_id);
    }
  }
  for (const base::CallId orphan : orphans) {
    retry(orphan, true, base::Duration::zero());
  }
}

ServerId ClientMachine::other_than(ServerId id) const {
  const auto count = static_cast<std::uint32_t>(servers_.size());
  const auto rank = [&](const ClientServer& it) {
    if (it.phase == ServerPhase::ready) {
      return 0;
    }
    return is_busy(it.phase) ? 1 : it.not_before <= now_ ? 2 : 3;
  };
  ServerId best = id;
  for (std::uint32_t step = 1; step < count; ++step) {
    const ServerId other{(id.value + step) % count};
    const ClientServer& candidate = servers_[other.value];
    const ClientServer& leader = servers_[best.value];
    const bool better =
        rank(candidate) < rank(leader) ||
        (rank(candidate) == 3 && rank(leader) == 3 && candidate.not_before < leader.not_before);
    if (best == id || better) {
      best = other;
    }
  }
  return best;
}

}  // namespace fastgpu::session
