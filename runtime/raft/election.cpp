/// Elections: section 5.2 and 5.4.1 of the Raft paper, pre-vote (dissertation 9.6), check-quorum
/// and the refusal of votes while a leader is alive (dissertation 4.2.3 and 6.2).

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::draw_election_deadline() {
  const auto& limits = options_.limits;
  const auto spread = limits.election_timeout_max - limits.election_timeout_min;
  election_at_ = now_ + limits.election_timeout_min +
                 base::Duration(static_cast<std::int64_t>(
                     random_.below(static_cast<std::uint64_t>(spread.count()))));
}

// Among the voters without this leader. It moves on with the term, so that not the same node is
// the first each time.
std::size_t RaftMachine::turn_after(base::NodeId leader) const {
  std::size_t before = 0;
  std::size_t others = 0;
  for (const Member& member : log_.active().members) {
    if (member.voter && member.node != leader) {
      before += member.node < options_.self ? 1 : 0;
      ++others;
    }
  }
  return (before + term_.value) % std::max<std::size_t>(others, 1);
}

// A leader whose connection broke is most likely dead, and whoever else thinks so gives a pre-vote.
// If it lives after all, it is heard again before, or loses its office and nothing else.
void RaftMachine::handle(const PeerLost& event) {
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != event.node) {
    return;
  }
  const auto& limits = options_.limits;
  const auto step = limits.early_election_step;
  follower->heard = now_ - limits.election_timeout_min;
  const base::Duration wait = step / 2 + turn_after(event.node) * step +
                              base::Duration(static_cast<std::int64_t>(
                                  random_.below(static_cast<std::uint64_t>(step.count()) / 4)));
  election_at_ = std::min(election_at_, now_ + wait);
}

// A voter whose removal is not committed may be needed to commit it: nobody else may have an entry
// of it, and those who do not cannot win against this log (dissertation 4.2.2). It does not count
// itself.
bool RaftMachine::may_campaign() const {
  const Configuration* before = log_.active_index() > commit_ ? log_.before_active() : nullptr;
  const bool leaving = before != nullptr && before->has_voter(options_.self, options_.store);
  return !outdated_ && (can_vote() || (leaving && !broken(Fault::leave_before_commit)));
}

// While a snapshot is being put in place this log is neither the old nor the new one; and a replica
// whose disk does not even have the present term would make a poor leader.
void RaftMachine::on_election_timeout() {
  draw_election_deadline();
  const bool busy =
      (installing_ && !broken(Fault::campaign_while_installing)) || hard_tag_ > durable_tag_;
  if (!may_campaign() || busy || pending_.size() >= options_.limits.persists_in_flight_max) {
    return;
  }
  if (broken(Fault::no_pre_vote)) {
    campaign(false);
  } else {
    ask_for_pre_votes();
  }
}

// Changes nothing that lasts: neither the term nor anybody's vote.
void RaftMachine::ask_for_pre_votes() {
  role_ = PreCandidate{{options_.self}};
  const LogPosition last = broken(Fault::advertise_memory) ? log_.last() : log_.persisted();
  for (const Member& member : log_.active().members) {
    if (member.voter && member.node != options_.self) {
      send(member.node, member.store, VoteRequest{true, {term_.value + 1}, last, false});
    }
  }
  if (won(std::get<PreCandidate>(role_).granted)) {
    campaign(false);
  }
}

void RaftMachine::campaign(bool transfer) {
  draw_election_deadline();
  set_hard_state({term_.value + 1}, options_.self);
  role_ = Candidate{hard_tag_, {}};
  const LogPosition last = broken(Fault::advertise_memory) ? log_.last() : log_.persisted();
  for (const Member& member : log_.active().members) {
    if (member.voter && member.node != options_.self) {
      send(member.node, member.store, VoteRequest{false, term_, last, transfer});
    }
  }
}

void RaftMachine::count_own_vote() {
  auto* candidate = std::get_if<Candidate>(&role_);
  if (candidate != nullptr && candidate->own_vote <= durable_tag_) {
    candidate->granted.insert(options_.self);
    if (won(candidate->granted)) {
      become_leader();
    }
  }
}

bool RaftMachine::won(const std::set<base::NodeId>& granted) const {
  std::size_t votes = 0;
  for (const Member& member : log_.active().members) {
    const bool other_disk = member.node == options_.self && member.store != options_.store;
    votes += member.voter && granted.contains(member.node) && !other_disk ? 1 : 0;
  }
  return votes >= log_.active().majority();
}

bool RaftMachine::has_live_leader() const {
  if (const auto* follower = std::get_if<Follower>(&role_)) {
    return follower->leader && now_ - follower->heard < options_.limits.election_timeout_min;
  }
  return role() == RoleKind::leader;  // check-quorum ends it when it is no longer heard
}

