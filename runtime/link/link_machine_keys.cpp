/// What a LinkMachine decides by keys: whom it knows, who speaks under another's name, and whom it
/// does not know any more.

#include <utility>

#include "runtime/link/link_machine.hpp"

namespace fastgpu::link {
namespace {

bool same_caller(const base::CallerPtr& one, const base::CallerPtr& other) {
  return one && other && one->kind == other->kind && one->node == other->node &&
         one->name == other->name;
}

}  // namespace

/// A node speaks as the node that its key belongs to; everybody else speaks as no node.
std::optional<DownReason> LinkMachine::why_not_known(const FrameHeader& header,
                                                     const base::CallerPtr& caller) {
  if (!options_.keyed) {
    return std::nullopt;
  }
  if (!caller) {
    ++counters_.dropped_stranger;
    tell_refused(RefusedFor::stranger, "a key that is not known any more", header.sender);
    return DownReason::denied;
  }
  const bool is_node = caller->kind == base::CallerKind::node;
  if (header.sender != (is_node ? caller->node : base::NodeId{})) {
    ++counters_.dropped_forged;
    tell_refused(RefusedFor::forged, caller, header.sender);
    return DownReason::denied;
  }
  return std::nullopt;
}

void LinkMachine::on_forged(Channel& channel, const FrameHeader& header) {
  ++counters_.dropped_forged;
  tell_refused(RefusedFor::forged, channel.caller, header.sender);
  count_bad(channel);
}

void LinkMachine::on(const StrangerRefused& refused) {
  ++counters_.strangers_refused;
  tell_refused(RefusedFor::stranger, "key " + refused.key + " at " + refused.address, {});
}

void LinkMachine::on(const KeyRevoked& revoked) {
  Channel* channel = channel_of(revoked.channel);
  if (channel == nullptr) {
    return;
  }
  ++counters_.channels_revoked;
  tell_refused(RefusedFor::revoked, channel->caller, channel->other.node);
  end(*channel, DownReason::denied, true);
}

std::vector<ChannelId> LinkMachine::revoked(const LinkKeys& keys) const {
  std::vector<ChannelId> found;
  for (const auto& [id, channel] : channels_) {
    if (channel.caller && !same_caller(channel.caller, keys.caller_of(channel.caller->key))) {
      found.push_back(id);
    }
  }
  return found;
}

void LinkMachine::tell_refused(RefusedFor reason, const base::CallerPtr& caller,
                               base::NodeId said) {
  if (options_.keyed) {
    tell_refused(reason, caller ? to_string(*caller) : "somebody", said);
  }
}

/// A flood of refusals must not become a flood of news.
void LinkMachine::tell_refused(RefusedFor reason, const std::string& who, base::NodeId said) {
  Untold& untold = untold_refusals_.at(static_cast<std::size_t>(reason));
  ++untold.times;
  if (untold.told_at && now_ - *untold.told_at < refusal_interval) {
    return;
  }
  untold.told_at = now_;
  deliver(CallerRefused{reason, who, said, std::exchange(untold.times, 0)});
}

}  // namespace fastgpu::link
