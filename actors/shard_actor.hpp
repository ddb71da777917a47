#pragma once

/// The actor around one shard replica: its log over this node's store, alone or with replicas on
/// other nodes, and the shard machine that answers for it. Between gateway, scheduler, monitor,
/// the workers and replicas of all nodes (through the link) and the store actor. Opens the log from
/// what the store held at the start; corrupt contents end the process, or accepted work were lost.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "actors/base_actor.hpp"
#include "actors/replica/log_events.hpp"
#include "actors/replica/shard_log.hpp"
#include "runtime/ledger/shard_machine.hpp"

namespace fastgpu::actors {

struct ShardActorOptions {
  base::ShardId shard;
  std::vector<store::KeyValue> contents;  ///< what the store has under the log's prefix
  std::vector<protocol::NodeInfo> founders;
  std::string join_token;
  std::vector<protocol::ClientKey> founding_clients;
  ledger::ShardLimits ledger_limits;
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
  std::optional<RaftLogOptions> group;  ///< of a shard with several replicas; shard, seed: not set
};

class ShardActor final : public BaseActor, private store::StoreWriter, private RaftHost {
 public:
  ShardActor(caf::actor_config& config, ContextPtr context, ShardActorOptions options);

 private:
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override;

  base::Admission write(store::StoreToken token, std::vector<store::Write> writes) override;
  void send(const raft::Message& message) override;
  void alarm(const raft::Alarm& alarm) override { trace(line_of(alarm)); }
  base::Time now() const override { return BaseActor::now(); }
  void handle_peer(const FromPeer& message);
  /// Lets the log give out what waits for no write, in a turn of its own.
  void pump_soon();
  void step(ledger::Event event);
  void perform(const ledger::Propose& effect);
  void perform(const ledger::Read& effect);
  void perform(const ledger::Compact& effect);
  void perform(const ledger::Reply& effect);
  void perform(const ledger::SendToNode& effect);
  void perform(const ledger::ToScheduler& effect);
  void perform(const ledger::Led& effect);
  void perform(const ledger::MembersChanged& effect);

  ShardActorOptions options_;
  ledger::ShardMachine machine_;
  std::unique_ptr<store::StoredLog> log_;
  RaftLog* group_{nullptr};           ///< the same, where the shard has several replicas
  std::deque<ledger::Event> events_;  ///< that came up while effects were performed
  bool stepping_{false};
  bool pumping_{false};  ///< a Pump is under way
};

}  // namespace fastgpu::actors
