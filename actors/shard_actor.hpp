#pragma once

/// The actor around one shard replica: the shard machine that answers for it over its log, which is
/// ReplicaActor's. Between gateway, scheduler, monitor, the workers and replicas of all nodes
/// (through the link) and the store actor.

#include <deque>
#include <string>
#include <vector>

#include "actors/shard/replica_actor.hpp"
#include "runtime/ledger/shard_machine.hpp"

namespace fastgpu::actors {

struct ShardActorOptions {
  base::ShardId shard;
  std::vector<store::KeyValue> contents;  ///< what the store has under the log's prefix
  std::vector<protocol::NodeInfo> founders;
  std::string founding_token;
  std::vector<protocol::ClientKey> founding_clients;
  std::uint32_t founding_replicas{0};
  ledger::ShardLimits ledger_limits;
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
  std::optional<RaftLogOptions> group;  ///< of a shard with several replicas; shard, seed: not set
};

class ShardActor final : public ReplicaActor {
 public:
  ShardActor(caf::actor_config& config, ContextPtr context, ShardActorOptions options);

 private:
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_tick() override;
  std::optional<base::Time> next_deadline() const override;

  void handle_peer(const FromPeer& message);
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
  std::deque<ledger::Event> events_;  ///< that came up while effects were performed
  bool stepping_{false};
};

}  // namespace fastgpu::actors
