#include "actors/replica/members_desk.hpp"

#include <utility>
#include <variant>

namespace fastgpu::actors {

MembersDesk::MembersDesk(base::NodeId self, RaftLog& log, Trace trace, raft::KeeperLimits limits)
    : log_(log), trace_(std::move(trace)), keeper_(self, limits) {}

std::optional<base::Time> MembersDesk::next_deadline() const {
  return log_.machine().ready() ? keeper_.next_deadline() : std::nullopt;
}

void MembersDesk::know(raft::Plan plan, base::Time now) {
  keeper_.step(raft::PlanKnown{std::move(plan)}, now);
  seen_.reset();
}

void MembersDesk::see(std::set<base::NodeId> up) {
  if (up != up_) {
    up_ = std::move(up);
    seen_.reset();
  }
}

void MembersDesk::hear(protocol::SharedMemberLists lists) {
  lists_ = std::move(lists);
  seen_.reset();
}

// What is asked for changes the log at once, and so the mark: the keeper looks once more, and waits
// for it.
void MembersDesk::look(base::Time now) {
  const auto due = next_deadline();
  if (seen_ == mark() && !(due && *due <= now)) {
    return;
  }
  seen_ = mark();
  bool acted = false;
  for (const raft::KeeperEffect& effect : keeper_.step(sight(), now)) {
    acted |= act(effect, now);
  }
  if (acted && seen_ != mark()) {
    seen_ = mark();
    for (const raft::KeeperEffect& effect : keeper_.step(sight(), now)) {
      act(effect, now);
    }
  }
}

MembersDesk::Mark MembersDesk::mark() const {
  const raft::RaftMachine& machine = log_.machine();
  return {machine.ready(), machine.handing_over(), machine.changing_members(),
          machine.log().active_index()};
}

raft::GroupSight MembersDesk::sight() const {
  const raft::RaftMachine& machine = log_.machine();
  raft::GroupSight sight;
  sight.leads = machine.ready();
  if (!sight.leads) {
    return sight;
  }
  sight.changing = machine.changing_members();
  sight.handing_over = machine.handing_over();
  sight.members = machine.log().active();
  for (const raft::Member& member : sight.members.members) {
    if (machine.is_near(member.node)) {
      sight.near.insert(member.node);
    }
    if (machine.knows_members(member.node)) {
      sight.told.insert(member.node);
    }
    for (const raft::Member& other : sight.members.members) {
      if (lists_ && lists_->knows(member.node, other.node)) {
        sight.known[member.node].insert(other.node);
      }
    }
  }
  sight.up = up_;
  return sight;
}

/// True where the log was asked for something.
bool MembersDesk::act(const raft::KeeperEffect& effect, base::Time now) {
  std::optional<raft::Refusal> refused;
  if (const auto* says = std::get_if<raft::KeeperSays>(&effect)) {
    trace_(says->line);
    return false;
  }
  if (const auto* change = std::get_if<raft::KeeperChange>(&effect)) {
    refused = log_.change_members(change->change, change->node, change->store);
  } else {
    refused = log_.transfer(std::get<raft::KeeperHandOver>(effect).to);
  }
  if (refused) {
    keeper_.step(raft::KeeperRefused{*refused}, now);
  }
  return !refused;
}

}  // namespace fastgpu::actors
