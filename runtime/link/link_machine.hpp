#pragma once

/// Everything a link decides: whom it dials and when again, who is up, which frames are let in, how
/// much may be sent. Between the port and a transport (ZeroMQ or simulated), which only opens
/// connections and moves bytes; so both twins behave alike.
/// Owned by one link, which lets one thread at a time in. Pure: no clock, no sockets.
/// Nothing from the wire can fail it: what is wrong is counted and dropped, and a channel on which
/// `bad_frames_max` were wrong is ended.
/// Held per endpoint: at most the send queue's bound waiting, at most `credit_bytes` delivered and
/// not consumed, over all channels that the endpoint ever had.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/link/control.hpp"
#include "runtime/link/link_keys.hpp"
#include "runtime/link/link_machine_io.hpp"

namespace fastgpu::link {

class LinkMachine {
 public:
  static constexpr int bad_frames_max = 16;

  explicit LinkMachine(LinkOptions options);

  const LinkCounters& counters() const { return counters_; }
  const LinkOptions& options() const { return options_; }
  std::optional<base::Time> next_deadline() const { return deadline_; }
  /// Delivered from `endpoint` and not yet consumed.
  std::size_t held_bytes(Endpoint endpoint) const;
  /// Waiting for credit to `endpoint`.
  std::size_t queued_bytes(Endpoint endpoint) const;
  /// The channels that were opened by a key which `keys` does not give to the same caller now.
  std::vector<ChannelId> revoked(const LinkKeys& keys) const;

  /// The door. The answer to a SendAsked is the first effect.
  LinkMachineEffects step(const LinkMachineEvent& event, base::Time now);

 private:
  enum class Told : std::uint8_t { nothing, up, down };

  /// An endpoint that we dial, connected or not.
  struct Target {
    std::string address;
    std::string key;
    ChannelId channel;  ///< 0 while waiting to dial again
    base::Time redial_at;
    base::Duration backoff;
    Told told{Told::nothing};
  };

  // what the owner asks
  void on(const DialAsked& asked);
  void on(const HangUpAsked& asked);
  void on(const SendAsked& asked);
  void on(const FrameConsumed& consumed);
  void on(const StopAsked& asked);
  // what the transport tells
  void on(const ChannelConnected& connected);
  void on(const ChannelBroken& broken);
  void on(const FrameArrived& arrived);
  void on(const BadFrameArrived& arrived);
  void on(const StrangerRefused& refused);
  void on(const KeyRevoked& revoked);
  void on(const TimePassed& passed);

  // dialling
  void dial(Endpoint endpoint, Target& target);
  void dial_soon(Endpoint endpoint);
  void on_welcome(Channel& channel, const FrameHeader& header, const Control& control);
  // being dialled
  void on_stranger(const FrameArrived& arrived);
  void on_hello(const FrameArrived& arrived, const Control& control);
  std::optional<DownReason> why_not_known(const FrameHeader& header, const base::CallerPtr& caller);
  std::optional<DownReason> why_not_welcome(const FrameHeader& header,
                                            const base::CallerPtr& caller);
  void meet_newer_life(base::NodeId node, base::Incarnation incarnation);
  // open channels
  bool from_the_other_side(Channel& channel, const FrameHeader& header);
  void on_forged(Channel& channel, const FrameHeader& header);
  void on_control(Channel& channel, const Frame& frame);
  void on_data(Channel& channel, const Frame& frame);
  void flush(Channel& channel);
  void tell_credit(Channel& channel);
  void keep_alive(Channel& channel);
  base::Time next_signs_at() const;

  // ends
  void end(Channel& channel, DownReason reason, bool cut = false);
  void drop(Channel& channel, bool cut = false);
  void count_bad(Channel& channel);

  // details
  Channel* channel_of(ChannelId id);
  Channel* outgoing_channel(Endpoint endpoint);
  Channel* incoming_channel(Endpoint endpoint);
  std::size_t session_count() const;
  bool our_cluster(const FrameHeader& header) const;
  void say(ChannelId id, const Control& control, FrameKind kind = FrameKind::control);
  void say_account(Channel& channel, ControlType type, FrameKind kind = FrameKind::control);
  void transmit(ChannelId id, base::Bytes frame);
  void deliver(LinkEvent event);
  void tell_refused(RefusedFor reason, const base::CallerPtr& caller, base::NodeId said);
  void tell_refused(RefusedFor reason, const std::string& who, base::NodeId said);
  void arm(base::Time at);

  LinkOptions options_;
  LinkCounters counters_;
  std::map<ChannelId, Channel> channels_;
  std::map<Endpoint, Target> targets_;
  std::map<Endpoint, ChannelId> accepted_;  ///< the channel on which each endpoint speaks to us
  std::map<Endpoint, std::size_t> held_;
  std::map<base::NodeId, base::Incarnation> newest_;
  std::uint64_t last_channel_{0};
  std::uint64_t last_session_{0};
  /// Refusals of one kind since they were last told.
  struct Untold {
    std::optional<base::Time> told_at;
    std::uint64_t times{0};
  };
  std::array<Untold, refused_for_kinds> untold_refusals_;
  std::optional<base::Time> deadline_;
  bool stopped_{false};

  base::Time now_{};  ///< of the step in progress
  LinkMachineEffects effects_;
};

}  // namespace fastgpu::link
