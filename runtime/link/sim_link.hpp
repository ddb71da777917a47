#pragma once

/// The link's simulated twin: one life of one node or client on a SimNetwork.
/// Owned by the harness or the node under test, used on the simulation's one thread; the network
/// must outlive it. The sink is called from within SimNetwork::run_until only; it may crash or stop
/// the link, not destroy it.
/// Keys decide as they do over ZeroMQ, but nothing is encrypted and secrets are not looked at.
/// `crash` ends the life as a killed process ends: nothing is said, what is on its way here is
/// lost, connected links learn of it a little later. A later life is a new SimLink with a greater
/// incarnation.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "runtime/link/link.hpp"
#include "runtime/link/link_keys.hpp"
#include "runtime/link/link_machine.hpp"
#include "runtime/link/sim_network.hpp"

namespace fastgpu::link {

class SimLink final : public Link {
 public:
  SimLink(SimNetwork& network, SimHost host, LinkOptions options,
          std::optional<LinkKeys> keys = {});
  ~SimLink() override;
  SimLink(const SimLink&) = delete;
  SimLink& operator=(const SimLink&) = delete;

  void start(Sink sink) override;
  base::Result<std::string> listen(const std::string& address) override;
  void connect(Endpoint endpoint, const std::string& address, const std::string& key = {}) override;
  void disconnect(Endpoint endpoint) override;
  SendResult send(Endpoint endpoint, base::Bytes frame) override;
  void consumed(Endpoint endpoint, std::size_t bytes) override;
  LinkCounters counters() const override { return machine_.counters(); }
  void keys_changed() override;
  void stop() override;
  void crash();

  const LinkMachine& machine() const { return machine_; }
  SimHost host() const { return host_; }

 private:
  friend class SimNetwork;

  // from the network
  bool lets_in(const std::string& caller_key, const std::string& address);
  void on_connected(ChannelId channel);
  void on_broken(ChannelId channel, DownReason reason);
  void on_data(ChannelId channel, const base::Bytes& data);
  void on_wake();

  void happen(const LinkMachineEvent& event);
  /// Performs all effects but the answer to a send, which it returns.
  SendResult step(const LinkMachineEvent& event);
  void perform(const Dial& dial);
  void perform(const Transmit& transmit);
  void perform(const HangUp& hang_up);
  void perform(const Deliver& deliver);
  void wake_at(base::Time at);
  void tell_sink();
  std::uint64_t connection_of(ChannelId channel) const;

  SimNetwork& network_;
  SimHost host_;
  LinkMachine machine_;
  std::optional<LinkKeys> keys_;
  SimLife life_;  ///< 0 once ended
  Sink sink_;
  std::map<ChannelId, std::uint64_t> dialled_;  ///< the network's names of what we dialled
  std::deque<LinkEvent> untold_;                ///< waits for the network to run
  std::optional<base::Time> wake_at_;
  bool in_happening_{false};  ///< the network has called us and tells the sink before it goes on
};

}  // namespace fastgpu::link
