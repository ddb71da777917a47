#pragma once

/// One shard, its replicas, and a worker with a warden on each node, in virtual time and without
/// actors: real ledger and worker machines over a simulated log, network and warden. Everything
/// that can come between a command and its lease is in here: nodes that crash, stand still or are
/// cut off, leaders that change and do not know it, messages that are lost, late or doubled.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/ledger/shard_machine.hpp"
#include "runtime/worker/worker_machine.hpp"
#include "tests/sim/commands/sim_log.hpp"
#include "tests/support/commands/sim_warden.hpp"

namespace fastgpu::testing {

struct CommandWorldOptions {
  std::uint64_t seed{1};
  std::uint32_t nodes{4};
  std::uint32_t replicas{3};
  bool bad_network{false};
  ledger::LedgerFaults faults;
};

class CommandWorld {
 public:
  static constexpr base::ShardId shard{0};

  explicit CommandWorld(CommandWorldOptions options);
  CommandWorld(const CommandWorld&) = delete;
  CommandWorld& operator=(const CommandWorld&) = delete;

  // --- nodes, counted from 0 ---------------------------------------------------------------------
  bool up(std::size_t index) const { return nodes_[index]->up; }
  void crash(std::size_t index);
  void start(std::size_t index);
  /// As a stopped process: nothing of the node moves, but its warden does.
  void freeze(std::size_t index);
  void thaw(std::size_t index);
  void cut(std::size_t a, std::size_t b, bool cut);
  void change_leader() { log_.elect(); }
  /// Everything works from now on.
  void make_peace();

  // --- users -------------------------------------------------------------------------------------
  void submit(const protocol::JobSpec& spec);
  void cancel(base::JobId job);
  const std::map<base::JobId, protocol::SharedSpec>& accepted() const { return accepted_; }
  /// The ledger of a replica that has all that is committed.
  const ledger::LedgerState& ledger();

  void run_for(base::Duration duration);
  bool run_until(const std::function<bool()>& done, base::Duration limit);

  SimAgenda& agenda() { return agenda_; }
  base::Random& random() { return random_; }
  const ExecutionRecord& record() const { return record_; }
  std::vector<std::string> violations() const;
  std::uint64_t leaders() const { return log_.term(); }

 private:
  struct Seen {
    std::uint64_t life{0};
    bool up{false};
    base::Time at{base::Time::min()};
  };
  struct Node {
    base::NodeId id;
    bool up{false};
    bool frozen{false};
    std::uint64_t life{0};
    std::unique_ptr<ledger::ShardMachine> replica;
    std::unique_ptr<worker::WorkerMachine> worker;
    std::unique_ptr<SimWarden> warden;
    std::deque<std::function<void()>> backlog;  ///< while it stands still
    std::size_t applied{0};                     ///< of the committed entries
    std::optional<base::Time> replica_tick;
    std::optional<base::Time> worker_tick;
    std::map<std::size_t, Seen> seen;                 ///< of the others, by its monitor
    std::map<base::JobId, ledger::TaskRanges> ready;  ///< as its scheduler knows them
    std::deque<worker::LaunchToken> kernels;
    base::Time renew_heard{base::Time::min()};  ///< newest Renew of this life that was answered
  };

  bool healthy(std::size_t index) const { return nodes_[index]->up && !nodes_[index]->frozen; }
  /// Something happens to that life of the node, now or when it goes on.
  void at(std::size_t index, std::uint64_t life, std::function<void()> what);
  void at_in(base::Duration delay, std::size_t index, std::function<void()> what);
  base::Duration between(base::Duration low, base::Duration high);

  void step_replica(std::size_t index, const ledger::Event& event);
  void step_worker(std::size_t index, const worker::Event& event);
  void arm_replica(std::size_t index);
  void arm_worker(std::size_t index);
  void pump(std::size_t index);

  void perform(std::size_t index, const ledger::Propose& effect);
  void perform(std::size_t index, const ledger::Read& effect);
  void perform(std::size_t index, const ledger::Reply& effect);
  void perform(std::size_t index, const ledger::SendToNode& effect);
  void perform(std::size_t index, const ledger::ToScheduler& effect);
  void perform(std::size_t, const ledger::Compact&) {}
  void perform(std::size_t, const ledger::Led&) {}
  void perform(std::size_t, const ledger::MembersChanged&) {}

  void perform(std::size_t index, const worker::SendToNode& effect);
  void perform(std::size_t index, const protocol::PrepareFolder& effect);
  void perform(std::size_t index, const protocol::CollectFolder& effect);
  void perform(std::size_t index, const worker::Launch& effect);
  void perform(std::size_t index, const worker::KillExecutor& effect);
  void perform(std::size_t index, const worker::LaunchCommand& effect);
  void perform(std::size_t index, const worker::ExtendLease& effect);
  void perform(std::size_t index, const worker::StopCommand& effect);
  void perform(std::size_t, const protocol::Stage&) {}
  void perform(std::size_t, const protocol::Keep&) {}
  void perform(std::size_t, const protocol::DropFolder&) {}
  void perform(std::size_t, const protocol::DeviceBooks&) {}

  void send(std::size_t from, base::NodeId to, const protocol::PeerMessage& message);
  void deliver(std::size_t index, base::NodeId from, std::uint64_t life,
               const protocol::PeerMessage& message);
  void look_around();
  void look_around(std::size_t index);
  void place_some();
  void check_lease(std::size_t index, const protocol::JobSpec& spec, base::Time until);
  void check_parents(const protocol::JobSpec& spec);
  void violation(std::string what);

  const CommandWorldOptions options_;
  base::Random random_;
  bool troubled_{true};
  SimAgenda agenda_;
  ExecutionRecord record_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::set<std::pair<std::size_t, std::size_t>> cuts_;
  SimLog log_;
  ledger::LedgerState audited_{shard, {1}};  ///< what the log says, when it was needed last
  std::map<base::JobId, protocol::SharedSpec> accepted_;
  std::map<base::CallId, protocol::SharedSpec> calls_;
  std::uint64_t last_call_{0};
  std::vector<std::string> violations_;
};

}  // namespace fastgpu::testing
