#pragma once

/// A replicated log for a few replicas, reduced to what a ledger can see of it: entries commit in
/// one order, a leader changes, what it had in flight is kept or lost, and it may not know for a
/// while that it leads no longer.
///
/// The owner says who is healthy and gets the events to deliver; the log decides what is true.

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/ledger/ledger_events.hpp"
#include "tests/support/sim_agenda.hpp"

namespace fastgpu::testing {

class SimLog {
 public:
  struct Host {
    std::function<bool(std::size_t replica)> healthy;
    /// The life of the replica, so that nothing reaches a later one; 0 while it is down.
    std::function<std::uint64_t(std::size_t replica)> life;
    /// Hands an event to that life of the replica, now or when it goes on.
    std::function<void(std::size_t replica, std::uint64_t life, ledger::Event event)> tell;
    /// Everything committed is to be given to the replica; called before Leading too.
    std::function<void(std::size_t replica)> pump;
  };

  SimLog(SimAgenda& agenda, base::Random random, std::size_t replicas, Host host)
      : agenda_(agenda), random_(random), replicas_(replicas), host_(std::move(host)) {}

  struct Committed {
    protocol::Entry entry;
    std::size_t proposer{};
    std::uint64_t life{};
    base::LogToken token;
  };
  const std::vector<Committed>& committed() const { return committed_; }
  std::optional<std::size_t> leader() const { return leader_; }
  std::uint64_t term() const { return term_; }

  void propose(std::size_t replica, base::LogToken token, protocol::Entry entry);
  void read(std::size_t replica, base::LogToken token, std::function<base::LogIndex()> applied);
  /// A healthy replica takes over, if there is a majority; false otherwise.
  bool elect();
  bool has_majority() const;

 private:
  struct InFlight {
    std::size_t replica{};
    std::uint64_t life{};
    std::uint64_t term{};
    base::LogToken token;
    protocol::Entry entry;
  };
  base::Duration short_while();
  void commit_some();
  void commit_front();

  SimAgenda& agenda_;
  base::Random random_;
  const std::size_t replicas_;
  const Host host_;
  std::vector<Committed> committed_;
  std::deque<InFlight> in_flight_;
  std::optional<std::size_t> leader_;
  std::uint64_t term_{0};
};

}  // namespace fastgpu::testing
