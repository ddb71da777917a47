#include "runtime/link/sim_link.hpp"

#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/link/address.hpp"

namespace fastgpu::link {

namespace {

LinkOptions with_keyed(LinkOptions options, bool keyed) {
  options.keyed = keyed;
  return options;
}

}  // namespace

SimLink::SimLink(SimNetwork& network, SimHost host, LinkOptions options,
                 std::optional<LinkKeys> keys)
    : network_(network),
      host_(host),
      machine_(with_keyed(std::move(options), keys.has_value())),
      keys_(std::move(keys)) {
  life_ = network_.attach(*this);
}

SimLink::~SimLink() {
  stop();
}

void SimLink::start(Sink sink) {
  sink_ = std::move(sink);
}

base::Result<std::string> SimLink::listen(const std::string& address) {
  const auto parsed =
      parse_listen_address(address, keys_ ? Reachable::from_anywhere : Reachable::from_here);
  if (!parsed) {
    return parsed.error();
  }
  const std::string taken = network_.listen(*this, parsed.value().host, parsed.value().port);
  if (taken.empty()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                       "somebody listens at " + address + " already", "choose another port"};
  }
  return taken;
}

void SimLink::connect(Endpoint endpoint, const std::string& address, const std::string& key) {
  step(DialAsked{endpoint, address, key});
}

void SimLink::disconnect(Endpoint endpoint) {
  step(HangUpAsked{endpoint});
}

SendResult SimLink::send(Endpoint endpoint, base::Bytes frame) {
  return step(SendAsked{endpoint, std::move(frame)});
}

void SimLink::consumed(Endpoint endpoint, std::size_t bytes) {
  step(FrameConsumed{endpoint, bytes});
}

void SimLink::keys_changed() {
  if (keys_) {
    for (const ChannelId channel : machine_.revoked(*keys_)) {
      step(KeyRevoked{channel});
    }
  }
}

void SimLink::stop() {
  if (life_) {
    step(StopAsked{});
  }
  crash();
}

void SimLink::crash() {
  if (life_) {
    network_.detach(*this);
    life_ = {};
  }
  sink_ = nullptr;
  untold_.clear();
}

// --- from the network ----------------------------------------------------------------------------

/// Whether the owner of this key may come in.
bool SimLink::lets_in(const std::string& caller_key, const std::string& address) {
  const bool known = keys_->caller_of(caller_key) != nullptr;
  if (!known) {
    happen(StrangerRefused{caller_key, address});
  }
  return known;
}

void SimLink::on_connected(ChannelId channel) {
  happen(ChannelConnected{channel});
}

void SimLink::on_broken(ChannelId channel, DownReason reason) {
  happen(ChannelBroken{channel, reason});
}

void SimLink::on_data(ChannelId channel, const base::Bytes& data) {
  Frame frame;
  const FrameFault fault = parse(data.span(), machine_.options().frame_bytes_max, frame);
  if (fault == FrameFault::none) {
    const bool asks_who = keys_ && is_accepted(channel) && frame.header.kind == FrameKind::control;
    base::CallerPtr caller =
        asks_who ? keys_->caller_of(network_.caller_key(connection_of(channel))) : nullptr;
    happen(FrameArrived{channel, std::move(frame), std::move(caller)});
  } else {
    happen(BadFrameArrived{channel, fault});
  }
}

void SimLink::on_wake() {
  if (wake_at_ && *wake_at_ <= network_.now()) {
    wake_at_.reset();
    happen(TimePassed{});
  } else {
    tell_sink();
  }
}

void SimLink::happen(const LinkMachineEvent& event) {
  in_happening_ = true;
  step(event);
  tell_sink();
  in_happening_ = false;
}

// --- effects -------------------------------------------------------------------------------------

SendResult SimLink::step(const LinkMachineEvent& event) {
  SendResult answer = SendResult::unreachable;
  if (!life_) {
    return answer;
  }
  for (const LinkMachineEffect& effect : machine_.step(event, network_.now())) {
    if (const auto* answered = std::get_if<SendAnswered>(&effect)) {
      answer = answered->result;
    } else if (const auto* dial = std::get_if<Dial>(&effect)) {
      perform(*dial);
    } else if (const auto* transmit = std::get_if<Transmit>(&effect)) {
      perform(*transmit);
    } else if (const auto* hang_up = std::get_if<HangUp>(&effect)) {
      perform(*hang_up);
    } else {
      perform(std::get<Deliver>(effect));
    }
  }
  if (const auto deadline = machine_.next_deadline()) {
    wake_at(*deadline);
  }
  return answer;
}

void SimLink::perform(const Dial& dial) {
  dialled_[dial.channel] = network_.dial(*this, dial.channel, dial.address, dial.key);
}

void SimLink::perform(const Transmit& transmit) {
  network_.transmit(connection_of(transmit.channel), !is_accepted(transmit.channel),
                    transmit.frame);
}

void SimLink::perform(const HangUp& hang_up) {
  network_.hang_up(connection_of(hang_up.channel), is_accepted(hang_up.channel), hang_up.cut);
  dialled_.erase(hang_up.channel);
}

/// The sink is never called from within a call of its owner: that is left to the network's next
/// run.
void SimLink::perform(const Deliver& deliver) {
  untold_.push_back(deliver.event);
  if (!in_happening_) {
    network_.wake(*this, network_.now());
  }
}

void SimLink::wake_at(base::Time at) {
  if (!wake_at_ || at < *wake_at_) {
    wake_at_ = at;
    network_.wake(*this, at);
  }
}

void SimLink::tell_sink() {
  while (!untold_.empty() && sink_) {
    LinkEvent event = std::move(untold_.front());
    untold_.pop_front();
    const Sink sink = sink_;  // a sink may end this life
    sink(std::move(event));
  }
}

std::uint64_t SimLink::connection_of(ChannelId channel) const {
  if (is_accepted(channel)) {
    return channel.value & ~accepted_channel_bit;
  }
  const auto found = dialled_.find(channel);
  return found == dialled_.end() ? 0 : found->second;
}

}  // namespace fastgpu::link
