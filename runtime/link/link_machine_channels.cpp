/// The conversation on a LinkMachine's channels: dialling and being dialled, who may say what, and
/// credit.

#include <algorithm>
#include <utility>

#include "runtime/link/link_machine.hpp"

namespace fastgpu::link {
namespace {

/// What may be said in which direction; anything else is dropped.
bool permitted(const Channel& channel, FrameKind kind) {
  if (is_session(channel.endpoint)) {
    return kind == FrameKind::client_request;
  }
  if (is_peer(channel.endpoint)) {
    return kind == FrameKind::peer && is_accepted(channel.id);
  }
  return kind == FrameKind::client_reply;
}

}  // namespace

// --- dialling ------------------------------------------------------------------------------------

void LinkMachine::dial(Endpoint endpoint, Target& target) {
  Channel channel;
  channel.id = {++last_channel_};
  channel.endpoint = endpoint;
  channel.heard_at = now_;
  target.channel = channel.id;
  channels_.emplace(channel.id, channel);
  arm(now_ + options_.silent_after);
  effects_.push_back(Dial{channel.id, target.address, target.key});
}

/// A sign of life from there: whoever waits to dial again need not wait longer.
void LinkMachine::dial_soon(Endpoint endpoint) {
  const auto found = targets_.find(endpoint);
  if (found != targets_.end() && !found->second.channel) {
    found->second.backoff = options_.redial_min;
    dial(endpoint, found->second);
  }
}

void LinkMachine::on_welcome(Channel& channel, const FrameHeader& header, const Control& control) {
  const Endpoint endpoint = channel.endpoint;
  if (!header.sender || (is_peer(endpoint) && header.sender != node_of(endpoint))) {
    ++counters_.dropped_other_sender;
    end(channel, DownReason::other_node);
    return;
  }
  base::Incarnation& newest = newest_[header.sender];
  if (header.incarnation < newest) {
    ++counters_.dropped_old_incarnation;
    end(channel, DownReason::refused);
    return;
  }
  newest = header.incarnation;
  ++counters_.control_received;
  channel.stage = ChannelStage::open;
  channel.other = {header.cluster, header.sender, header.incarnation};
  channel.heard_at = now_;
  channel.outgoing.raise_limit(control.limit_bytes);
  Target& target = targets_.at(endpoint);
  if (options_.keyed && is_peer(endpoint)) {
    channel.caller = std::make_shared<const base::Caller>(
        base::Caller{base::CallerKind::node, header.sender, "", target.key});
  }
  target.told = Told::up;
  target.backoff = options_.redial_min;
  deliver(PeerUp{endpoint, header.sender, header.incarnation, header.cluster});
}

// --- being dialled -------------------------------------------------------------------------------

/// A frame on a channel that we do not know: a new caller, or one we have hung up on.
void LinkMachine::on_stranger(const FrameArrived& arrived) {
  const Frame& frame = arrived.frame;
  if (!is_accepted(arrived.channel)) {
    ++counters_.dropped_no_hello;
    return;
  }
  std::optional<Control> control;
  if (frame.header.kind == FrameKind::control) {
    control = decode_control(frame.body.span());
  }
  if (control && control->type == ControlType::hello) {
    on_hello(arrived, *control);
    return;
  }
  ++counters_.dropped_no_hello;
  // A caller who thinks that we are still connected dials again when told that we are not.
  if (our_cluster(frame.header) && !(control && control->type == ControlType::bye)) {
    say(arrived.channel, Control{ControlType::bye, DownReason::reset});
  }
}

void LinkMachine::on_hello(const FrameArrived& arrived, const Control& control) {
  const ChannelId id = arrived.channel;
  const FrameHeader& header = arrived.frame.header;
  if (const auto reason = why_not_welcome(header, arrived.caller)) {
    say(id, Control{ControlType::bye, *reason});
    effects_.push_back(HangUp{id});
    return;
  }
  ++counters_.control_received;
  Channel channel;
  channel.id = id;
  channel.stage = ChannelStage::open;
  channel.other = {header.cluster, header.sender, header.incarnation};
  channel.caller = arrived.caller;
  channel.heard_at = now_;
  channel.next_alive_at = next_signs_at();
  channel.outgoing.raise_limit(control.limit_bytes);
  if (header.sender) {
    channel.endpoint = peer_endpoint(header.sender);
    meet_newer_life(header.sender, header.incarnation);
    if (const auto old = accepted_.find(channel.endpoint); old != accepted_.end()) {
      end(channels_.at(old->second), DownReason::reset);
    }
  } else {
    channel.endpoint = session_endpoint({++last_session_});
  }
  accepted_[channel.endpoint] = id;
  Channel& kept = channels_.emplace(id, std::move(channel)).first->second;
  arm(kept.next_alive_at);
  say_account(kept, ControlType::welcome);
  if (is_session(kept.endpoint)) {
    deliver(SessionOpened{kept.endpoint, kept.caller});
  } else {
    dial_soon(kept.endpoint);
  }
}

std::optional<DownReason> LinkMachine::why_not_welcome(const FrameHeader& header,
                                                       const base::CallerPtr& caller) {
  if (const auto reason = why_not_known(header, caller)) {
    return reason;
  }
  if (!our_cluster(header)) {
    ++counters_.dropped_other_cluster;
    tell_refused(RefusedFor::other_cluster, caller, header.sender);
    return DownReason::other_cluster;
  }
  if (!header.sender) {
    if (session_count() >= options_.sessions_max) {
      ++counters_.dropped_sessions_full;
      return DownReason::refused;
    }
    return std::nullopt;
  }
  const auto newest = newest_.find(header.sender);
  if (newest != newest_.end() && header.incarnation < newest->second) {
    ++counters_.dropped_old_incarnation;
    return DownReason::refused;
  }
  return std::nullopt;
}

/// What we had with an earlier life of this node is over, even where the transport has not noticed.
void LinkMachine::meet_newer_life(base::NodeId node, base::Incarnation incarnation) {
  newest_[node] = incarnation;
  const auto target = targets_.find(peer_endpoint(node));
  if (target == targets_.end()) {
    return;
  }
  Channel* channel = channel_of(target->second.channel);
  if (channel != nullptr && channel->stage == ChannelStage::open &&
      channel->other.incarnation < incarnation) {
    end(*channel, DownReason::reset);
  }
}

// --- open channels -------------------------------------------------------------------------------

/// Whether the frame is of our cluster and of the node and life that opened the channel.
bool LinkMachine::from_the_other_side(Channel& channel, const FrameHeader& header) {
  const bool open = channel.stage == ChannelStage::open;
  const bool another_than_answered =
      open && !is_accepted(channel.id) && header.cluster != channel.other.cluster;
  if (!our_cluster(header) || another_than_answered) {
    ++counters_.dropped_other_cluster;
    tell_refused(RefusedFor::other_cluster, channel.caller, header.sender);
    if (channel.stage == ChannelStage::greeting) {
      end(channels_.at(channel.id), DownReason::other_cluster);
    }
    return false;
  }
  if (!open) {
    return true;
  }
  if (header.sender == channel.other.node && header.incarnation == channel.other.incarnation) {
    return true;
  }
  if (header.sender == channel.other.node && header.incarnation < channel.other.incarnation) {
    ++counters_.dropped_old_incarnation;
  } else if (channel.caller && header.sender != channel.other.node) {
    on_forged(channel, header);
  } else {
    ++counters_.dropped_other_sender;
  }
  return false;
}

void LinkMachine::on_control(Channel& channel, const Frame& frame) {
  const auto control = decode_control(frame.body.span());
  if (!control) {
    ++counters_.dropped_control;
    count_bad(channel);
    return;
  }
  if (control->type == ControlType::bye) {
    ++counters_.control_received;
    end(channel, control->reason);
    return;
  }
  if (channel.stage != ChannelStage::open) {
    if (control->type == ControlType::welcome && channel.stage == ChannelStage::greeting) {
      on_welcome(channel, frame.header, *control);
    } else {
      ++counters_.dropped_no_hello;
    }
    return;
  }
  ++counters_.control_received;
  channel.heard_at = now_;
  channel.outgoing.raise_limit(control->limit_bytes);
  if (control->type == ControlType::hello && is_accepted(channel.id)) {
    say_account(channel, ControlType::welcome);  // the first welcome was lost
  } else if (control->type == ControlType::alive) {
    channel.incoming.correct(control->sent_bytes);
    tell_credit(channel);
  }
  flush(channel);
}

void LinkMachine::on_data(Channel& channel, const Frame& frame) {
  if (channel.stage != ChannelStage::open) {
    ++counters_.dropped_no_hello;
    return;
  }
  const std::size_t bytes = frame_header_bytes + frame.body.size();
  channel.heard_at = now_;
  channel.incoming.arrived(bytes);
  if (!permitted(channel, frame.header.kind)) {
    ++counters_.dropped_kind;
    count_bad(channel);
    return;
  }
  if (held_bytes(channel.endpoint) + bytes > options_.credit_bytes) {
    ++counters_.dropped_over_credit;
    return;
  }
  held_[channel.endpoint] += bytes;
  ++counters_.frames_delivered;
  counters_.bytes_delivered += bytes;
  deliver(FrameReceived{channel.endpoint, frame.header, frame.body, channel.caller});
}

void LinkMachine::flush(Channel& channel) {
  while (auto frame = channel.outgoing.release()) {
    transmit(channel.id, std::move(*frame));
  }
}

void LinkMachine::tell_credit(Channel& channel) {
  if (channel.stage == ChannelStage::open &&
      channel.incoming.worth_telling(options_.credit_bytes, held_bytes(channel.endpoint))) {
    say_account(channel, ControlType::alive, FrameKind::credit);
  }
}

void LinkMachine::keep_alive(Channel& channel) {
  const bool open = channel.stage == ChannelStage::open;
  say_account(channel, open ? ControlType::alive : ControlType::hello);
  channel.next_alive_at = next_signs_at();
  arm(channel.next_alive_at);
}

// All channels have their moments in common, so that one wake serves all.
base::Time LinkMachine::next_signs_at() const {
  const base::Time latest = now_ + options_.alive_interval;
  return latest - latest.time_since_epoch() % options_.alive_interval;
}

std::size_t LinkMachine::session_count() const {
  const auto first = accepted_.lower_bound(session_endpoint({0}));
  return static_cast<std::size_t>(std::distance(first, accepted_.end()));
}

bool LinkMachine::our_cluster(const FrameHeader& header) const {
  const base::ClusterId any{};
  return header.cluster == options_.identity.cluster || (!header.sender && header.cluster == any) ||
         (!options_.identity.node && options_.identity.cluster == any);
}

}  // namespace fastgpu::link
