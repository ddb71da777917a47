#include "tests/sim/raft/group_checker.hpp"

#include <algorithm>
#include <cstring>

namespace fastgpu::raft::testing {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

}  // namespace

std::uint64_t number_of(const base::Bytes& data) {
  std::uint64_t value = 0;
  std::memcpy(&value, data.data(), std::min(data.size(), sizeof value));
  return value;
}

void GroupChecker::fail(std::string what) {
  if (violations_.size() < 20) {
    violations_.push_back(std::move(what));
  }
}

void GroupChecker::merge(base::NodeId node, const std::vector<std::string>& found) {
  for (const std::string& one : found) {
    fail(to_string(node) + ": not so: " + one);
  }
}

// Log matching: an index and a term name one entry, and with it all entries before.
void GroupChecker::on_written(base::NodeId node, const Persist& persist) {
  for (const Entry& entry : persist.entries) {
    const auto [at, fresh] = entries_.try_emplace({entry.index, entry.term}, entry.chain);
    if (!fresh && at->second != entry.chain) {
      fail("log matching: " + to_string(node) + " has another entry " + number(entry.index.value) +
           " of term " + number(entry.term.value));
    }
  }
}

void GroupChecker::on_sent(const Replica& from, const Message& message,
                           const RaftMachine* receiver) {
  const StoredState& disk = from.disk.durable();
  if (disk.hard.term < message.term) {
    fail(to_string(message.from) + " speaks of term " + number(message.term.value) +
         ", which is not on its disk");
  }
  terms_told_[message.from_store] = std::max(terms_told_[message.from_store], message.term);
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    check_position(from, request->last);
    if (!request->pre) {
      check_vote(from, message, message.from);
    }
  } else if (const auto* vote = std::get_if<VoteReply>(&message.body)) {
    if (vote->granted && !vote->pre) {
      check_vote(from, message, message.to);
    }
  } else if (const auto* reply = std::get_if<AppendReply>(&message.body)) {
    check_acknowledged(from, message, reply->match, receiver);
  }
}

// What is acknowledged is on the sender's disk, and it is what that leader has at that place.
void GroupChecker::check_acknowledged(const Replica& from, const Message& message,
                                      base::LogIndex match, const RaftMachine* receiver) {
  const LogView& log = from.machine.log();
  if (match <= log.before_first().index) {
    return;
  }
  if (match > log.last().index || !from.disk.holds(match, log.chain_at(match))) {
    fail(to_string(message.from) + " acknowledges entry " + number(match.value) +
         ", which is not on its disk");
    return;
  }
  const bool leads = receiver != nullptr && receiver->role() == RoleKind::leader &&
                     receiver->term() == message.term;
  if (leads && match > receiver->log().before_first().index &&
      (match > receiver->log().last().index ||
       receiver->log().chain_at(match) != log.chain_at(match))) {
    fail(to_string(message.from) + " acknowledges entry " + number(match.value) +
         ", which is another one than the leader's");
  }
}

void GroupChecker::check_position(const Replica& from, const LogPosition& last) {
  const bool in_snapshot = last.index <= from.disk.durable().snapshot.last.index;
  if (!in_snapshot && from.disk.term_at(last.index) != last.term) {
    fail(to_string(from.machine.options().self) + " campaigns with entry " +
         number(last.index.value) + ", which is not on its disk");
  }
}

void GroupChecker::check_vote(const Replica& from, const Message& message, base::NodeId candidate) {
  const HardState& hard = from.disk.durable().hard;
  if (hard.term != message.term || hard.vote != candidate) {
    fail(to_string(message.from) + " votes in term " + number(message.term.value) +
         " with nothing of it on its disk");
  }
  const Voter voter{{message.from, message.from_store}, message.term};
  const auto [at, fresh] = votes_.try_emplace(voter, candidate);
  if (!fresh && at->second != candidate) {
    fail(to_string(message.from) + " votes twice in term " + number(message.term.value));
  }
}

