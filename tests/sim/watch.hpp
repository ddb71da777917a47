#pragma once

/// Looks at every step of every ledger and worker of a simulated cluster, over all their lives, and
/// collects what must never be: a lost entry, a terminal record that changed, an attempt that
/// shrank or whose number does not grow, a device that promised more than it has, a task that runs
/// before the end of what its job waits for, two leaders in one term, replicas of a shard that make
/// different things of the same log. Shares no code with what it watches but the invariant
/// checkers, which are apart from it as well.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/node_context.hpp"
#include "runtime/ledger/ledger_state.hpp"
#include "runtime/ledger/shard_machine.hpp"
#include "runtime/worker/worker_machine.hpp"
#include "tests/support/commands/sim_warden.hpp"

namespace fastgpu::testing {

class Watch final : public actors::Observer {
 public:
  void shard_stepped(const protocol::NodeInfo& node, const ledger::ShardMachine& shard) override;
  void worker_stepped(const protocol::NodeInfo& node, const worker::WorkerMachine& worker) override;

  /// None of them is the home's copy of what a recorded job names.
  void objects_removed(const protocol::NodeInfo& node,
                       const std::vector<base::ObjectHash>& hashes) override;

  void violation(std::string what);
  /// At most a hundred: one broken rule tends to break others.
  const std::vector<std::string>& violations() const { return violations_; }

  /// The job as its shard's ledger had it last; null if no ledger has it.
  const ledger::Job* find(base::JobId job) const;
  const ledger::Job* find(const base::RequestId& request) const;
  /// What a job names may go from its home when others have pinned it in its place.
  void let_others_keep_objects() { others_may_keep_ = true; }
  /// Inputs and outputs of recorded jobs whose home is this node.
  std::set<base::ObjectHash> named_at(base::NodeId node) const;
  std::uint64_t objects_gone() const { return objects_gone_; }
  /// How often a replica that had applied something went on from a snapshot of others.
  std::uint64_t jumps() const { return jumps_; }
  bool has_ended(base::JobId job) const;
  /// All that the job waits for has ended as it asks, in the ledgers as they were last.
  bool may_begin(const protocol::JobSpec& spec) const;
  /// An accepted job is there, is terminal, and ended as a simulated device or warden would have
  /// it, or never began and is cancelled because what it waits for ended otherwise. Where devices
  /// die by themselves, one that does so twice under the same task may be blamed on it.
  /// `executions` is what wardens have run; null where there were no commands.
  void check_end(base::JobId job, const protocol::JobSpec& spec, bool devices_die,
                 const ExecutionRecord* executions = nullptr);
  /// No request has made two jobs, answered or not.
  void check_requests();
  /// Every replica on these nodes has applied all that any has.
  bool all_equal(const std::set<base::NodeId>& nodes) const;
  /// How often a replica began to lead.
  std::uint64_t elections() const { return elections_; }
  std::uint64_t tasks_ended() const;
  std::uint64_t attempts() const;
  /// The node on which a replica led when it was stepped last; it may have died since.
  std::optional<base::NodeId> leader_of(base::ShardId shard) const;

 private:
  bool has_replicas(base::ShardId shard) const;
  void note_leader(const protocol::NodeInfo& node, const ledger::ShardMachine& shard);
  void check_numbers(const ledger::LedgerState& before, const ledger::LedgerState& after);
  void check_prefix(const protocol::NodeInfo& node, const ledger::LedgerState& state);
  void differs(const protocol::NodeInfo& node, const ledger::LedgerState& state);
  void check_same(const protocol::NodeInfo& node, const ledger::LedgerState& state);
  std::map<base::ShardId, std::unique_ptr<ledger::LedgerState>> last_;
  std::map<std::pair<base::ShardId, base::NodeId>, base::LogIndex> applied_;
  std::map<base::ShardId, base::NodeId> leaders_;
  std::map<std::pair<base::ShardId, base::Term>, base::NodeId> led_;
  std::map<base::ShardId, base::AttemptId> greatest_;  ///< attempt that was recorded
  /// What the first entries of a log come to, at some of its indices.
  std::map<std::pair<base::ShardId, base::LogIndex>, std::size_t> prefixes_;
  std::vector<std::string> violations_;
  bool others_may_keep_{false};
  std::uint64_t objects_gone_{0};
  std::uint64_t jumps_{0};
  std::uint64_t elections_{0};
};

}  // namespace fastgpu::testing
