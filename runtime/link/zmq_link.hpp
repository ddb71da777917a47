#pragma once

/// The link over ZeroMQ: real sockets, one thread of its own (with keys two: ZapHandler's).
/// Owned by the link actor (or a client's). Every call may come from any thread: it steps the
/// machine under a lock and leaves the effects to the I/O thread, which alone owns the sockets and
/// calls the sink.
/// `listen`, `stop` and the destructor wait for the I/O thread, so they must not be called from the
/// sink. What fails is told as link.hpp says; a process killed at the other end is PeerDown within
/// milliseconds, one that is frozen after LinkOptions::silent_after.

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "runtime/link/link.hpp"
#include "runtime/link/link_keys.hpp"
#include "runtime/link/link_machine.hpp"
#include "runtime/link/zmq_transport.hpp"

namespace fastgpu::link {

class ZmqLink final : public Link {
 public:
  /// Called on any thread; CLOCK_BOOTTIME in a node.
  using Clock = std::function<base::Time()>;

  /// With keys, as every program must have it.
  ZmqLink(LinkOptions options, Clock clock, LinkKeys keys);
  /// Without: in the clear, with anybody, on the loopback only. For tests of the link.
  ZmqLink(LinkOptions options, Clock clock);
  ~ZmqLink() override;
  ZmqLink(const ZmqLink&) = delete;
  ZmqLink& operator=(const ZmqLink&) = delete;

  void start(Sink sink) override;
  base::Result<std::string> listen(const std::string& address) override;
  void connect(Endpoint endpoint, const std::string& address, const std::string& key = {}) override;
  void disconnect(Endpoint endpoint) override;
  SendResult send(Endpoint endpoint, base::Bytes frame) override;
  void consumed(Endpoint endpoint, std::size_t bytes) override;
  LinkCounters counters() const override;
  void keys_changed() override;
  void stop() override;
  /// Ends as a killed process ends: sockets close, nothing is said.
  void crash();

 private:
  struct ListenRequest {
    ListenAddress address;
    std::promise<base::Result<std::string>> answer;
  };

  enum class Ending : std::uint8_t { not_yet, politely, at_once };

  ZmqLink(LinkOptions options, Clock clock, std::optional<LinkKeys> keys);
  void finish(Ending ending);
  SendResult step(const LinkMachineEvent& event);
  void step_locked(const LinkMachineEvent& event);
  void wake_locked();
  // on the I/O thread
  void run();
  base::Duration time_to_wait();
  void perform_effects();
  void perform(LinkMachineEffect& effect);
  void answer_listeners();
  void refuse_listeners();

  const Clock clock_;
  const std::optional<LinkKeys> keys_;
  Sink sink_;
  ZmqTransport transport_;

  mutable std::mutex mutex_;  ///< guards all below
  LinkMachine machine_;
  LinkMachineEffects effects_;  ///< in order, not yet performed
  std::deque<ListenRequest> listen_requests_;
  bool awake_{false};         ///< a wake is on its way
  bool keys_changed_{false};  ///< and not all callers have been looked at
  Ending ending_{Ending::not_yet};

  std::thread thread_;
};

}  // namespace fastgpu::link
