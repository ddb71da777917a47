#include "runtime/link/sim_network.hpp"

#include <algorithm>
#include <vector>

#include "runtime/base/check.hpp"
#include "runtime/link/sim_link.hpp"

namespace fastgpu::link {

SimNetwork::SimNetwork(base::Random random, SimNetworkOptions options)
    : random_(random), options_(options) {}

std::optional<base::Time> SimNetwork::next_event() const {
  if (happenings_.empty()) {
    return std::nullopt;
  }
  return happenings_.begin()->first.first;
}

void SimNetwork::set_now(base::Time now) {
  FASTGPU_CHECK(now >= now_, "time does not run back");
  now_ = now;
}

void SimNetwork::run_until(base::Time now) {
  FASTGPU_CHECK(!running_, "a sink must not run the network");
  running_ = true;
  while (!happenings_.empty() && happenings_.begin()->first.first <= now) {
    auto node = happenings_.extract(happenings_.begin());
    now_ = std::max(now_, node.key().first);
    Happening& happening = node.mapped();
    const SimHost host = host_of(life_of(happening));
    if (const auto paused = paused_.find(host); paused != paused_.end()) {
      paused->second.push_back(std::move(happening));
      continue;
    }
    std::visit([this](const auto& what) { happen(what); }, happening);
  }
  now_ = std::max(now_, now);
  running_ = false;
}

// --- faults --------------------------------------------------------------------------------------

void SimNetwork::cut_one_way(SimHost from, SimHost to) {
  cuts_.insert({from, to});
}

void SimNetwork::cut(SimHost a, SimHost b) {
  cut_one_way(a, b);
  cut_one_way(b, a);
}

void SimNetwork::heal(SimHost a, SimHost b) {
  cuts_.erase({a, b});
  cuts_.erase({b, a});
}

void SimNetwork::heal_all() {
  cuts_.clear();
  down_.clear();
}

void SimNetwork::set_down(SimHost host, bool down) {
  if (down) {
    down_.insert(host);
  } else {
    down_.erase(host);
  }
}

void SimNetwork::set_paused(SimHost host, bool paused) {
  if (paused) {
    paused_.try_emplace(host);
    return;
  }
  auto waiting = paused_.extract(host);
  if (waiting.empty()) {
    return;
  }
  for (Happening& happening : waiting.mapped()) {
    schedule(now_, std::move(happening));
  }
}

bool SimNetwork::passes(SimHost from, SimHost to) const {
  return !down_.contains(from) && !down_.contains(to) && !cuts_.contains({from, to});
}

// --- what links ask ------------------------------------------------------------------------------

SimLife SimNetwork::attach(SimLink& link) {
  const SimLife life{++last_life_};
  links_[life] = &link;
  hosts_[life] = link.host();
  return life;
}

/// The life is over. Whoever was connected with it learns of it, if the network lets him.
void SimNetwork::detach(SimLink& link) {
  const SimLife life = link.life_;
  links_.erase(life);
  for (auto& [address, listener] : listeners_) {
    if (listener.life == life) {
      listener.life = {};
    }
  }
  for (auto entry = connections_.begin(); entry != connections_.end();) {
    auto& [id, connection] = *entry;
    if (connection.dialler == life) {
      connection.dialler = {};
      tell_break(id, connection, true);
    } else if (connection.acceptor == life) {
      connection.acceptor = {};
      tell_break(id, connection, false);
    }
    const bool both_gone = !link_of(connection.dialler) && !link_of(connection.acceptor);
    entry = both_gone ? connections_.erase(entry) : std::next(entry);
  }
  hosts_.erase(life);
}

std::string SimNetwork::listen(SimLink& link, const std::string& host, std::uint16_t port) {
  std::string address = host + ":" + std::to_string(port);
  while (port == 0 && (address.ends_with(":0") || listeners_.contains(address))) {
    address = host + ":" + std::to_string(++last_port_);
  }
  Listener& listener = listeners_[address];
  if (link_of(listener.life) != nullptr) {
    return {};
  }
  listener = {link.life_, link.host()};
  return address;
}

SimNetwork::ConnectionId SimNetwork::dial(SimLink& link, ChannelId channel,
                                          const std::string& address, const std::string& key) {
  const ConnectionId id = ++last_connection_;
  Connection& connection = connections_[id];
  connection.dialler = link.life_;
  connection.dialler_host = link.host();
  connection.dialled = channel;
  connection.address = address;
  connection.caller_key = link.keys_ ? link.keys_->public_key : "";
  connection.wanted_key = key;
  if (const auto listener = listeners_.find(address); listener != listeners_.end()) {
    connection.acceptor_host = listener->second.host;
  }
  schedule(draw_arrival(connection.last_at_acceptor, true), CallArrives{id});
  return id;
}

void SimNetwork::transmit(ConnectionId id, bool to_acceptor, const base::Bytes& data) {
  Connection* connection = connection_of(id);
  if (connection == nullptr) {
    return;
  }
  if (!reaches(*connection, to_acceptor)) {
    ++counters_.cut;
    return;
  }
  if (random_.chance(options_.loss_ppm)) {
    ++counters_.lost;
    return;
  }
  const int copies = random_.chance(options_.duplicate_ppm) ? 2 : 1;
  counters_.duplicated += copies == 2 ? 1 : 0;
  base::Time& last = to_acceptor ? connection->last_at_acceptor : connection->last_at_dialler;
  for (int copy = 0; copy < copies; ++copy) {
    const bool reordered = random_.chance(options_.reorder_ppm);
    const bool corrupted = !data.empty() && random_.chance(options_.corrupt_ppm);
    counters_.reordered += reordered ? 1 : 0;
    counters_.corrupted += corrupted ? 1 : 0;
    const base::Time at = draw_arrival(last, copy == 0 && !reordered);
    schedule(at, FrameArrives{id, to_acceptor, corrupted ? turn_a_bit(data) : data});
  }
}

/// A dialler that hangs up closes the connection; an acceptor only forgets its side, unless it
/// means to cut off the caller.
void SimNetwork::hang_up(ConnectionId id, bool by_acceptor, bool cut) {
  Connection* connection = connection_of(id);
  if (connection == nullptr) {
    return;
  }
  if (!by_acceptor) {
    connection->dialler = {};
    tell_break(id, *connection, true);
  } else if (cut) {
    connection->acceptor = {};
    tell_break(id, *connection, false);
  }
  if (!connection->dialler && link_of(connection->acceptor) == nullptr) {
    connections_.erase(id);
  }
}

std::string SimNetwork::caller_key(ConnectionId id) {
  const Connection* connection = connection_of(id);
  return connection == nullptr ? "" : connection->caller_key;
}

/// What CURVE and its handler decide: both sides have keys or neither, the listener is who is
/// wanted, the caller is known.
bool SimNetwork::shake_hands(Connection& connection, SimLink& acceptor) {
  if (!acceptor.keys_ || connection.caller_key.empty()) {
    return !acceptor.keys_ && connection.caller_key.empty();
  }
  const SimLink* dialler = link_of(connection.dialler);
  if (dialler != nullptr && dialler->keys_->who &&
      !dialler->keys_->caller_of(connection.wanted_key)) {
    connection.denied = true;
    return false;
  }
  if (connection.wanted_key != acceptor.keys_->public_key) {
    return false;
  }
  connection.denied = !acceptor.lets_in(connection.caller_key, connection.address);
  return !connection.denied;
}

void SimNetwork::wake(SimLink& link, base::Time at) {
  schedule(std::max(at, now_), WakeUp{link.life_});
}

// --- what happens --------------------------------------------------------------------------------

SimLife SimNetwork::life_of(const Happening& happening) const {
  if (const auto* wake = std::get_if<WakeUp>(&happening)) {
    return wake->life;
  }
  const auto at_end = [this](ConnectionId id, bool at_acceptor) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) {
      return SimLife{};
    }
    return at_acceptor ? found->second.acceptor : found->second.dialler;
  };
  if (const auto* frame = std::get_if<FrameArrives>(&happening)) {
    return at_end(frame->connection, frame->at_acceptor);
  }
  if (const auto* broken = std::get_if<BreakArrives>(&happening)) {
    return at_end(broken->connection, broken->at_acceptor);
  }
  if (const auto* answer = std::get_if<AnswerArrives>(&happening)) {
    return at_end(answer->connection, false);
  }
  const auto call = connections_.find(std::get<CallArrives>(happening).connection);
  if (call == connections_.end()) {
    return {};
  }
  const auto listener = listeners_.find(call->second.address);
  return listener == listeners_.end() ? SimLife{} : listener->second.life;
}

