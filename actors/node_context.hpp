#pragma once

/// What the actors of one node share: who they are, where the others are, and the node's own time.
/// Made by the composition root (node/, or the simulator) and constant after `Begin`, but for the
/// gate. There is one for each node, also when several nodes live in one process.

#include <atomic>
#include <caf/all.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::ledger {
class ShardMachine;
}
namespace fastgpu::raft {
class RaftMachine;
}
namespace fastgpu::worker {
class WorkerMachine;
}

namespace fastgpu::actors {

/// The node's actors. Complete before any of them gets `Begin`.
struct Directory {
  caf::actor link;
  caf::actor gateway;
  caf::actor scheduler;
  caf::actor monitor;
  caf::actor store;
  caf::actor objects;
  std::map<base::ShardId, caf::actor> shards;  ///< replicas that this node keeps
  std::vector<caf::actor> workers;             ///< by device ordinal
  caf::actor logs{};
};

/// Looks at the machines of a node's actors while they work; for tests. Called on the actor that
/// owns the machine, right after a step.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void shard_stepped(const protocol::NodeInfo&, const ledger::ShardMachine&) {}
  /// Of a shard with several replicas, after each turn of its log.
  virtual void replica_stepped(const protocol::NodeInfo&, base::ShardId, const raft::RaftMachine&) {
  }
  virtual void worker_stepped(const protocol::NodeInfo&, const worker::WorkerMachine&) {}
  /// Objects of the node that nobody has pinned are no more.
  virtual void objects_removed(const protocol::NodeInfo&, const std::vector<base::ObjectHash>&) {}
};

struct NodeContext {
  base::ClusterId cluster;
  protocol::NodeInfo self;
  base::Incarnation incarnation;
  base::ShardLayout layout;
  bool replicated{false};                 ///< shards have several replicas each
  std::vector<protocol::NodeInfo> seeds;  ///< members known at the start, this node included
  protocol::Members kept_members{};       ///< the list that the disk held; version 0: none
  std::uint64_t random_seed{};            ///< differs in each life; actors derive their own from it

  std::function<base::Time()> clock;             ///< steady; only ever read through BaseActor::now
  std::function<base::WallTimeMs()> wall_clock;  ///< for stamps that people read
  /// One line of the form "fact -> consequence". Called on any actor's thread; may be empty.
  std::function<void(const std::string&)> trace;
  /// A sentence for whoever runs the node, trace or no trace. Seldom. Any thread; may be empty.
  std::function<void(const std::string&)> warn;

  /// The cluster as this node sees it has changed. Called on the monitor's thread; may be empty.
  std::function<void(const protocol::SharedView&)> on_view;
  std::shared_ptr<Observer> observer;  ///< null but in tests

  Directory directory;
  /// Closed when the node has died: its actors drop everything. Never opens again.
  std::atomic<bool> dead{false};
};

}  // namespace fastgpu::actors
