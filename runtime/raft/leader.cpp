/// The leader's side of replication: section 5.3 and 5.4.2 of the Raft paper, pipelined
/// (dissertation 10.2.1 and 10.2.2: own disk in parallel, several messages under way).

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "runtime/base/check.hpp"
#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::append_own(Entry entry) {
  entry.index = {log_.last().index.value + 1};
  entry.term = term_;
  const Entry& added = log_.append(std::move(entry));
  write().entries.push_back(added);
  if (added.kind == EntryKind::configuration) {
    on_members_changed();
  }
}

// The highest index that a majority has on disk. Counting replicas says nothing about an entry of
// an earlier term (figure 8 of the paper): it is committed with the first one of this term.
void RaftMachine::advance_commit() {
  const auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || log_.active().voters() == 0) {
    return;
  }
  std::vector<base::LogIndex> matches;
  for (const Member& member : log_.active().members) {
    if (member.voter) {
      matches.push_back(member.node == options_.self ? log_.persisted().index
                                                     : leader->peers.at(member.node).match());
    }
  }
  std::sort(matches.begin(), matches.end(), std::greater<>());
  const base::LogIndex held = matches[log_.active().majority() - 1];
  if (held <= commit_ || (broken(Fault::commit_only_last) && held < log_.last().index)) {
    return;
  }
  if (log_.term_at(held) == term_ || broken(Fault::commit_old_terms)) {
    commit_ = held;
  }
}

void RaftMachine::replicate(base::NodeId node, Progress& progress) {
  while (progress.may_send(now_, options_.limits, options_.fault)) {
    if (progress.mode() == Progress::Mode::snapshot) {
      send_chunk(node, progress);
      return;
    }
    if (progress.mode() == Progress::Mode::stream && progress.next() > log_.last().index) {
      return;
    }
    if (!log_.term_at({progress.next().value - 1})) {
      FASTGPU_CHECK(snapshot_.last.index >= log_.before_first().index, "a hole before the log");
      progress.begin_snapshot(snapshot_);
      continue;
    }
    send_entries(node, progress);
    if (progress.mode() == Progress::Mode::probe) {
      return;
    }
  }
}

void RaftMachine::send_entries(base::NodeId node, Progress& progress) {
  const RaftLimits& limits = options_.limits;
  Append append;
  append.prev = {{progress.next().value - 1}, *log_.term_at({progress.next().value - 1})};
  append.commit = commit_;
  append.round = std::get<Leader>(role_).round;
  std::size_t bytes = 0;
  for (base::LogIndex index = progress.next(); index <= log_.last().index; ++index.value) {
    const Entry& entry = log_.at(index);
    const bool fits = bytes + entry.size_bytes() <= limits.append_bytes_max &&
                      append.entries.size() < limits.append_entries_max;
    if (!append.entries.empty() && !fits) {
      break;
    }
    bytes += entry.size_bytes();
    append.entries.push_back(entry);
  }
  const base::LogIndex last{append.prev.index.value + append.entries.size()};
  send(node, progress.store(), std::move(append));
  progress.sent(last, bytes, now_);
}

// Nothing in a heartbeat can be refused by a follower whose match is known, so it never disturbs
// what is streaming. In any other case it is at least heard, and answered with the round.
void RaftMachine::send_heartbeats(bool may_wait) {
  const auto& leader = std::get<Leader>(role_);
  for (const auto& [node, progress] : leader.peers) {
    Append append;
    append.prev.index = std::max(progress.match(), log_.before_first().index);
    append.prev.term = *log_.term_at(append.prev.index);
    append.commit = commit_;
    append.round = leader.round;
    send(node, progress.store(), std::move(append), may_wait);
  }
}

// All groups that a node leads have their moments in common, so that what they say to a peer can
// travel together. `at_most` is not less than the interval between such moments.
base::Time RaftMachine::beat_after(base::Duration at_most) const {
  const base::Time latest = now_ + at_most;
  return latest - latest.time_since_epoch() % options_.limits.heartbeat_interval;
}

void RaftMachine::on_leader_tick() {
  auto& leader = std::get<Leader>(role_);
  if (now_ >= leader.quorum_check_at) {
    leader.quorum_check_at = beat_after(options_.limits.election_timeout_min);
    if (!heard_majority() && !broken(Fault::no_check_quorum)) {
      become_follower(term_);
      return;
    }
  }
  if (now_ >= leader.heartbeat_at) {
    leader.heartbeat_at = beat_after(options_.limits.heartbeat_interval);
    send_heartbeats(true);
  }
  if (leader.handover && now_ >= leader.handover->until) {
    effects_.push_back(OutcomeUnknown{leader.handover->token});
    leader.handover.reset();
  }
}

bool RaftMachine::heard_majority() const {
  const auto& leader = std::get<Leader>(role_);
  std::size_t heard = 0;
  for (const Member& member : log_.active().members) {
    const bool fresh = member.node == options_.self || now_ - leader.peers.at(member.node).heard() <
                                                           options_.limits.election_timeout_min;
    heard += member.voter && fresh ? 1 : 0;
  }
  return heard >= log_.active().majority();
}

void RaftMachine::receive(const Message& message, const AppendReply& reply) {
  if (message.term > term_) {
    become_follower(message.term);
    return;
  }
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || message.term < term_) {
    return;
  }
  const auto peer = leader->peers.find(message.from);
  if (peer == leader->peers.end()) {
    return;
  }
  Progress& progress = peer->second;
  progress.hear(now_, reply.round);
  progress.acknowledge(reply.match, !reply.rejected);
  if (reply.rejected) {
    progress.reject(*reply.rejected, reply.hint);
  }
}

}  // namespace fastgpu::raft