void SimNetwork::happen(const CallArrives& call) {
  Connection* connection = connection_of(call.connection);
  if (connection == nullptr) {
    return;
  }
  if (!reaches(*connection, true) || !reaches(*connection, false)) {
    ++counters_.cut;
    return;
  }
  const auto listener = listeners_.find(connection->address);
  SimLink* acceptor = listener == listeners_.end() ? nullptr : link_of(listener->second.life);
  const bool met = acceptor != nullptr && shake_hands(*connection, *acceptor);
  connection = connection_of(call.connection);  // a sink that was told may have ended it
  if (connection == nullptr) {
    return;
  }
  if (met) {
    connection->acceptor = listener->second.life;
    connection->acceptor_host = listener->second.host;
  }
  schedule(draw_arrival(connection->last_at_dialler, true), AnswerArrives{call.connection});
}

void SimNetwork::happen(const AnswerArrives& answer) {
  Connection* connection = connection_of(answer.connection);
  SimLink* link = connection == nullptr ? nullptr : link_of(connection->dialler);
  if (link == nullptr) {
    return;
  }
  if (connection->acceptor) {
    link->on_connected(connection->dialled);
    return;
  }
  const ChannelId channel = connection->dialled;
  const DownReason reason = connection->denied ? DownReason::denied : DownReason::refused;
  connections_.erase(answer.connection);
  link->on_broken(channel, reason);
}

