#pragma once

/// A whole cluster in one thread and in virtual time: real actors, machines and codecs on CAF's
/// testing scheduler, over the simulated twins of link, store, blobs and executors. One seed and
/// one order of calls give one history; `trace_hash()` tells whether two histories are the same.
///
/// A test builds a world, adds clients, lets time pass with `run_for` and `run_until`, and crashes,
/// restarts, pauses or cuts off nodes in between. An observer sees every step of every machine.

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/base_actor.hpp"
#include "actors/replica/raft_record.hpp"
#include "node/assembly/assembly.hpp"
#include "runtime/base/random.hpp"
#include "runtime/link/sim_link.hpp"
#include "runtime/logs/memory_logs.hpp"
#include "runtime/objects/jobs/memory_jobs.hpp"
#include "runtime/objects/memory_folder.hpp"
#include "runtime/store/memory_store.hpp"
#include "tests/support/commands/sim_command_runner.hpp"
#include "tests/support/sim_agenda.hpp"
#include "tests/support/sim_executor.hpp"

namespace fastgpu::testing {

struct SimOptions {
  std::uint64_t seed{1};
  std::uint32_t nodes{3};
  std::uint32_t devices{1};  ///< of each node
  /// Of each shard, on the node of its number and those after it; with `founding_nodes` the root
  /// plans 3, or more if so many are asked for.
  std::uint32_t replicas{1};
  std::uint32_t shards{0};  ///< 0: as many as there are nodes
  /// If any: the shards are founded on the first so many nodes, which are started; the others come
  /// when the test starts them. Every node opens every shard, and waits to be called where it is no
  /// founder.
  std::uint32_t founding_nodes{0};
  link::SimNetworkOptions network;
  store::MemoryStoreOptions store;
  SimExecutorOptions executor;
  /// Of devices that are not like the others, by node from 0 and ordinal.
  std::map<std::pair<std::uint32_t, std::uint32_t>, SimExecutorOptions> executors_apart;
  bool commands{false};  ///< devices run commands too
  SimCommandOptions command;
  ledger::ShardLimits ledger_limits;
  raft::RaftLimits raft_limits;
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
  raft::Fault raft_fault{raft::Fault::none};
  objects::PinLimits pin_limits;
  std::uint64_t disk_reserve_bytes{0};
  /// By node: how much faster than the simulation's its clock runs; those not named run with it.
  std::vector<std::int32_t> clock_drift_ppm;
};

class SimWorld {
 public:
  /// `observer` watches the machines of all nodes, over their lives; may be null.
  explicit SimWorld(SimOptions options, std::shared_ptr<actors::Observer> observer = nullptr);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  // --- nodes, counted from 0 ---------------------------------------------------------------------
  std::uint32_t node_count() const { return static_cast<std::uint32_t>(nodes_.size()); }
  bool is_up(std::uint32_t index) const { return nodes_[index]->context != nullptr; }
  /// Begins a new life of the node on what its disk holds.
  void start(std::uint32_t index);
  /// The same; what refuses to start is told, and is down.
  base::Status try_start(std::uint32_t index);
  /// Ends its life as kill -9 does: what is not on the disk is gone.
  void crash(std::uint32_t index);
  /// The same by itself, in its next sync. `on_death` is told; none: it does not end any more.
  void crash_in_sync(std::uint32_t index, std::optional<store::SyncPoint> point);
  /// Called when a node has died in a sync, with its number.
  void set_on_death(std::function<void(std::uint32_t)> on_death) {
    on_death_ = std::move(on_death);
  }
  /// It stands still, as after SIGSTOP: none of its actors takes a turn, its store tells nothing.
  /// Its devices and wardens, processes of their own, go on.
  void freeze(std::uint32_t index);
  void thaw(std::uint32_t index);
  bool is_frozen(std::uint32_t index) const { return !nodes_[index]->frozen.empty(); }
  /// What its clock of the day is off by from now on.
  void set_wall_offset(std::uint32_t index, std::int64_t ms) { nodes_[index]->wall_offset_ms = ms; }
  link::SimHost host(std::uint32_t index) const { return {index + 1}; }
  raft::StoreId first_store(std::uint32_t index) const { return nodes_[index]->founding_store; }
  std::uint32_t shard_count() const {
    return options_.shards > 0 ? options_.shards : options_.nodes;
  }
  const protocol::NodeInfo& info(std::uint32_t index) const { return nodes_[index]->info; }
  actors::NodeContext* context(std::uint32_t index) const { return nodes_[index]->context.get(); }
  /// Null while it is down.
  const objects::BlobStore* blobs(std::uint32_t index) const { return nodes_[index]->blobs; }
  store::MemoryDisk& disk(std::uint32_t index) { return nodes_[index]->disk; }
  const store::MemoryDisk& disk(std::uint32_t index) const { return nodes_[index]->disk; }
  /// The node is down and begins anew on another, empty disk.
  void lose_disk(std::uint32_t index);

