#pragma once

/// Steps the monitor machine: heartbeats with all members, the view of the cluster for this node.
/// Hears the link, the own workers, shards and objects; tells gateway, scheduler and shards the
/// view, shards the lost nodes and whose disks hold whom, the link whom to dial, the store the list
/// to keep.

#include "actors/base_actor.hpp"
#include "runtime/membership/monitor_machine.hpp"

namespace fastgpu::actors {

class MonitorActor final : public BaseActor {
 public:
  MonitorActor(caf::actor_config& config, ContextPtr context);

 private:
  caf::message_handler handlers() override;
  void on_begin() override { step(membership::NodeBegun{directory().shards.size()}); }
  void on_tick() override { step(membership::Tick{}); }
  std::optional<base::Time> next_deadline() const override { return machine_.next_deadline(); }
  void hear(const FromPeer& said);
  void step(const membership::Event& event);
  void perform(membership::SendToNode& send);
  void perform(membership::DialNode& dial);
  void perform(membership::KeepMembers& keep);
  void perform(protocol::SharedView& view);
  void perform(protocol::SharedMemberLists& lists);
  void perform(protocol::NodeLost& lost);

  membership::MonitorMachine machine_;
};

}  // namespace fastgpu::actors
