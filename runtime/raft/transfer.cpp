/// Handing the leadership over: section 3.10 of the dissertation. No new proposals while it lasts;
/// the successor gets the rest of the log, then leave to campaign at once. Its request for votes is
/// judged like any other, but for the live leader: one vote in a term.

#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::handle(const Transfer& event) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !leader->ready) {
    return refuse(event.token, Refusal::not_leading);
  }
  const Member* member = log_.active().find(event.to);
  if (member == nullptr || !member->voter || event.to == options_.self) {
    return refuse(event.token, Refusal::no_such_member);
  }
  if (leader->handover) {
    return refuse(event.token, Refusal::full);
  }
  leader->handover = {event.token, event.to, now_ + options_.limits.transfer_timeout, false};
}

bool RaftMachine::handing_over() const {
  const auto* leader = std::get_if<Leader>(&role_);
  return leader != nullptr && leader->handover.has_value();
}

void RaftMachine::continue_transfer() {
  auto& leader = std::get<Leader>(role_);
  if (!leader.handover || leader.handover->told) {
    return;
  }
  const auto peer = leader.peers.find(leader.handover->to);
  if (peer != leader.peers.end() && peer->second.match() == log_.last().index) {
    leader.handover->told = true;
    send(peer->first, peer->second.store(), TimeoutNow{});
  }
}

void RaftMachine::receive(const Message& message, const TimeoutNow&) {
  const bool mine = message.term == term_ && role() == RoleKind::follower;
  if (mine && can_vote() && (!installing_ || broken(Fault::campaign_while_installing))) {
    campaign(true);
  }
}

}  // namespace fastgpu::raft
