#pragma once

/// What a LinkMachine is told by the link's owner and by the transport that carries its channels,
/// and what it answers: effects, to be performed in order by the transport.

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "runtime/link/channel.hpp"
#include "runtime/link/frame.hpp"
#include "runtime/link/link.hpp"

namespace fastgpu::link {

// --- from the owner ------------------------------------------------------------------------------

struct DialAsked {
  Endpoint endpoint;
  std::string address;
  std::string key{};  ///< of whom is to answer; empty without keys
  bool operator==(const DialAsked&) const = default;
};

struct HangUpAsked {
  Endpoint endpoint;
  bool operator==(const HangUpAsked&) const = default;
};

struct SendAsked {
  Endpoint endpoint;
  base::Bytes frame;
  bool operator==(const SendAsked&) const = default;
};

struct FrameConsumed {
  Endpoint endpoint;
  std::size_t bytes{};
  bool operator==(const FrameConsumed&) const = default;
};

struct StopAsked {
  bool operator==(const StopAsked&) const = default;
};

// --- from the transport --------------------------------------------------------------------------

/// A dialled channel can carry frames.
struct ChannelConnected {
  ChannelId channel;
  bool operator==(const ChannelConnected&) const = default;
};

/// A channel carries nothing any more, or never did.
struct ChannelBroken {
  ChannelId channel;
  DownReason reason{DownReason::reset};
  bool operator==(const ChannelBroken&) const = default;
};

struct FrameArrived {
  ChannelId channel;
  Frame frame;
  base::CallerPtr caller{};  ///< of a control frame on an accepted channel, by its key
  bool operator==(const FrameArrived&) const = default;
};

/// Something arrived that `parse` refused.
struct BadFrameArrived {
  ChannelId channel;
  FrameFault fault{FrameFault::none};
  bool operator==(const BadFrameArrived&) const = default;
};

/// The transport has refused a caller before it could say anything.
struct StrangerRefused {
  std::string key;      ///< empty: not known
  std::string address;  ///< from where
  bool operator==(const StrangerRefused&) const = default;
};

/// The key under which this channel was opened is not known any more.
struct KeyRevoked {
  ChannelId channel;
  bool operator==(const KeyRevoked&) const = default;
};

/// `next_deadline()` has come; harmless at any other time.
struct TimePassed {
  bool operator==(const TimePassed&) const = default;
};

using LinkMachineEvent = std::variant<DialAsked, HangUpAsked, SendAsked, FrameConsumed, StopAsked,
                                      ChannelConnected, ChannelBroken, FrameArrived,
                                      BadFrameArrived, StrangerRefused, KeyRevoked, TimePassed>;

// --- effects -------------------------------------------------------------------------------------

/// Open a connection; answer with ChannelConnected or ChannelBroken.
struct Dial {
  ChannelId channel;
  std::string address;
  std::string key{};
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
  bool cut{false};  ///< close the connection also where the other side would keep it open
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
