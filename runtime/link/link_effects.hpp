#pragma once

/// What a LinkMachine has done, to be performed in order by the transport that owns it.

#include <string>
#include <variant>
#include <vector>

#include "runtime/link/channel.hpp"
#include "runtime/link/link.hpp"

namespace fastgpu::link {

/// Open a connection; answer with ChannelConnected or ChannelBroken.
struct Dial {
  ChannelId channel;
  std::string address;
  bool operator==(const Dial&) const = default;
};

/// Put a frame on a channel, behind what was put there before. A channel that is gone takes it
/// silently.
struct Transmit {
  ChannelId channel;
  base::Bytes frame;
  bool operator==(const Transmit&) const = default;
};

/// Forget a channel once what was put on it is out; say nothing more about it.
struct HangUp {
  ChannelId channel;
  bool operator==(const HangUp&) const = default;
};

/// Tell the sink.
struct Deliver {
  LinkEvent event;
  bool operator==(const Deliver&) const = default;
};

/// The answer to SendAsked, for whoever asked.
struct SendAnswered {
  SendResult result{SendResult::unreachable};
  bool operator==(const SendAnswered&) const = default;
};

using LinkMachineEffect = std::variant<Dial, Transmit, HangUp, Deliver, SendAnswered>;
using LinkMachineEffects = std::vector<LinkMachineEffect>;

}  // namespace fastgpu::link