  // --- time --------------------------------------------------------------------------------------
  base::Time now() const { return agenda_.now(); }
  void run_for(base::Duration duration);
  /// True once `done` holds, looked at after every step; false when `limit` has passed before.
  bool run_until(const std::function<bool()>& done, base::Duration limit);

  // --- what is in it -----------------------------------------------------------------------------
  link::SimNetwork& network() { return network_; }
  SimAgenda& agenda() { return agenda_; }
  base::Random& random() { return random_; }
  caf::actor_system& system() { return *system_; }
  const SimOptions& options() const { return options_; }
  /// Every command that any warden has run, in truth.
  const ExecutionRecord& executions() const { return executions_; }
  /// A new link of a client at a host of its own.
  std::shared_ptr<link::SimLink> client_link(const link::LinkIdentity& identity);
  /// The context of an actor that belongs to no node: a client's.
  actors::ContextPtr client_context();

  // --- what came of it ---------------------------------------------------------------------------
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::uint64_t steps() const { return steps_; }
  /// Prints every trace line on stderr, as it happens.
  void set_verbose(bool verbose) { verbose_ = verbose; }

 private:
  /// What outlives the lives of one node, and its present life.
  struct Node {
    protocol::NodeInfo info;
    store::MemoryDisk disk;
    raft::StoreId founding_store;  ///< the number of its first disk, where shards have replicas
    objects::MemoryFolder folder;
    std::shared_ptr<logs::MemoryLogs> logs = std::make_shared<logs::MemoryLogs>();
    std::shared_ptr<objects::MemoryJobs> jobs = std::make_shared<objects::MemoryJobs>();
    std::vector<std::unique_ptr<SimWarden>> wardens;  ///< by device; empty: no commands
    base::Incarnation incarnation;
    actors::ContextPtr context;  ///< null while it is down
    std::shared_ptr<link::SimLink> link;
    std::shared_ptr<store::MemoryStore> store;
    const objects::BlobStore* blobs{nullptr};  ///< owned by its objects actor
    std::set<caf::actor_id> frozen;            ///< its actors, while it stands still
    std::int64_t wall_offset_ms{0};
  };

  bool step(base::Time limit);
  /// False when no actor that may run has anything to do.
  bool run_actor();
  /// Which of the queue's jobs runs next; none where all of them stand still.
  std::optional<std::size_t> pick_job();
  bool run_stores();
  bool pass_time(base::Time limit);
  void set_now(base::Time now);
  void mix(std::uint64_t value);
  void note(std::string_view what);
  actors::ContextPtr new_context(const protocol::NodeInfo& self, base::Incarnation incarnation);
  void set_clocks(std::uint32_t index);
  SimCommandOptions command_options(std::uint32_t index) const;
  caf::scheduler::test_coordinator& scheduler();
  void make_wardens(Node& node);
  raft::StoreId make_store(Node& node);
  std::uint32_t founding_nodes() const {
    return options_.founding_nodes > 0 ? options_.founding_nodes : options_.nodes;
  }
  raft::Configuration founders_of(std::uint32_t shard) const;
  void end_life(Node& node);
  void add_shards(std::uint32_t index, node::NodeParts& parts) const;

  SimOptions options_;
  base::Random random_;
  base::Random log_random_;  ///< of its own: logs take part in no decision
  base::Random command_random_;
  base::Random store_random_;
  SimAgenda agenda_;
  ExecutionRecord executions_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  link::SimNetwork network_;
  base::ClusterId cluster_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::shared_ptr<actors::Observer> observer_;
  std::function<void(std::uint32_t)> on_death_;
  std::uint32_t clients_{0};
  std::uint64_t steps_{0};
  std::uint64_t trace_hash_{0xcbf29ce484222325u};
  bool verbose_{false};
};

}  // namespace fastgpu::testing
