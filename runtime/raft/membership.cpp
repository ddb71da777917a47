/// Changes of members, one server at a time: section 4.1 to 4.2 of the dissertation, with its
/// published correction: none before an entry of the leader's own term is committed, else two
/// leaders of different terms could each change the members and find majorities that do not meet.

#include <algorithm>
#include <utility>

#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::handle(const ChangeMembers& event) {
  if (const auto why = why_not(event)) {
    return refuse(event.token, *why);
  }
  Entry entry;
  entry.kind = EntryKind::configuration;
  entry.configuration = log_.active();
  auto& members = entry.configuration.members;
  const auto at = std::find_if(members.begin(), members.end(),
                               [&](const Member& member) { return member.node >= event.node; });
  switch (event.change) {
    case MemberChange::add_learner:
      members.insert(at, {event.node, event.store, false});
      break;
    case MemberChange::promote:
      at->voter = true;
      break;
    case MemberChange::demote:
      at->voter = false;
      break;
    case MemberChange::remove:
      members.erase(at);
      break;
  }
  append_own(std::move(entry));
  std::get<Leader>(role_).proposals.push_back({log_.last().index, event.token, 0});
}

std::optional<Refusal> RaftMachine::why_not(const ChangeMembers& event) const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) {
    return Refusal::not_leading;
  }
  if (leader->handover || leader->proposals.size() >= options_.limits.proposals_in_flight_max) {
    return Refusal::full;
  }
  if ((!leader->ready && !broken(Fault::no_own_term_rule)) ||
      (log_.active_index() > commit_ && !broken(Fault::two_changes) &&
       !broken(Fault::no_own_term_rule))) {
    return Refusal::change_pending;
  }
  if (!can_vote()) {
    return Refusal::change_pending;  // it leads on until its own leaving is given out
  }
  return why_not(event, log_.active().find(event.node));
}

std::optional<Refusal> RaftMachine::why_not(const ChangeMembers& event,
                                            const Member* member) const {
  if (event.change == MemberChange::add_learner) {
    const bool named = event.node && event.store;
    return member != nullptr || !named ? std::optional(Refusal::no_change) : std::nullopt;
  }
  if (member == nullptr) {
    return Refusal::no_such_member;
  }
  const bool takes_voter = member->voter && event.change != MemberChange::promote;
  const bool as_it_is = (event.change == MemberChange::promote && member->voter) ||
                        (event.change == MemberChange::demote && !member->voter);
  if (as_it_is || (takes_voter && log_.active().voters() == 1)) {
    return Refusal::no_change;
  }
  if (event.change == MemberChange::promote && !caught_up(event.node)) {
    return Refusal::not_caught_up;
  }
  return std::nullopt;
}

// A voter that is far behind, or gone, would count in every majority and help none.
bool RaftMachine::caught_up(base::NodeId node) const {
  const Progress& progress = std::get<Leader>(role_).peers.at(node);
  return (progress.match().value + options_.limits.caught_up_entries >= commit_.value &&
          progress.match().value > 0 &&
          now_ - progress.heard() < options_.limits.election_timeout_min) ||
         broken(Fault::promote_unready);
}

bool RaftMachine::is_near(base::NodeId node) const {
  const auto* leader = std::get_if<Leader>(&role_);
  return leader != nullptr &&
         (node == options_.self || (leader->peers.contains(node) && caught_up(node)));
}

bool RaftMachine::knows_members(base::NodeId node) const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || node == options_.self) {
    return leader != nullptr;
  }
  const auto peer = leader->peers.find(node);
  return peer != leader->peers.end() && peer->second.match() >= log_.active_index();
}

// The members in force are the newest in the log, committed or not.
void RaftMachine::on_members_changed() {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) {
    return;
  }
  std::erase_if(leader->peers,
                [&](const auto& peer) { return log_.active().find(peer.first) == nullptr; });
  for (const Member& member : log_.active().members) {
    if (member.node != options_.self) {
      leader->peers.try_emplace(member.node, member.store,
                                base::LogIndex{log_.last().index.value + 1}, now_);
    }
  }
}

// A leader that is a voter no more leads until that is committed, without counting itself, and
// tells the others before it goes.
void RaftMachine::on_members_committed() {
  if (role() == RoleKind::leader && log_.active_index() <= given_ && !can_vote()) {
    send_heartbeats(false);
    become_follower(term_);
  }
}

}  // namespace fastgpu::raft
