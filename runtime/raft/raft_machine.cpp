#include "runtime/raft/raft_machine.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/crc32c.hpp"
#include "runtime/raft/message_check.hpp"

namespace fastgpu::raft {

base::Result<std::unique_ptr<RaftMachine>> RaftMachine::open(RaftOptions options,
                                                             StoredState stored) {
  if (stored.store != options.store) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                       "the store is of another replica",
                       "give the node its own data folder, or let it join as a new node"};
  }
  auto whole = checked(std::move(stored), options.fault);
  if (!whole) {
    return whole.error();
  }
  return std::unique_ptr<RaftMachine>(new RaftMachine(options, whole.value()));
}

RaftMachine::RaftMachine(RaftOptions options, const StoredState& stored)
    : options_(options),
      epoch_(options.epoch),
      random_(options.seed),
      term_(stored.hard.term),
      vote_(stored.hard.vote),
      log_(stored, options.fault),
      snapshot_(stored.snapshot),
      commit_(stored.snapshot.last.index),
      given_(stored.snapshot.last.index) {
  const RaftLimits& limits = options_.limits;
  FASTGPU_CHECK(options_.self && options_.store && options_.epoch, "a replica has an identity");
  FASTGPU_CHECK(limits.heartbeat_interval * 2 < limits.election_timeout_min &&
                    limits.election_timeout_min < limits.election_timeout_max,
                "a few late heartbeats are no reason for an election");
  FASTGPU_CHECK(limits.window_messages_max > 0 && limits.append_entries_max > 0 &&
                    limits.snapshot_chunk_bytes > 0 && limits.persists_in_flight_max > 0,
                "a replica must be able to send and to write");
}

Effects RaftMachine::step(const Event& event, base::Time now) {
  now_ = std::max(now_, now);
  effects_.clear();
  if (!halted_) {
    write_ = {};
    wrote_ = false;
    std::visit([this](const auto& known) { handle(known); }, event);
  }
  if (halted_) {
    effects_.push_back(Halt{*halted_});
  } else {
    finish();
  }
  return std::move(effects_);
}

// Whatever happened, the same rules follow in the same order: commit, give out, read, send, write.
void RaftMachine::finish() {
  advance_commit();
  give_out();
  answer_reads();
  begin_reads();
  answer_reads();
  if (auto* leader = std::get_if<Leader>(&role_)) {
    for (auto& [node, progress] : leader->peers) {
      replicate(node, progress);
    }
    continue_transfer();
  }
  issue_write();
}

std::optional<base::NodeId> RaftMachine::leader() const {
  if (const auto* follower = std::get_if<Follower>(&role_)) {
    return follower->leader;
  }
  return role() == RoleKind::leader ? std::optional(options_.self) : std::nullopt;
}

bool RaftMachine::ready() const {
  const auto* leader = std::get_if<Leader>(&role_);
  return leader != nullptr && leader->ready;
}

std::optional<base::Time> RaftMachine::next_deadline() const {
  const auto* leader = std::get_if<Leader>(&role_);
  if (halted_ || (leader == nullptr && !may_campaign())) {
    return std::nullopt;  // a replica that may not campaign waits to be called, and costs nothing
  }
  if (leader == nullptr) {
    return election_at_;
  }
  if (leader->peers.empty()) {
    return std::nullopt;  // it leads nobody but itself: nobody is to be heard of, or told
  }
  base::Time first = std::min(leader->heartbeat_at, leader->quorum_check_at);
  return leader->handover ? std::min(first, leader->handover->until) : first;
}

void RaftMachine::handle(const Started&) {
  draw_election_deadline();
  if (can_vote() && log_.active().voters() == 1) {
    election_at_ = now_;  // there is nobody to wait for
  }
  if (snapshot_.last.index) {
    effects_.push_back(Restored{snapshot_});
  }
}

void RaftMachine::handle(const Tick&) {
  if (idle_) {
    return;
  }
  if (role() == RoleKind::leader) {
    on_leader_tick();
  } else if (now_ >= election_at_) {
    on_election_timeout();
  }
}

