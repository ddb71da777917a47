#include "runtime/ledger/shard_machine.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "runtime/base/check.hpp"
#include "runtime/ledger/shard_errors.hpp"

namespace fastgpu::ledger {

ShardMachine::ShardMachine(ShardOptions options)
    : options_(std::move(options)),
      state_(options_.shard, options_.layout, options_.limits.retention, options_.faults),
      batch_(options_.limits) {
  learn_incarnation(options_.self, options_.incarnation);
}

Effects ShardMachine::step(const Event& event, base::Time now, base::WallTimeMs wall_now) {
  now_ = now;
  wall_now_ = wall_now;
  effects_.clear();
  std::visit([this](const auto& known) { handle(known); }, event);
  if (leading_) {
    look_after_dependencies();
    for (Propose& proposal : batch_.flush(now_, last_token_)) {
      effects_.push_back(std::move(proposal));
    }
    begin_read();
  }
  return std::move(effects_);
}

std::optional<base::Time> ShardMachine::next_deadline() const {
  std::optional<base::Time> first;
  const auto consider = [&first](std::optional<base::Time> at) {
    if (at && (!first || *at < *first)) {
      first = at;
    }
  };
  consider(assigns_.next_deadline());
  consider(batch_.next_deadline());
  consider(adoption_ends_);
  consider(dependencies_.next_deadline());
  if (!watch_deadlines_.empty()) {
    consider(watch_deadlines_.begin()->first);
  }
  for (const auto& [node, adoption] : adopting_) {
    consider(adoption.due);
  }
  if (!lease_ends_.empty()) {
    consider(lease_ends_.begin()->first);
  }
  if (!command_ends_.empty()) {
    consider(command_ends_.begin()->first);
  }
  return first;
}

void ShardMachine::handle(const Leading& event) {
  FASTGPU_CHECK(!leading_ || std::pair(event.epoch, event.term) > std::pair(epoch_, term_),
                "a leadership must be greater than the one before");
  if (leading_) {
    handle(NotLeading{});
  }
  leading_ = true;
  epoch_ = event.epoch;
  term_ = event.term;
  last_sequence_ = 0;
  last_ask_ = 0;
  led_since_ = now_;
  effects_.push_back(Led{{options_.shard, epoch_, term_}});
  if (options_.shard.value == 0) {
    propose_founders();
    tell_members();
  }
  for (const auto& [id, job] : state_.jobs()) {
    if (job.live()) {
      begin(job);
    }
  }
  begin_adoption();
}

// What was proposed may still be committed; what was not surely is not. Workers repeat themselves
// to the next leader, so nothing is lost with what this one knew.
void ShardMachine::handle(const NotLeading&) {
  if (!leading_) {
    return;
  }
  leading_ = false;
  ProposalBatch::Dropped dropped = batch_.drop_all();
  for (const protocol::Entry& entry : dropped.in_flight) {
    for (const protocol::Record& record : entry.records) {
      answer_dropped(record, outcome_unknown());
    }
  }
  for (const protocol::Record& record : dropped.not_proposed) {
    answer_dropped(record, shard_not_leading());
  }
  for (const auto& [job, calls] : watchers_) {
    for (const auto& [call, deadline] : calls) {
      reply(call, shard_not_leading());
    }
  }
  turn_away(readers_);
  for (const auto& [token, readers] : reads_) {
    turn_away(readers);
  }
  forget_leadership();
  effects_.push_back(Led{{options_.shard, {}, {}}});
  tell_scheduler(protocol::ShardRetired{options_.shard});
}

void ShardMachine::forget_leadership() {
  duties_.clear();
  assigns_.clear();
  finishing_.clear();
  waiting_.clear();
  lost_.clear();
  signatures_.clear();
  requests_in_flight_.clear();
  calls_in_flight_ = 0;
  submits_in_flight_ = 0;
  watchers_.clear();
  watch_deadlines_.clear();
  leases_.clear();
  lease_ends_.clear();
  renewed_.clear();
  commands_.clear();
  command_ends_.clear();
  dependencies_.clear();
  readers_ = {};
  reads_.clear();
  adopting_.clear();
  adoption_ends_.reset();
}

void ShardMachine::handle(const Committed& event) {
  if (event.token) {
    batch_.take(*event.token);
  }
  for (const protocol::Record& record : event.entry.records) {
    if (const auto* released = std::get_if<protocol::ReleasedRecord>(&record)) {
      end_finishing(released->attempt, normalized(released->ranges));
    }
  }
  const std::uint64_t members_version = state_.members().version();
  for (const Applied& change : state_.apply(event.index, event.entry)) {
    std::visit([this](const auto& known) { on_applied(known); }, change);
  }
  if (state_.members().version() != members_version) {
    tell_members();
  }
  compact_if_due(event);
}

void ShardMachine::on_applied(const JobAccepted& change) {
  if (!leading_) {
    return;
  }
  if (!change.repeated) {
    begin(*state_.find(change.job));
  }
  answer_request(change.request, protocol::Accepted{change.job});
}

void ShardMachine::on_applied(const JobCancelled& change) {
  const Job* job = state_.find(change.job);
  answer_request(change.request,
                 job ? protocol::ClientReply(list_of(*job)) : job_not_found(change.job));
}

void ShardMachine::on_applied(const JobEnded& change) {
  if (leading_) {
    waiting_.erase(change.job);
    lost_.erase(change.job);
    signatures_.erase(change.job);
    dependencies_.remove(change.job);
    dependencies_.hear({change.job, protocol::JobKnowledge::known, change.state}, ++last_ask_,
                       now_);
    answer_watchers(change.job);
  }
}

void ShardMachine::on_applied(const MemberAdded& change) {
  answer_request(change.request, joined(change.info));
}

void ShardMachine::on_applied(const RequestRecorded& change) {
  answer_request(change.request, protocol::Recorded{});
}

void ShardMachine::on_applied(const RequestRefused& change) {
  answer_request(change.request, change.error);
}

// The request ids are made from the node ids, so that every life of the root asks for the same.
void ShardMachine::propose_founders() {
  if (state_.members().members().empty() && !options_.founding_token.empty()) {
    const base::WallTimeMs expires_at_ms = wall_now_ + founding_token_valid_ms;
    propose(protocol::TokenRecord{{options_.shard, 1, 1},
                                  {hash_of_token(options_.founding_token), expires_at_ms},
                                  wall_now_});
  }
  // Before the founders, who are planned with it from the first one on.
  if (state_.members().replicas() == 0 && options_.founding_replicas != 0) {
    propose(protocol::ReplicasRecord{{options_.shard, 2, 1}, options_.founding_replicas});
  }
  for (const protocol::NodeInfo& founder : options_.founders) {
    if (!state_.members().members().contains(founder.node)) {
      propose(protocol::MemberRecord{{options_.shard, 0, founder.node.value}, founder});
    }
  }
  const std::vector<protocol::ClientKey> known = state_.members().as_told().clients;
  std::uint64_t number = 0;
  for (const protocol::ClientKey& client : options_.founding_clients) {
    ++number;
    if (std::none_of(known.begin(), known.end(),
                     [&](const auto& other) { return other.name == client.name; })) {
      propose(protocol::ClientKeyRecord{{options_.shard, 1, number}, client});
    }
  }
}

void ShardMachine::tell_members() {
  effects_.push_back(MembersChanged{state_.members().as_told()});
}

// Image and log are in balance when the log that a start must read again is about as long as the
// image that it reads instead.
void ShardMachine::compact_if_due(const Committed& event) {
  ++entries_since_compact_;
  records_since_compact_ += event.entry.records.size();
  if (entries_since_compact_ >= options_.limits.compact_after_entries &&
      records_since_compact_ >= state_.jobs().size()) {
    entries_since_compact_ = 0;
    records_since_compact_ = 0;
    effects_.push_back(Compact{event.index, state_.image()});
  }
}

void ShardMachine::handle(const OutcomeUnknown& event) {
  for (const protocol::Record& record : batch_.take(event.token).records) {
    forget_proposal(record, outcome_unknown());
  }
  end_read(event.token);
}

// Who waits for it asks again; clients are told to.
bool ShardMachine::end_read(base::LogToken token) {
  const auto at = reads_.find(token);
  if (at == reads_.end()) {
    return false;
  }
  turn_away(at->second);
  reads_.erase(at);
  return true;
}

void ShardMachine::handle(const ReadReady& event) {
  const auto at = reads_.find(event.token);
  if (at == reads_.end()) {
    return;
  }
  FASTGPU_CHECK(event.index <= state_.applied(), "a read is ready before its entries were given");
  const Readers readers = std::move(at->second);
  reads_.erase(at);
  for (const RenewEvent& renewal : readers.renewals) {
    answer_renewal(renewal);
  }
  for (const auto& [node, check] : readers.checks) {
    answer_check(node, check);
  }
  for (const DependencyAskEvent& ask : readers.asks) {
    answer_ask(ask);
  }
  for (const protocol::ShardRequest& request : readers.requests) {
    answer(request);
  }
}

void ShardMachine::handle(const ProposeRefused& event) {
  if (end_read(event.token)) {
    return;
  }
  if (event.admission == base::Admission::full) {
    batch_.refused(event.token, now_ + base::limits::heartbeat_interval);
    return;
  }
  for (const protocol::Record& record : batch_.take(event.token).records) {
    forget_proposal(record, shard_not_leading());
  }
}

void ShardMachine::forget_proposal(const protocol::Record& record, const base::Error& error) {
  answer_dropped(record, error);
  if (const auto* released = std::get_if<protocol::ReleasedRecord>(&record)) {
    end_finishing(released->attempt, normalized(released->ranges));
  } else if (const auto* placed = std::get_if<protocol::PlacedRecord>(&record)) {
    drop_placement(*placed);
  } else if (const auto* end = std::get_if<protocol::DependencyRecord>(&record)) {
    dependencies_.give_back(end->job, end->parent.job, last_ask_,
                            now_ + options_.limits.dependency_ask_interval);
  }
}

void ShardMachine::handle(const Restored& event) {
  state_.restore(event.image);
  if (options_.shard.value == 0) {
    tell_members();
  }
}

void ShardMachine::handle(const Tick&) {
  if (!leading_) {
    return;
  }
  resend_assigns();
  answer_late_watchers();
  send_adopts();
  end_adoption_when_due();
  expire_leases();
  expire_commands();
}

void ShardMachine::send(base::NodeId node, protocol::PeerMessage message) {
  effects_.push_back(SendToNode{node, std::move(message)});
}

}  // namespace fastgpu::ledger
