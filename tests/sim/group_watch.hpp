#pragma once

/// Sees the groups of all shards of a simulated cluster: who belongs to them, who leads, how far
/// each replica is. Passes on to a Watch what concerns ledgers and workers.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/raft/raft_machine.hpp"
#include "tests/sim/watch.hpp"

namespace fastgpu::testing {

class GroupWatch final : public actors::Observer {
 public:
  Watch& watch() { return watch_; }

  void shard_stepped(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) override {
    watch_.shard_stepped(node, shard);
    const ledger::MemberBook& book = shard.state().members();
    if (shard.state().shard().value == 0 && book.version() > members_.version) {
      members_ = book.as_told();
    }
  }
  void worker_stepped(const protocol::NodeInfo& node,
                      const worker::WorkerMachine& worker) override {
    watch_.worker_stepped(node, worker);
  }
  void objects_removed(const protocol::NodeInfo& node,
                       const std::vector<base::ObjectHash>& hashes) override {
    watch_.objects_removed(node, hashes);
  }
  void replica_stepped(const protocol::NodeInfo& node, base::ShardId shard,
                       const raft::RaftMachine& machine) override {
    replicas_[{shard, node.node}] = {machine.term(), machine.ready(), machine.changing_members(),
                                     machine.log().active(), machine.given_out()};
    if (machine.ready()) {
      const auto [leads, first] = leaders_.try_emplace({shard, machine.term()}, node.node);
      if (!first && leads->second != node.node) {
        watch_.violation("two led shard " + std::to_string(shard.value) + " in one term");
      }
    }
  }
  /// The node's life is over.
  void died(base::NodeId node) {
    std::erase_if(replicas_, [node](const auto& one) { return one.first.second == node; });
  }

  /// The newest that the root has recorded.
  const protocol::Members& members() const { return members_; }
  /// Ready, of the greatest term.
  std::optional<base::NodeId> leader_of(base::ShardId shard) const {
    std::optional<base::NodeId> found;
    base::Term term;
    for (const auto& [of, replica] : replicas_) {
      if (of.first == shard && replica.leads && replica.term > term) {
        term = replica.term;
        found = of.second;
      }
    }
    return found;
  }
  /// As its leader has them, once they are committed; empty where nobody leads.
  raft::Configuration members_of(base::ShardId shard) const {
    const auto leader = leader_of(shard);
    if (!leader) {
      return {};
    }
    const Replica& replica = replicas_.at({shard, *leader});
    return replica.changing ? raft::Configuration{} : replica.members;
  }
  /// All members have given out the same.
  bool is_equal(base::ShardId shard) const {
    const raft::Configuration members = members_of(shard);
    std::optional<base::LogIndex> given;
    for (const raft::Member& member : members.members) {
      const auto replica = replicas_.find({shard, member.node});
      if (replica == replicas_.end() || (given && *given != replica->second.given)) {
        return false;
      }
      given = replica->second.given;
    }
    return given.has_value();
  }

 private:
  struct Replica {
    base::Term term;
    bool leads{false};
    bool changing{false};
    raft::Configuration members;
    base::LogIndex given;
  };
  Watch watch_;
  protocol::Members members_;
  std::map<std::pair<base::ShardId, base::NodeId>, Replica> replicas_;
  std::map<std::pair<base::ShardId, base::Term>, base::NodeId> leaders_;
};

}  // namespace fastgpu::testing