void RaftMachine::handle(const Received& event) {
  const Message& message = event.message;
  const bool anew = calls_anew(message);
  const Standing standing{
      options_, anew ? message.epoch : epoch_, term_, role() == RoleKind::leader, leader(), log_};
  if (const auto why = objection(message, standing)) {
    on_refused(message, *why);
    return;
  }
  if (outdated_ || idle_ || pending_.size() >= options_.limits.persists_in_flight_max) {
    return;  // where the disk is behind, the sender repeats itself
  }
  if (anew) {
    take_epoch(message.epoch);
  }
  std::visit([&](const auto& body) { receive(message, body); }, message.body);
}

void RaftMachine::handle(const Propose& event) {
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || !leader->ready) {
    return refuse(event.token, Refusal::not_leading);
  }
  if (event.command.size() > options_.limits.entry_bytes_max) {
    return refuse(event.token, Refusal::too_large);
  }
  const bool bytes_full =
      !leader->proposals.empty() &&
      leader->proposal_bytes + event.command.size() > options_.limits.proposal_bytes_in_flight_max;
  if (bytes_full || leader->handover ||
      leader->proposals.size() >= options_.limits.proposals_in_flight_max) {
    return refuse(event.token, Refusal::full);
  }
  Entry entry;
  entry.kind = EntryKind::command;
  entry.data = event.command;
  append_own(std::move(entry));
  leader->proposals.push_back({log_.last().index, event.token, event.command.size()});
  leader->proposal_bytes += event.command.size();
}

void RaftMachine::handle(const Compact& event) {
  FASTGPU_CHECK(event.index <= given_, "only what was given out can be replaced by a snapshot");
  if (event.index <= snapshot_.last.index || installing_) {
    return;  // a later snapshot is here, or on its way to disk: it must not be replaced by this one
  }
  FASTGPU_CHECK(event.data.size() <= options_.limits.snapshot_bytes_max, "a snapshot too large");
  const LogPosition last{event.index, *log_.term_at(event.index)};
  const Configuration members =
      broken(Fault::snapshot_active_members) ? log_.active() : log_.members_at(event.index);
  snapshot_ = {last, log_.chain_at(event.index), members, event.data,
               base::crc32c(event.data.span())};
  write().snapshot = snapshot_;
  log_.forget_members_before(event.index);
  const std::uint64_t kept = options_.limits.entries_kept_behind_snapshot;
  if (event.index.value > log_.before_first().index.value + kept) {
    const base::LogIndex through{event.index.value - kept};
    write().drop_through = through;
    log_.drop_through(through);
  }
}

// The store reports in the order of the tags. First the log learns what it has, then what waited
// for it happens: the own vote counts, the leader is told, held messages leave.
void RaftMachine::handle(const Persisted& event) {
  FASTGPU_CHECK(event.up_to <= last_tag_, "the store reports what was not written");
  if (event.up_to <= durable_tag_) {
    return;
  }
  durable_tag_ = event.up_to;
  log_.completed(event.up_to);
  while (!pending_.empty() && pending_.front().tag <= event.up_to) {
    const Pending pending = pending_.front();
    pending_.pop_front();
    on_reported(pending);
  }
  if (installing_ && installing_->tag <= durable_tag_) {
    finish_install();
  }
  count_own_vote();
  acknowledge(false);
  release_held();
}

// Right is to do nothing here: what a report means follows from what the log and the role are now.
void RaftMachine::on_reported(const Pending& pending) {
  if (!pending.entries || pending.role != RoleKind::follower || !pending.leader) {
    return;
  }
  const auto* follower = std::get_if<Follower>(&role_);
  if (broken(Fault::no_tag_test) && follower == nullptr) {
    send(*pending.leader, pending.leader_store, AppendReply{{}, pending.last, std::nullopt, {}});
  }
  if (broken(Fault::reply_to_present_leader) && follower != nullptr && follower->leader &&
      pending.term != term_) {
    send(*follower->leader, follower->leader_store,
         AppendReply{follower->round, pending.last, std::nullopt, {}});
  }
}

