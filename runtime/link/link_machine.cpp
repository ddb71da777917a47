#include "runtime/link/link_machine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/base/check.hpp"

namespace fastgpu::link {

LinkMachine::LinkMachine(LinkOptions options) : options_(std::move(options)) {
  FASTGPU_CHECK(options_.credit_bytes >= 2 * options_.frame_bytes_max,
                "the credit window must hold two frames, or a large one could wait for ever");
  FASTGPU_CHECK(options_.redial_min > base::Duration{0}, "dialling needs a pause between tries");
}

LinkMachineEffects LinkMachine::step(const LinkMachineEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  if (!stopped_) {
    std::visit([this](const auto& what) { on(what); }, event);
  } else if (std::holds_alternative<SendAsked>(event)) {
    effects_.push_back(SendAnswered{SendResult::unreachable});
  }
  return std::exchange(effects_, {});
}

std::size_t LinkMachine::held_bytes(Endpoint endpoint) const {
  const auto found = held_.find(endpoint);
  return found == held_.end() ? 0 : found->second;
}

std::size_t LinkMachine::queued_bytes(Endpoint endpoint) const {
  std::size_t bytes = 0;
  for (const auto& [id, channel] : channels_) {
    bytes += channel.endpoint == endpoint ? channel.outgoing.queued_bytes() : 0;
  }
  return bytes;
}

// --- what the owner asks -------------------------------------------------------------------------

void LinkMachine::on(const DialAsked& asked) {
  FASTGPU_CHECK(!is_session(asked.endpoint), "a session dials us, not we it");
  FASTGPU_CHECK(is_peer(asked.endpoint) == bool(options_.identity.node),
                "nodes dial nodes; a client dials addresses");
  Target& target = targets_[asked.endpoint];
  if (target.address == asked.address && target.key == asked.key) {
    return;
  }
  target.address = asked.address;
  target.key = asked.key;
  target.backoff = options_.redial_min;
  if (Channel* channel = channel_of(target.channel)) {
    end(*channel, DownReason::closed);
  }
  dial(asked.endpoint, target);
}

void LinkMachine::on(const HangUpAsked& asked) {
  const auto target = targets_.find(asked.endpoint);
  const auto accepted = accepted_.find(asked.endpoint);
  ChannelId id;
  if (target != targets_.end()) {
    id = target->second.channel;
    targets_.erase(target);
  } else if (is_session(asked.endpoint) && accepted != accepted_.end()) {
    id = accepted->second;
    held_.erase(asked.endpoint);
    accepted_.erase(accepted);
  }
  if (Channel* channel = channel_of(id)) {
    if (channel->stage != ChannelStage::connecting) {
      say(id, Control{ControlType::bye, DownReason::closed});
    }
    drop(*channel);
  }
}

void LinkMachine::on(const SendAsked& asked) {
  Channel* channel = outgoing_channel(asked.endpoint);
  const std::size_t queue_bytes_max = is_peer(asked.endpoint)
                                          ? options_.peer_send_queue_bytes_max
                                          : options_.client_send_queue_bytes_max;
  SendResult result = SendResult::queued;
  if (asked.frame.size() > options_.frame_bytes_max) {
    ++counters_.sends_too_large;
    result = SendResult::too_large;
  } else if (channel == nullptr) {
    ++counters_.sends_unreachable;
    result = SendResult::unreachable;
  } else if (!channel->outgoing.offer(asked.frame, queue_bytes_max)) {
    ++counters_.sends_full;
    result = SendResult::full;
  }
  effects_.push_back(SendAnswered{result});
  if (result == SendResult::queued) {
    flush(*channel);
  }
}

void LinkMachine::on(const FrameConsumed& consumed) {
  const auto held = held_.find(consumed.endpoint);
  if (held == held_.end()) {
    return;
  }
  held->second -= std::min(held->second, consumed.bytes);
  if (Channel* channel = incoming_channel(consumed.endpoint)) {
    tell_credit(*channel);
  }
  if (held->second == 0) {
    held_.erase(held);
  }
}

void LinkMachine::on(const StopAsked&) {
  for (const auto& [id, channel] : channels_) {
    if (channel.stage != ChannelStage::connecting) {
      say(id, Control{ControlType::bye, DownReason::closed});
    }
    counters_.frames_abandoned += channel.outgoing.queued_frames();
    effects_.push_back(HangUp{id});
  }
  channels_.clear();
  targets_.clear();
  accepted_.clear();
  held_.clear();
  deadline_.reset();
  stopped_ = true;
}

// --- what the transport tells --------------------------------------------------------------------

void LinkMachine::on(const ChannelConnected& connected) {
  Channel* channel = channel_of(connected.channel);
  if (channel == nullptr || channel->stage != ChannelStage::connecting) {
    return;
  }
  channel->stage = ChannelStage::greeting;
  channel->heard_at = now_;
  keep_alive(*channel);
}

void LinkMachine::on(const ChannelBroken& broken) {
  if (Channel* channel = channel_of(broken.channel)) {
    end(*channel, broken.reason);
  }
}

void LinkMachine::on(const BadFrameArrived& arrived) {
  switch (arrived.fault) {
    case FrameFault::none:
      break;
    case FrameFault::too_large:
      ++counters_.dropped_too_large;
      break;
    case FrameFault::truncated:
      ++counters_.dropped_truncated;
      break;
    case FrameFault::magic:
      ++counters_.dropped_magic;
      break;
    case FrameFault::version:
      ++counters_.dropped_version;
      break;
    case FrameFault::length:
      ++counters_.dropped_length;
      break;
    case FrameFault::crc:
      ++counters_.dropped_crc;
      break;
    case FrameFault::kind:
      ++counters_.dropped_kind;
      break;
  }
  if (Channel* channel = channel_of(arrived.channel)) {
    count_bad(*channel);
  }
}

void LinkMachine::on(const FrameArrived& arrived) {
  Channel* channel = channel_of(arrived.channel);
  const Frame& frame = arrived.frame;
  const bool is_control =
      frame.header.kind == FrameKind::control || frame.header.kind == FrameKind::credit;
  if (channel == nullptr) {
    on_stranger(arrived);
  } else if (from_the_other_side(*channel, frame.header)) {
    if (is_control) {
      on_control(*channel, frame);
    } else {
      on_data(*channel, frame);
    }
  }
}

void LinkMachine::on(const TimePassed&) {
  // Where we come late ourselves (stopped, starved) nobody could be heard: that is not their
  // silence.
  const base::Duration late = deadline_ ? now_ - *deadline_ : base::Duration{0};
  const base::Duration excused = late * 4 >= options_.silent_after ? late : base::Duration{0};
  deadline_.reset();
  std::vector<ChannelId> silent;
  for (auto& [id, channel] : channels_) {
    channel.heard_at = std::min(now_, channel.heard_at + excused);
    if (now_ - channel.heard_at >= options_.silent_after) {
      silent.push_back(id);
      continue;
    }
    arm(channel.heard_at + options_.silent_after);
    if (channel.stage == ChannelStage::connecting) {
      continue;
    }
    if (now_ >= channel.next_alive_at) {
      keep_alive(channel);
    }
    arm(channel.next_alive_at);
  }
  for (const ChannelId id : silent) {
    end(channels_.at(id), DownReason::silent);
  }
  for (auto& [endpoint, target] : targets_) {
    if (target.channel) {
      continue;
    }
    if (now_ >= target.redial_at) {
      dial(endpoint, target);
    } else {
      arm(target.redial_at);
    }
  }
}

// --- ends ----------------------------------------------------------------------------------------

/// The channel is of no use any more: tells whom it concerns, and plans the next dial.
void LinkMachine::end(Channel& channel, DownReason reason, bool cut) {
  const Endpoint endpoint = channel.endpoint;
  const ChannelId id = channel.id;
  drop(channel, cut);
  if (!is_accepted(id)) {
    Target& target = targets_.at(endpoint);
    target.channel = {};
    target.redial_at = now_ + target.backoff;
    target.backoff = std::min(2 * target.backoff, options_.redial_max);
    arm(target.redial_at);
    if (target.told != Told::down) {
      target.told = Told::down;
      deliver(PeerDown{endpoint, reason});
    }
    return;
  }
  const auto accepted = accepted_.find(endpoint);
  if (accepted == accepted_.end() || accepted->second != id) {
    return;
  }
  accepted_.erase(accepted);
  if (is_session(endpoint)) {
    held_.erase(endpoint);
    deliver(SessionClosed{endpoint});
  }
}

void LinkMachine::drop(Channel& channel, bool cut) {
  const ChannelId id = channel.id;
  counters_.frames_abandoned += channel.outgoing.queued_frames();
  channels_.erase(id);
  effects_.push_back(HangUp{id, cut});
}

void LinkMachine::count_bad(Channel& channel) {
  if (++channel.bad_frames >= bad_frames_max) {
    ++counters_.channels_cut_off;
    end(channel, DownReason::reset);
  }
}

// --- details -------------------------------------------------------------------------------------

Channel* LinkMachine::channel_of(ChannelId id) {
  const auto found = channels_.find(id);
  return found == channels_.end() ? nullptr : &found->second;
}

Channel* LinkMachine::outgoing_channel(Endpoint endpoint) {
  Channel* channel = nullptr;
  if (const auto target = targets_.find(endpoint); target != targets_.end()) {
    channel = channel_of(target->second.channel);
  } else if (is_session(endpoint)) {
    channel = incoming_channel(endpoint);
  }
  return channel != nullptr && channel->stage == ChannelStage::open ? channel : nullptr;
}

Channel* LinkMachine::incoming_channel(Endpoint endpoint) {
  if (is_peer(endpoint) || is_session(endpoint)) {
    const auto accepted = accepted_.find(endpoint);
    return accepted == accepted_.end() ? nullptr : channel_of(accepted->second);
  }
  const auto target = targets_.find(endpoint);
  return target == targets_.end() ? nullptr : channel_of(target->second.channel);
}

void LinkMachine::say(ChannelId id, const Control& control, FrameKind kind) {
  transmit(id, encode(header_from(options_.identity, kind), encode_control(control)));
}

void LinkMachine::say_account(Channel& channel, ControlType type, FrameKind kind) {
  Control control;
  control.type = type;
  control.sent_bytes = channel.outgoing.sent_bytes();
  control.limit_bytes = channel.incoming.limit(options_.credit_bytes, held_bytes(channel.endpoint));
  channel.incoming.told(control.limit_bytes);
  say(channel.id, control, kind);
}

void LinkMachine::transmit(ChannelId id, base::Bytes frame) {
  ++counters_.frames_sent;
  counters_.bytes_sent += frame.size();
  effects_.push_back(Transmit{id, std::move(frame)});
}

void LinkMachine::deliver(LinkEvent event) {
  effects_.push_back(Deliver{std::move(event)});
}

void LinkMachine::arm(base::Time at) {
  deadline_ = deadline_ ? std::min(*deadline_, at) : at;
}

}  // namespace fastgpu::link
