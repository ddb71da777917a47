#pragma once

/// The simulated wire: carries what SimLinks send, in virtual time, with the faults it is told to
/// make. One per simulation, owned by its harness, which outlives nothing: destroy the links first.
/// One thread. It has no clock: the harness says what time it is, asks when something happens next,
/// and lets it happen; sinks are called from within `run_until` only.
/// One seed and one order of calls give one history.
/// A connection keeps the order of its frames unless `reorder_ppm` says otherwise.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "runtime/base/ids.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"
#include "runtime/link/channel.hpp"

namespace fastgpu::link {

class SimLink;

/// A machine of the simulation: what a cable is pulled from. Chosen by the harness.
using SimHost = base::Id<struct SimHostTag, std::uint32_t>;
/// One life of one link; given by the network, never reused.
using SimLife = base::Id<struct SimLifeTag, std::uint64_t>;

struct SimNetworkOptions {
  base::Duration delay_min{std::chrono::microseconds(50)};
  base::Duration delay_max{std::chrono::microseconds(500)};
  std::uint32_t loss_ppm{0};       ///< of frames
  std::uint32_t duplicate_ppm{0};  ///< of frames, each copy with a delay of its own
  std::uint32_t reorder_ppm{0};    ///< of frames, delayed further and out of the order
  base::Duration reorder_delay_max{std::chrono::milliseconds(20)};
  std::uint32_t corrupt_ppm{0};  ///< of frames: one bit is turned over
};

/// What happened to frames, so that a test can show that its faults took place.
struct SimNetworkCounters {
  std::uint64_t delivered{};
  std::uint64_t lost{};
  std::uint64_t duplicated{};
  std::uint64_t reordered{};
  std::uint64_t corrupted{};
  std::uint64_t cut{};  ///< not carried because of a cut or a host that is down
  bool operator==(const SimNetworkCounters&) const = default;
};

class SimNetwork {
 public:
  explicit SimNetwork(base::Random random, SimNetworkOptions options = {});
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  const SimNetworkCounters& counters() const { return counters_; }
  base::Time now() const { return now_; }
  /// When something happens next; nullopt when nothing is on its way and nobody waits.
  std::optional<base::Time> next_event() const;

  /// Time moves on without anything happening; never back.
  void set_now(base::Time now);
  /// All that happens up to and including `now`, in order.
  void run_until(base::Time now);

  /// From now on; what is on its way stays as it was drawn.
  void set_options(const SimNetworkOptions& options) { options_ = options; }
  void cut(SimHost a, SimHost b);
  void cut_one_way(SimHost from, SimHost to);
  void heal(SimHost a, SimHost b);
  void heal_all();
  /// A host that is down neither sends nor receives, and nobody is told.
  void set_down(SimHost host, bool down);
  /// A paused host does nothing; what comes meanwhile waits and happens when it goes on.
  void set_paused(SimHost host, bool paused);

 private:
  friend class SimLink;

  /// Two ends: the link that dialled and the link that accepted. An end that is gone is 0.
  struct Connection {
    SimLife dialler;
    ChannelId dialled;  ///< as the dialler names it
    SimLife acceptor;   ///< also 0 until it is reached
    SimHost dialler_host;
    SimHost acceptor_host;
    std::string address;
    std::string caller_key;  ///< the dialler's own; empty without keys
    std::string wanted_key;  ///< of whom it wants to answer
    bool denied{false};
    base::Time last_at_acceptor{};
    base::Time last_at_dialler{};
  };
  using ConnectionId = std::uint64_t;

  /// Who listens at an address, and where that is. The place stays known when nobody listens.
  struct Listener {
    SimLife life;
    SimHost host;
  };

  // what happens
  struct CallArrives {
    ConnectionId connection;
  };
  struct AnswerArrives {
    ConnectionId connection;
  };
  struct FrameArrives {
    ConnectionId connection;
    bool at_acceptor;
    base::Bytes data;
  };
  struct BreakArrives {
    ConnectionId connection;
    bool at_acceptor;
  };
  struct WakeUp {
    SimLife life;
  };
  using Happening = std::variant<CallArrives, AnswerArrives, FrameArrives, BreakArrives, WakeUp>;

  // for SimLink
  SimLife attach(SimLink& link);
  void detach(SimLink& link);
  std::string listen(SimLink& link, const std::string& address, std::uint16_t port);
  ConnectionId dial(SimLink& link, ChannelId channel, const std::string& address,
                    const std::string& key);
  void transmit(ConnectionId connection, bool to_acceptor, const base::Bytes& data);
  void hang_up(ConnectionId connection, bool by_acceptor, bool cut);
  std::string caller_key(ConnectionId connection);
  void wake(SimLink& link, base::Time at);

  bool shake_hands(Connection& connection, SimLink& acceptor);
  SimLife life_of(const Happening& happening) const;
  void happen(const CallArrives& call);
  void happen(const AnswerArrives& answer);
  void happen(const FrameArrives& frame);
  void happen(const BreakArrives& broken);
  void happen(const WakeUp& wake);

  void schedule(base::Time at, Happening happening);
  void tell_break(ConnectionId id, Connection& connection, bool at_acceptor);
  base::Time draw_arrival(base::Time& last, bool keeps_order);
  base::Bytes turn_a_bit(const base::Bytes& data);
  Connection* connection_of(ConnectionId id);
  SimLink* link_of(SimLife life) const;
  SimHost host_of(SimLife life) const;
  bool reaches(const Connection& connection, bool acceptor) const;
  bool passes(SimHost from, SimHost to) const;

  base::Random random_;
  SimNetworkOptions options_;
  SimNetworkCounters counters_;
  base::Time now_{};
  std::uint64_t last_sequence_{0};
  std::uint64_t last_life_{0};
  ConnectionId last_connection_{0};
  std::uint16_t last_port_{40000};
  std::map<std::pair<base::Time, std::uint64_t>, Happening> happenings_;
  std::map<SimLife, SimLink*> links_;
  std::map<SimLife, SimHost> hosts_;
  std::map<std::string, Listener> listeners_;
  std::map<ConnectionId, Connection> connections_;
  std::set<std::pair<SimHost, SimHost>> cuts_;
  std::set<SimHost> down_;
  std::map<SimHost, std::deque<Happening>> paused_;
  bool running_{false};
};

}  // namespace fastgpu::link
