#pragma once

/// The actor around one shard replica: its log over this node's store, and the shard machine that
/// answers for it. Between the gateway, the scheduler, the monitor, the workers of all nodes
/// (through the link) and the store actor. Opens the log from what the store held at the start;
/// contents that are corrupt end the process, since going on would lose accepted work.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "actors/base_actor.hpp"
#include "runtime/ledger/shard_machine.hpp"
#include "runtime/store/solo_log.hpp"

namespace fastgpu::actors {

struct ShardActorOptions {
  base::ShardId shard;
  std::vector<store::KeyValue> contents;  ///< what the store has under the log's prefix
  std::vector<protocol::NodeInfo> founders;
  std::string join_token;
  ledger::LedgerFaults ledger_faults;
  store::SoloLogFaults log_faults;
};

class ShardActor final : public BaseActor, private store::StoreWriter {
 public:
  ShardActor(caf::actor_config& config, ContextPtr context, ShardActorOptions options);

 private:
  caf::message_handler handlers() override;
  void on_begin() override;
  void on_tick() override { step(ledger::Tick{}); }
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }

  base::Admission write(store::StoreToken token, std::vector<store::Write> writes) override;
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
  std::unique_ptr<store::SoloLog> log_;
  std::deque<ledger::Event> events_;  ///< that came up while effects were performed
  bool stepping_{false};
  bool pumping_{false};  ///< a Pump is under way
};

}  // namespace fastgpu::actors
