#include "runtime/raft/keeper/group_keeper.hpp"

#include <algorithm>
#include <utility>

namespace fastgpu::raft {

using base::to_string;

namespace {

/// Up to so many voters always know each other: see the header.
constexpr std::size_t voters_acquainted = 3;

}  // namespace

GroupKeeper::GroupKeeper(base::NodeId self, KeeperLimits limits) : self_(self), limits_(limits) {}

KeeperEffects GroupKeeper::step(const KeeperEvent& event, base::Time now) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& known) { handle(known); }, event);
  return std::exchange(effects_, {});
}

void GroupKeeper::handle(const PlanKnown& event) {
  if (plan_ == event.plan) {
    return;
  }
  plan_ = event.plan;
  plan_since_ = now_;
  first_ready_since_.reset();
  handed_at_.reset();
  handovers_in_vain_ = 0;
  hand_over_from_ = {};
  not_before_.reset();
  look_at_ = now_;
}

void GroupKeeper::handle(const KeeperRefused& event) {
  const bool soon = event.why == Refusal::full || event.why == Refusal::change_pending;
  not_before_ = now_ + limits_.look_interval / (soon ? 4 : 1);
  look_at_ = not_before_;
  if (handing_to_) {
    handover_failed();
  }
}

void GroupKeeper::handle(const GroupSight& event) {
  sight_ = event;
  look_at_.reset();
  if (!sight_.leads || plan_.empty()) {
    reason_.clear();
    acted_ = false;
    changing_since_.reset();
    farewell_.reset();
    first_ready_since_.reset();
    handing_to_.reset();
    return;
  }
  if (sight_.changing) {
    await_change();
    return;
  }
  changing_since_.reset();
  if (sight_.handing_over) {
    look_at_ = now_ + limits_.look_interval;
    return;
  }
  note_handover();
  if (not_before_ && now_ < *not_before_) {
    look_at_ = not_before_;
    return;
  }
  not_before_.reset();
  if (replace_disks() || add_learners() || promote() || take_votes() || remove_learners() ||
      lead_by_first()) {
    return;
  }
  if (acted_ || !reason_.empty()) {
    say("the group is as it is intended -> nothing is left to do");
    reason_.clear();
    acted_ = false;
  }
}

void GroupKeeper::await_change() {
  changing_since_ = changing_since_.value_or(now_);
  if (now_ - *changing_since_ >= limits_.change_patience) {
    wait("the last change of members to be on enough disks", limits_.remind_interval);
  } else {
    look_at_ = *changing_since_ + limits_.change_patience;
  }
}

// --- the rules -----------------------------------------------------------------------------------

bool GroupKeeper::replace_disks() {
  for (const Intended& intended : plan_) {
    const Member* there = member(intended.node);
    if (!has_another_disk(intended) || intended.node == self_) {
      continue;
    }
    const std::string needed = there->voter ? needed_without(there->node) : "";
    if (!needed.empty()) {
      return wait(needed + ", before the former disk of " + to_string(there->node) + " may go",
                  limits_.look_interval);
    }
    return act(MemberChange::remove, there->node, {}, "has another disk -> it comes anew");
  }
  return false;
}

bool GroupKeeper::add_learners() {
  for (const Intended& intended : plan_) {
    if (member(intended.node) == nullptr && intended.store && is_up(intended.node)) {
      return act(MemberChange::add_learner, intended.node, intended.store,
                 "is to be a replica -> it learns");
    }
  }
  return false;
}

bool GroupKeeper::promote() {
  std::string missing;
  base::Duration look_again = limits_.remind_interval;
  for (const Intended& intended : plan_) {
    const Member* there = member(intended.node);
    if (there != nullptr && (there->voter || !should_vote(intended.node))) {
      continue;
    }
    if (there == nullptr || !is_near(intended.node)) {
      const bool up = is_up(intended.node) && intended.store;
      missing = missing.empty() ? to_string(intended.node) + (up ? " to catch up" : " to be up")
                                : missing;
      look_again = up ? limits_.look_interval : look_again;
      continue;
    }
    if (sight_.members.voters() == 1 && plan_.size() > 2 && learners_ready() < 2) {
      missing = missing.empty() ? "a third replica, since two voters survive nothing" : missing;
      look_again = limits_.look_interval;
      continue;
    }
    if (!is_acquainted(intended.node)) {
      if (take_vote_of_the_silent()) {
        return true;
      }
      missing = missing.empty() ? to_string(intended.node) + " and the voters to know each other"
                                : missing;
      continue;
    }
    return act(MemberChange::promote, intended.node, {}, "has caught up -> it votes");
  }
  return !missing.empty() && wait(missing, look_again);
}

