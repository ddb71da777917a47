#pragma once

/// What must hold among the replicas of a group, from what they say and what is on their disks; it
/// shares nothing with the code that decides. Each violation is one sentence.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/raft/raft_machine.hpp"
#include "tests/sim/raft/sim_disk.hpp"

namespace fastgpu::raft::testing {

class GroupChecker {
 public:
  /// Of one replica: where its machine and its disk are.
  struct Replica {
    const RaftMachine& machine;
    const SimDisk& disk;
  };
  /// Disks of all replicas that ever were, by node.
  using Disks = std::map<base::NodeId, const SimDisk*>;

  const std::vector<std::string>& violations() const { return violations_; }
  void fail(std::string what);
  void merge(base::NodeId node, const std::vector<std::string>& found);

  void on_written(base::NodeId node, const Persist& persist);
  /// `receiver` is none while it is down.
  void on_sent(const Replica& from, const Message& message, const RaftMachine* receiver);
  /// After each step of a leader.
  void on_led(const Replica& leader, const Disks& disks);
  void on_started(const RaftMachine& machine);
  void on_given_out(base::NodeId node, const Entry& entry, std::uint64_t state);
  void on_restored(base::NodeId node, base::LogIndex index, std::uint64_t state);

  void on_acknowledged(base::LogIndex index);
  void on_refused(std::uint64_t command) { refused_.insert(command); }
  void on_read_asked(base::LogToken token) { read_floors_[token] = known_to_clients_; }
  void on_read_answered(base::LogToken token, base::LogIndex index, base::LogIndex applied);

  /// Of the state machine once the entry at `index` was applied.
  std::uint64_t state_at(base::LogIndex index) const {
    return committed_.at(index.value - 1).state.value_or(0);
  }
  base::LogIndex committed() const { return {committed_.size()}; }
  std::uint64_t leaderships() const { return leaders_.size(); }

 private:
  struct Commit {
    base::Term term;   ///< of the entry
    Chain chain;       ///< of it and all before
    base::Term under;  ///< of the leader that committed it first
    std::optional<std::uint64_t> state;
  };
  using Voter = std::pair<std::pair<base::NodeId, StoreId>, base::Term>;

  void check_vote(const Replica& from, const Message& message, base::NodeId candidate);
  void check_acknowledged(const Replica& from, const Message& message, base::LogIndex match,
                          const RaftMachine* receiver);
  void check_position(const Replica& from, const LogPosition& last);
  void check_completeness(const RaftMachine& leader);
  void commit(const RaftMachine& leader, const Disks& disks);

  std::vector<std::string> violations_;
  std::map<base::Term, base::NodeId> leaders_;
  std::map<Voter, base::NodeId> votes_;
  std::map<StoreId, base::Term> terms_told_;
  std::map<std::pair<base::LogIndex, base::Term>, Chain> entries_;
  std::vector<Commit> committed_;  ///< index 1 first
  std::set<std::uint64_t> refused_;
  base::LogIndex known_to_clients_;
  std::map<base::LogToken, base::LogIndex> read_floors_;
};

/// The number in a command's first bytes.
std::uint64_t number_of(const base::Bytes& data);

}  // namespace fastgpu::raft::testing