void RaftMachine::handle(const PersistFailed&) {
  if (broken(Fault::fail_is_no)) {
    if (auto* leader = std::get_if<Leader>(&role_)) {
      for (const Leader::Proposal& proposal : leader->proposals) {
        refuse(proposal.token, Refusal::full);
      }
      leader->proposals.clear();
      leader->proposal_bytes = 0;
    }
    return;
  }
  if (role() == RoleKind::leader) {
    step_down();
  }
  halted_ = "a write to the log failed and may or may not be on disk: start again from what is";
}

void RaftMachine::give_out() {
  while (given_ < std::min(commit_, log_.persisted().index)) {
    given_.value += 1;
    const Entry& entry = log_.at(given_);
    auto* leader = std::get_if<Leader>(&role_);
    std::optional<base::LogToken> token;
    if (leader != nullptr && !leader->proposals.empty() &&
        leader->proposals.front().index == given_) {
      token = leader->proposals.front().token;
      leader->proposal_bytes -= leader->proposals.front().bytes;
      leader->proposals.pop_front();
    }
    effects_.push_back(Committed{entry, token});
    if (leader != nullptr && given_ == leader->first_own && !leader->ready) {
      leader->ready = true;
      effects_.push_back(Leading{epoch_, term_});
    }
    if (entry.kind == EntryKind::configuration) {
      on_members_committed();
    }
  }
}

Persist& RaftMachine::write() {
  wrote_ = true;
  return write_;
}

void RaftMachine::set_hard_state(base::Term term, std::optional<base::NodeId> vote) {
  FASTGPU_CHECK(term >= term_, "terms only grow");
  term_ = term;
  vote_ = vote;
  write().hard = HardState{term_, vote_};
  hard_tag_ = step_tag();
}

void RaftMachine::issue_write() {
  if (!wrote_) {
    return;
  }
  write_.urgent = write_.hard.has_value() && !broken(Fault::vote_not_urgent);
  if (broken(Fault::term_and_vote_apart) && write_.hard && write_.hard->vote) {
    Persist term_alone;
    term_alone.hard = HardState{write_.hard->term, std::nullopt};
    issue(std::move(term_alone));
  }
  issue(std::move(write_));
}

void RaftMachine::issue(Persist persist) {
  last_tag_ = step_tag();
  persist.tag = last_tag_;
  const auto* follower = std::get_if<Follower>(&role_);
  pending_.push_back({last_tag_, term_, role(), follower ? follower->leader : std::nullopt,
                      follower ? follower->leader_store : StoreId{}, log_.last().index,
                      !persist.entries.empty()});
  log_.issued(last_tag_);
  const auto after_others = std::find_if(effects_.begin(), effects_.end(), [](const Effect& one) {
    return !std::holds_alternative<Persist>(one);
  });
  effects_.insert(after_others, std::move(persist));
}

void RaftMachine::send(base::NodeId to, StoreId store, Body body, bool may_wait) {
  const bool is_vote =
      std::holds_alternative<VoteReply>(body) || std::holds_alternative<VoteRequest>(body);
  Message message{options_.self, options_.store, to, store, epoch_, term_, std::move(body)};
  if (hard_tag_ <= durable_tag_ || (is_vote && broken(Fault::votes_before_sync))) {
    effects_.push_back(Send{std::move(message), may_wait});
  } else if (held_.size() < options_.limits.held_messages_max) {
    held_.push_back({hard_tag_, std::move(message)});
  }
}

// A vote stands for its term; all else is said in a role, and another role takes it back.
bool RaftMachine::still_meant(const Message& message) const {
  if (message.term != term_) {
    return false;
  }
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    return role() == (request->pre ? RoleKind::pre_candidate : RoleKind::candidate);
  }
  const bool is_answer = std::holds_alternative<AppendReply>(message.body) ||
                         std::holds_alternative<SnapshotReply>(message.body);
  return std::holds_alternative<VoteReply>(message.body) ||
         role() == (is_answer ? RoleKind::follower : RoleKind::leader);
}

// A message that waited for the disk belongs to the term and the role in which it was made, or
// to nobody.
void RaftMachine::release_held() {
  while (!held_.empty() && held_.front().after <= durable_tag_) {
    Message& message = held_.front().message;
    if (still_meant(message) || broken(Fault::no_tag_test)) {
      effects_.push_back(Send{std::move(message)});
    }
    held_.pop_front();
  }
}

}  // namespace fastgpu::raft