void GroupChecker::on_started(const RaftMachine& machine) {
  if (machine.term() < terms_told_[machine.options().store]) {
    fail(to_string(machine.options().self) + " has forgotten a term that it spoke of");
  }
}

void GroupChecker::on_led(const Replica& leader, const Disks& disks) {
  const RaftMachine& machine = leader.machine;
  const auto [at, fresh] = leaders_.try_emplace(machine.term(), machine.options().self);
  if (at->second != machine.options().self) {
    fail("election safety: two leaders in term " + number(machine.term().value));
  }
  if (fresh) {
    check_completeness(machine);
  }
  if (machine.commit_index() > committed()) {
    commit(machine, disks);
  }
}

// A leader has every entry that was committed in an earlier term.
void GroupChecker::check_completeness(const RaftMachine& leader) {
  for (std::uint64_t index = committed_.size(); index > 0; --index) {
    const Commit& one = committed_[index - 1];
    if (one.under >= leader.term()) {
      continue;
    }
    const bool old = index <= leader.log().before_first().index.value;
    if (!old && leader.log().term_at({index}) != one.term) {
      fail("leader completeness: " + to_string(leader.options().self) + " leads term " +
           number(leader.term().value) + " without entry " + number(index) +
           ", committed in term " + number(one.under.value));
    }
    return;
  }
}

void GroupChecker::commit(const RaftMachine& leader, const Disks& disks) {
  for (std::uint64_t index = committed_.size() + 1; index <= leader.commit_index().value; ++index) {
    const auto term = leader.log().term_at({index});
    if (!term) {
      fail("a leader commits what it does not have");
      return;
    }
    committed_.push_back({*term, leader.log().chain_at({index}), leader.term(), std::nullopt});
  }
  const Commit& last = committed_.back();
  std::size_t holders = 0;
  for (const Member& member : leader.log().active().members) {
    const auto disk = disks.find(member.node);
    holders += member.voter && disk != disks.end() &&
                       disk->second->durable().store == member.store &&
                       disk->second->holds(leader.commit_index(), last.chain)
                   ? 1
                   : 0;
  }
  if (holders < leader.log().active().majority()) {
    fail("entry " + number(committed_.size()) + " is committed and on the disks of " +
         number(holders) + " voters only");
  }
}

void GroupChecker::on_given_out(base::NodeId node, const Entry& entry, std::uint64_t state) {
  if (entry.index > committed()) {
    fail(to_string(node) + " applies entry " + number(entry.index.value) + ", never committed");
    return;
  }
  Commit& known = committed_[entry.index.value - 1];
  if (known.term != entry.term || known.chain != entry.chain ||
      known.state.value_or(state) != state) {
    fail("state machine safety: " + to_string(node) + " applies another entry " +
         number(entry.index.value) + " than was committed");
  }
  known.state = state;
  if (entry.kind == EntryKind::command && refused_.contains(number_of(entry.data))) {
    fail("a command that was told as not done is done");
  }
}

void GroupChecker::on_restored(base::NodeId node, base::LogIndex index, std::uint64_t state) {
  if (index > committed() || committed_[index.value - 1].state != state) {
    fail("state machine safety: " + to_string(node) + " restores another state at " +
         number(index.value));
  }
}

void GroupChecker::on_acknowledged(base::LogIndex index) {
  known_to_clients_ = std::max(known_to_clients_, index);
}

void GroupChecker::on_read_answered(base::LogToken token, base::LogIndex index,
                                    base::LogIndex applied) {
  const auto floor = read_floors_.find(token);
  if (floor == read_floors_.end()) {
    fail("a read that nobody asked for is answered");
    return;
  }
  if (index < floor->second || applied < index) {
    fail("a stale read: " + number(std::min(index, applied).value) + " is answered when " +
         number(floor->second.value) + " was known");
  }
  known_to_clients_ = std::max(known_to_clients_, index);
  read_floors_.erase(floor);
}

}  // namespace fastgpu::raft::testing
