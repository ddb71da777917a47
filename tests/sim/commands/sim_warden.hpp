#pragma once

/// The warden's simulated twin, and the record of what it ran.
///
/// It starts, ends and kills commands by virtual time, beside the node that it belongs to: it kills
/// at the end of a lease also while that node stands still, and what a crashed node leaves behind
/// runs on until then, or until the node's next life begins. The record is the truth that the
/// cluster must keep to: no two executions of one task at the same time, none beyond its lease.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/worker/worker_effects.hpp"
#include "tests/support/sim_agenda.hpp"

namespace fastgpu::testing {

/// One execution of one command.
struct Execution {
  base::JobId job;
  std::uint32_t task{};
  base::AttemptId attempt;
  base::NodeId node;
  base::Time began;
  base::Time ended{base::Time::max()};
  base::Time until;         ///< the end of its lease, as the warden heard it last
  bool succeeded{false};    ///< it exited with 0 by itself
  bool kept_running{true};  ///< false once it has ended
};

class ExecutionRecord {
 public:
  std::size_t begin(Execution execution);
  void extend(std::size_t index, base::Time until) { all_[index].until = until; }
  void end(std::size_t index, base::Time now, bool succeeded);

  const std::vector<Execution>& all() const { return all_; }
  /// Some execution of the attempt's task ended well.
  bool succeeded(base::JobId job, std::uint32_t task, const base::AttemptId& attempt) const;
  std::uint64_t killed_at_lease_end() const { return killed_; }
  void killed() { ++killed_; }
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  std::vector<Execution> all_;
  std::map<std::pair<base::JobId, std::uint32_t>, std::size_t> running_;
  std::vector<std::string> violations_;
  std::uint64_t killed_{0};
};

class SimWarden {
 public:
  using Sink = std::function<void(const worker::Event&)>;

  SimWarden(SimAgenda& agenda, base::Random random, ExecutionRecord& record, base::NodeId node)
      : agenda_(agenda), random_(random), record_(record), node_(node) {}

  /// A new life of the node begins: what earlier ones left is ended before.
  void begin_life(Sink sink);
  /// The node's process is gone; nobody hears of its commands any more.
  void crash() { sink_ = nullptr; }

  void run(const worker::LaunchCommand& launch);
  void extend(const worker::ExtendLease& extend);
  void stop(const worker::StopCommand& stop);

 private:
  struct Command {
    std::size_t index{};
    base::Time until;
  };
  using Commands = std::map<worker::LaunchToken, Command>;

  void end(worker::LaunchToken token, base::FailureReason reason);
  void watch_lease(worker::LaunchToken token);
  /// Done after the delay, if the command is still the one of this life by then.
  void later(base::Duration delay, worker::LaunchToken token, std::function<void()> what);

  SimAgenda& agenda_;
  base::Random random_;
  ExecutionRecord& record_;
  const base::NodeId node_;
  Sink sink_;
  std::uint64_t life_{0};
  Commands commands_;
};

}  // namespace fastgpu::testing