// Else it could keep those who are to come from voting for ever: it may never come back.
bool GroupKeeper::take_vote_of_the_silent() {
  if (sight_.members.voters() <= voters_acquainted || now_ - plan_since_ < limits_.plan_stands) {
    return false;
  }
  for (const base::NodeId node : voters()) {
    if (!should_vote(node) && !is_near(node) && needed_without(node).empty()) {
      return act(MemberChange::demote, node, {},
                 "is not to vote and does not answer -> it votes no more");
    }
  }
  return false;
}

// Those that may go first, of them those that do not answer: without them fewer must answer.
bool GroupKeeper::take_votes() {
  const Member* next = nullptr;
  const auto rank = [this](base::NodeId node) {
    return std::pair(!needed_without(node).empty(), is_near(node));
  };
  for (const Member& one : sight_.members.members) {
    const bool goes = one.voter && one.node != self_ && !should_vote(one.node);
    if (goes && (next == nullptr || rank(one.node) < rank(next->node))) {
      next = &one;
    }
  }
  if (next == nullptr && should_vote(self_)) {
    return false;
  }
  if (now_ - plan_since_ < limits_.plan_stands) {
    return wait("the plan to stand for a moment", plan_since_ + limits_.plan_stands - now_);
  }
  if (next == nullptr) {
    return leave_first();
  }
  if (const std::string needed = needed_without(next->node); !needed.empty()) {
    return wait(needed + ", before " + to_string(next->node) + " may go", limits_.look_interval);
  }
  return act(MemberChange::demote, next->node, {}, "is not to vote -> it votes no more");
}

// A leader without a vote would have to commit its own leaving: its successor does that.
bool GroupKeeper::leave_first() {
  std::vector<base::NodeId> successors;
  for (const Intended& intended : plan_) {
    if (should_vote(intended.node) && is_near(intended.node)) {
      successors.push_back(intended.node);
    }
  }
  if (successors.empty()) {
    return wait("a voter that answers, to lead in place of this replica", limits_.look_interval);
  }
  if (now_ < hand_over_from_) {
    return wait("some time to pass after a handover in vain", hand_over_from_ - now_);
  }
  return hand_over(successors[handovers_in_vain_ % successors.size()], "this replica is to go");
}

bool GroupKeeper::remove_learners() {
  for (const Member& one : sight_.members.members) {
    if (one.voter || is_intended(one)) {
      continue;
    }
    if (!farewell_ || farewell_->node != one.node) {
      farewell_ = {one.node, now_ + limits_.farewell};
    }
    if (is_up(one.node) && !sight_.told.contains(one.node) && now_ < farewell_->until) {
      return wait(to_string(one.node) + " to hear that it votes no more", limits_.look_interval);
    }
    farewell_.reset();
    return act(MemberChange::remove, one.node, {}, "is no replica any more -> it goes");
  }
  return false;
}

bool GroupKeeper::lead_by_first() {
  const base::NodeId first = plan_.front().node;
  const Member* there = member(first);
  if (first == self_) {
    return false;
  }
  if (there == nullptr || !there->voter || !is_near(first) || !is_up(first)) {
    first_ready_since_.reset();
    return wait(to_string(first) + " to come back, which is to lead",
                is_up(first) ? limits_.look_interval : limits_.remind_interval);
  }
  if (!first_ready_since_) {
    first_ready_since_ = now_;
  }
  const base::Time from = std::max(*first_ready_since_ + limits_.settled_after, hand_over_from_);
  if (now_ < from) {
    return wait(to_string(first) + " to stay, which is to lead",
                std::min<base::Duration>(from - now_, limits_.look_interval));
  }
  return hand_over(first, "it is the first of the plan");
}

// --- what they are made of -----------------------------------------------------------------------

bool GroupKeeper::is_intended(const Member& member) const {
  return std::any_of(plan_.begin(), plan_.end(), [&](const Intended& intended) {
    return intended.node == member.node && !has_another_disk(intended);
  });
}

bool GroupKeeper::has_another_disk(const Intended& intended) const {
  const Member* there = member(intended.node);
  return there != nullptr && intended.store && there->store != intended.store;
}

