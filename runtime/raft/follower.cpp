/// The follower's side of replication: section 5.3 of the Raft paper. What is acknowledged is what
/// was compared with this leader's log in this term and is on this disk, never more.

#include <algorithm>

#include "runtime/base/check.hpp"
#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::receive(const Message& message, const Append& append) {
  if (message.term < term_) {
    answer_lower_term(message);
    return;
  }
  Follower& follower = follow(message);
  follower.round = std::max(follower.round, append.round);
  if (installing_) {
    acknowledge(follower.round > follower.round_told);
    return;
  }
  // What lies before the log's first entry is committed, so it is the same everywhere.
  if (append.prev.index >= log_.before_first().index && !log_.holds(append.prev)) {
    reject(message, append.prev.index);
    return;
  }
  follower.checked = std::max(follower.checked, take(append));
  commit_ = std::max(commit_, std::min(append.commit, follower.checked));
  acknowledge(!wrote_ || follower.round > follower.round_told, append.entries.empty());
}

// Entries that are here already are left alone: the message may be an old one, and what follows
// them may be acknowledged. Returns through where the log is now the same as the leader's.
base::LogIndex RaftMachine::take(const Append& append) {
  base::LogIndex through = append.prev.index;
  for (const Entry& entry : append.entries) {
    if (entry.index > log_.before_first().index && !log_.holds(entry.position())) {
      if (entry.index <= log_.last().index) {
        FASTGPU_CHECK(entry.index > commit_, "a leader without all committed entries");
        log_.cut_from(entry.index);
        write().cut_from = entry.index;
      }
      if (log_.unpersisted_bytes() >= options_.limits.unpersisted_bytes_max) {
        break;  // the disk is behind: the leader sends the rest again
      }
      if (chain_after(log_.chain_at(log_.last().index), entry) != entry.chain &&
          !broken(Fault::accept_malformed)) {
        effects_.push_back(Alarm{AlarmKind::malformed, *leader()});
        break;
      }
      write().entries.push_back(log_.append(entry));
    }
    through = entry.index;
  }
  return through;
}

void RaftMachine::reject(const Message& message, base::LogIndex prev) {
  auto& follower = std::get<Follower>(role_);
  follower.round_told = follower.round;
  AppendReply answer{follower.round, std::min(follower.checked, log_.persisted().index), prev, {}};
  // A whole term is skipped at a time (end of section 5.3 of the paper).
  answer.hint = prev > log_.last().index
                    ? log_.last().index
                    : std::max(commit_, {log_.first_of_term_at(prev).value - 1});
  reply(message, answer);
}

void RaftMachine::acknowledge(bool even_if_told, bool to_heartbeat) {
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || !follower->leader) {
    return;
  }
  const base::LogIndex disk =
      broken(Fault::acknowledge_before_sync) ? log_.last().index : log_.persisted().index;
  base::LogIndex match = std::min(follower->checked, disk);
  if (broken(Fault::acknowledge_last) ||
      (broken(Fault::uncapped_after_persist) && !even_if_told && !wrote_)) {
    match = disk;
  }
  if (even_if_told || match > follower->told) {
    const bool news = match > follower->told || follower->round > follower->round_told;
    follower->told = std::max(follower->told, match);
    follower->round_told = follower->round;
    send(*follower->leader, follower->leader_store,
         AppendReply{follower->round, match, std::nullopt, {}}, to_heartbeat && !news);
  }
}

// The sender is behind: it learns our term, else it could wait for ever among those that ignore it.
void RaftMachine::answer_lower_term(const Message& message) {
  if (broken(Fault::ignore_lower_terms)) {
    return;
  }
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    reply(message, VoteReply{false, request->campaign, false});
  } else {
    reply(message, AppendReply{});
  }
}

}  // namespace fastgpu::raft