void SimNetwork::happen(const FrameArrives& frame) {
  Connection* connection = connection_of(frame.connection);
  if (connection == nullptr) {
    return;
  }
  SimLink* link = link_of(frame.at_acceptor ? connection->acceptor : connection->dialler);
  if (link == nullptr) {
    return;
  }
  const ChannelId channel =
      frame.at_acceptor ? ChannelId{frame.connection | accepted_channel_bit} : connection->dialled;
  if (!reaches(*connection, frame.at_acceptor)) {
    ++counters_.cut;
    return;
  }
  ++counters_.delivered;
  link->on_data(channel, frame.data);
}

void SimNetwork::happen(const BreakArrives& broken) {
  Connection* connection = connection_of(broken.connection);
  if (connection == nullptr) {
    return;
  }
  SimLink* link = link_of(broken.at_acceptor ? connection->acceptor : connection->dialler);
  const ChannelId channel = broken.at_acceptor ? ChannelId{broken.connection | accepted_channel_bit}
                                               : connection->dialled;
  const bool heard = reaches(*connection, broken.at_acceptor);
  connections_.erase(broken.connection);
  if (link != nullptr && heard) {
    link->on_broken(channel, DownReason::reset);
  }
}

void SimNetwork::happen(const WakeUp& wake) {
  if (SimLink* link = link_of(wake.life)) {
    link->on_wake();
  }
}

// --- details -------------------------------------------------------------------------------------

void SimNetwork::schedule(base::Time at, Happening happening) {
  happenings_.emplace(std::pair{at, ++last_sequence_}, std::move(happening));
}

/// One end is gone: the other hears of it behind what was sent before, if anything reaches it.
void SimNetwork::tell_break(ConnectionId id, Connection& connection, bool at_acceptor) {
  base::Time& last = at_acceptor ? connection.last_at_acceptor : connection.last_at_dialler;
  schedule(draw_arrival(last, true), BreakArrives{id, at_acceptor});
}

base::Time SimNetwork::draw_arrival(base::Time& last, bool keeps_order) {
  const auto spread = static_cast<std::uint64_t>((options_.delay_max - options_.delay_min).count());
  base::Time at = now_ + options_.delay_min + base::Duration(random_.below(spread + 1));
  if (!keeps_order) {
    const auto further = static_cast<std::uint64_t>(options_.reorder_delay_max.count());
    return at + base::Duration(random_.below(further + 1));
  }
  last = std::max(last, at);
  return last;
}

base::Bytes SimNetwork::turn_a_bit(const base::Bytes& data) {
  std::vector<std::uint8_t> turned(data.span().begin(), data.span().end());
  const std::uint64_t bit = random_.below(turned.size() * 8);
  turned[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  return base::Bytes(std::move(turned));
}

SimNetwork::Connection* SimNetwork::connection_of(ConnectionId id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

SimLink* SimNetwork::link_of(SimLife life) const {
  const auto found = links_.find(life);
  return found == links_.end() ? nullptr : found->second;
}

SimHost SimNetwork::host_of(SimLife life) const {
  const auto found = hosts_.find(life);
  return found == hosts_.end() ? SimHost{} : found->second;
}

bool SimNetwork::reaches(const Connection& connection, bool acceptor) const {
  return acceptor ? passes(connection.dialler_host, connection.acceptor_host)
                  : passes(connection.acceptor_host, connection.dialler_host);
}

}  // namespace fastgpu::link