bool GroupKeeper::should_vote(base::NodeId node) const {
  const auto voters =
      plan_.begin() + static_cast<std::ptrdiff_t>(plan_.size() == 2 ? 1 : plan_.size());
  return std::any_of(plan_.begin(), voters, [&](const Intended& intended) {
    return intended.node == node && !has_another_disk(intended);
  });
}

std::vector<base::NodeId> GroupKeeper::voters() const {
  std::vector<base::NodeId> nodes;
  for (const Member& one : sight_.members.members) {
    if (one.voter) {
      nodes.push_back(one.node);
    }
  }
  return nodes;
}

std::string GroupKeeper::needed_without(base::NodeId node) const {
  std::vector<base::NodeId> rest = voters();
  std::erase(rest, node);
  const auto answering = static_cast<std::size_t>(
      std::count_if(rest.begin(), rest.end(), [this](base::NodeId one) { return is_near(one); }));
  if (answering < rest.size() / 2 + 1) {
    return "more voters to answer";
  }
  return rest.size() == voters_acquainted && !know_each_other(rest)
             ? "the other voters to know each other"
             : "";
}

bool GroupKeeper::is_acquainted(base::NodeId learner) const {
  std::vector<base::NodeId> all = voters();
  const std::size_t before = all.size();
  const bool knows_all = std::all_of(all.begin(), all.end(),
                                     [&](base::NodeId voter) { return knows(learner, voter); });
  const auto knowing = static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [&](base::NodeId voter) { return knows(voter, learner); }));
  all.push_back(learner);
  return knows_all &&
         (before <= voters_acquainted ? knowing >= before / 2 + 1 : know_each_other(all));
}

bool GroupKeeper::knows(base::NodeId who, base::NodeId whom) const {
  const auto known = sight_.known.find(who);
  return who == whom || (known != sight_.known.end() && known->second.contains(whom));
}

bool GroupKeeper::know_each_other(const std::vector<base::NodeId>& nodes) const {
  return std::all_of(nodes.begin(), nodes.end(), [&](base::NodeId who) {
    return std::all_of(nodes.begin(), nodes.end(),
                       [&](base::NodeId whom) { return knows(who, whom); });
  });
}

// None while they and the voters do not know each other: the second could not follow the first.
std::size_t GroupKeeper::learners_ready() const {
  std::vector<base::NodeId> all = voters();
  const std::size_t before = all.size();
  for (const Intended& intended : plan_) {
    const Member* there = member(intended.node);
    if (there != nullptr && !there->voter && is_near(intended.node)) {
      all.push_back(intended.node);
    }
  }
  return know_each_other(all) ? all.size() - before : 0;
}

bool GroupKeeper::act(MemberChange change, base::NodeId node, StoreId store, std::string why) {
  say(to_string(node) + " " + why);
  effects_.push_back(KeeperChange{change, node, store});
  acted_ = true;
  look_at_ = now_ + limits_.look_interval;
  return true;
}

bool GroupKeeper::hand_over(base::NodeId to, const std::string& why) {
  say(why + " -> " + to_string(to) + " is asked to lead");
  effects_.push_back(KeeperHandOver{to});
  handing_to_ = to;
  handed_at_ = now_;
  look_at_ = now_ + limits_.look_interval;
  return true;
}

// Still leading, with no handover under way: the last one failed, or the leadership came back.
void GroupKeeper::note_handover() {
  if (handing_to_) {
    handover_failed();
  } else if (handed_at_ && now_ - *handed_at_ >= 2 * limits_.handover_pause_max) {
    handed_at_.reset();
    handovers_in_vain_ = 0;
  } else if (handed_at_ && hand_over_from_ <= *handed_at_) {
    handover_failed();
  }
}

void GroupKeeper::handover_failed() {
  handing_to_.reset();
  base::Duration pause = limits_.handover_pause_min;
  for (std::uint32_t i = 0; i < handovers_in_vain_ && pause < limits_.handover_pause_max; ++i) {
    pause *= 2;
  }
  ++handovers_in_vain_;
  hand_over_from_ = now_ + std::min(pause, limits_.handover_pause_max);
}

bool GroupKeeper::wait(std::string reason, base::Duration look_again) {
  if (reason != reason_ || now_ - said_at_ >= limits_.remind_interval) {
    say("the group is not as it is intended -> it waits for " + reason);
    said_at_ = now_;
    reason_ = std::move(reason);
  }
  look_at_ = now_ + look_again;
  return true;
}

}  // namespace fastgpu::raft