void RaftMachine::receive(const Message& message, const VoteRequest& request) {
  if (installing_ && !broken(Fault::campaign_while_installing)) {
    return;
  }
  request.pre ? answer_pre_vote(message, request) : answer_vote(message, request);
}

void RaftMachine::answer_pre_vote(const Message& message, const VoteRequest& request) {
  if (message.term < term_ && broken(Fault::ignore_lower_terms)) {
    return;
  }
  const bool granted = message.term >= term_ && request.campaign > term_ && !has_live_leader() &&
                       up_to_date(request.last, log_.persisted());
  reply(message, VoteReply{true, request.campaign, granted});
}

// One vote in a term, whatever the reason of the request. A replica that hears a live leader does
// not even take over the term: else a node that was cut off would depose a healthy leader.
void RaftMachine::answer_vote(const Message& message, const VoteRequest& request) {
  if (message.term < term_) {
    answer_lower_term(message);
    return;
  }
  if (has_live_leader() && !request.transfer) {
    return;
  }
  if (message.term > term_) {
    become_follower(message.term);
  }
  const bool free =
      !vote_ || *vote_ == message.from || (broken(Fault::transfer_vote) && request.transfer);
  const bool granted = free && up_to_date(request.last, log_.persisted());
  if (granted) {
    draw_election_deadline();
    if (vote_ != message.from && broken(Fault::vote_not_persisted)) {
      vote_ = message.from;
    } else if (vote_ != message.from) {
      set_hard_state(term_, message.from);
    }
  }
  reply(message, VoteReply{false, request.campaign, granted});
}

void RaftMachine::receive(const Message& message, const VoteReply& reply) {
  if (message.term > term_) {
    become_follower(message.term);
    return;
  }
  if (!reply.granted) {
    return;
  }
  auto* pre = std::get_if<PreCandidate>(&role_);
  auto* candidate = std::get_if<Candidate>(&role_);
  if (reply.pre && pre != nullptr && reply.campaign.value == term_.value + 1) {
    pre->granted.insert(message.from);
    if (won(pre->granted)) {
      campaign(false);
    }
  } else if (!reply.pre && candidate != nullptr && reply.campaign == term_ &&
             message.term == term_) {
    candidate->granted.insert(message.from);
    if (won(candidate->granted)) {
      become_leader();
    }
  }
}

void RaftMachine::become_follower(base::Term term) {
  if (role() == RoleKind::leader) {
    step_down();
  }
  Follower fresh;
  if (const auto* before = std::get_if<Follower>(&role_);
      before != nullptr && broken(Fault::keep_checked)) {
    fresh.checked = before->checked;
  }
  if (term > term_) {
    set_hard_state(term, broken(Fault::keep_vote) ? vote_ : std::nullopt);
  }
  role_ = fresh;
  draw_election_deadline();
}

// What was proposed may be committed by the next leader, or not.
void RaftMachine::step_down() {
  const auto& leader = std::get<Leader>(role_);
  for (const Leader::Proposal& proposal : leader.proposals) {
    effects_.push_back(OutcomeUnknown{proposal.token});
  }
  for (const base::LogToken& token : leader.reads_waiting) {
    effects_.push_back(OutcomeUnknown{token});
  }
  if (leader.reading) {
    for (const base::LogToken& token : leader.reading->tokens) {
      effects_.push_back(OutcomeUnknown{token});
    }
  }
  if (leader.handover) {
    effects_.push_back(OutcomeUnknown{leader.handover->token});
  }
  role_ = Follower{};
  draw_election_deadline();
  effects_.push_back(NotLeading{});
}

Follower& RaftMachine::follow(const Message& message) {
  if (message.term > term_ || role() != RoleKind::follower) {
    become_follower(message.term);
  }
  auto& follower = std::get<Follower>(role_);
  if (follower.leader != message.from) {
    follower.leader = message.from;
    follower.leader_store = message.from_store;
    effects_.push_back(NotLeading{follower.leader});
  }
  follower.heard = now_;
  draw_election_deadline();
  return follower;
}

void RaftMachine::become_leader() {
  Leader leader;
  leader.first_own = {log_.last().index.value + 1};
  leader.heartbeat_at = beat_after(options_.limits.heartbeat_interval);
  leader.quorum_check_at = beat_after(options_.limits.election_timeout_min);
  leader.round = {1};
  role_ = std::move(leader);
  on_members_changed();
  if (broken(Fault::no_no_op)) {
    std::get<Leader>(role_).ready = true;
    effects_.push_back(Leading{epoch_, term_});
    return;
  }
  // Commits what earlier terms left behind, and shows that this leader can commit at all.
  append_own({});
}

}  // namespace fastgpu::raft
