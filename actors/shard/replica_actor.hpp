#pragma once

/// The half of a shard actor that has to do with its log: opens it over this node's store, alone or
/// with replicas on other nodes, drives it, and keeps the members of its group as the plan of the
/// cluster has them. ShardActor is the other half, and the only one that derives from it.
/// Opens the log from what the store held at the start; corrupt contents end the process, or
/// accepted work were lost. The plan comes with the view of the cluster; the monitor is told
/// whether this replica votes.

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "actors/base_actor.hpp"
#include "actors/replica/log_events.hpp"
#include "actors/replica/members_desk.hpp"
#include "actors/replica/shard_log.hpp"
#include "runtime/protocol/raft_messages.hpp"

namespace fastgpu::actors {

class ReplicaActor : public BaseActor, private store::StoreWriter, private RaftHost {
 protected:
  using BaseActor::BaseActor;

  /// Handlers for the derived actor's list.
  caf::message_handler log_handlers();
  void open(const ShardLogOptions& options, std::vector<store::KeyValue> contents,
            base::ReplicatedLog::Sink sink);
  base::ReplicatedLog& log() { return *log_; }
  void receive(base::NodeId from, const protocol::RaftMessage& message);
  /// The connection to this node broke, or it is silent.
  void lose(base::NodeId peer);
  void see(const protocol::SharedView& view);
  void tick_log();
  std::optional<base::Time> log_deadline() const;
  /// Lets the log give out what waits for no write, in a turn of its own.
  void pump_soon();

  base::Time now() const override { return BaseActor::now(); }

 private:
  base::Admission write(store::StoreToken token, std::vector<store::Write> writes) override;
  void send(const raft::Send& said) override;
  void alarm(const raft::Alarm& alarm) override;
  /// After each turn of the log.
  void settle();
  /// To the monitor, where it has changed.
  void tell_vote();

  base::ShardId shard_;
  std::unique_ptr<store::StoredLog> log_;
  RaftLog* group_{nullptr};               ///< the same, where the shard has several replicas
  std::unique_ptr<MembersDesk> members_;  ///< there, too
  std::shared_ptr<const protocol::Members> planned_;                ///< from which its plan is
  bool pumping_{false};                                             ///< a Pump is under way
  std::set<std::pair<raft::AlarmKind, base::NodeId>> epochs_told_;  ///< said over and over: once
  std::optional<bool> vote_told_;
};

}  // namespace fastgpu::actors
