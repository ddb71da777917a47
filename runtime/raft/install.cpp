/// Snapshots: section 7 of the Raft paper, in pieces. A whole snapshot goes to disk as one Persist;
/// until it is there no other rule changes the log, no vote is given and none is asked for.

#include <algorithm>
#include <utility>

#include "runtime/base/crc32c.hpp"
#include "runtime/raft/raft_machine.hpp"

namespace fastgpu::raft {

void RaftMachine::send_chunk(base::NodeId node, Progress& progress) {
  const Snapshot& snapshot = progress.snapshot();
  const std::uint64_t left = snapshot.data.size() - progress.offset();
  const std::uint64_t size =
      broken(Fault::whole_snapshot)
          ? left
          : std::min<std::uint64_t>(left, options_.limits.snapshot_chunk_bytes);
  SnapshotChunk chunk;
  chunk.about = snapshot;
  chunk.about.data = {};
  chunk.size_bytes = snapshot.data.size();
  chunk.offset = progress.offset();
  chunk.data = base::Bytes::copy_of(snapshot.data.span().subspan(progress.offset(), size));
  chunk.round = std::get<Leader>(role_).round;
  send(node, progress.store(), std::move(chunk));
  progress.sent_chunk(now_);
}

void RaftMachine::receive(const Message& message, const SnapshotReply& reply) {
  if (message.term > term_) {
    become_follower(message.term);
    return;
  }
  auto* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || message.term < term_ || !leader->peers.contains(message.from)) {
    return;
  }
  Progress& progress = leader->peers.at(message.from);
  progress.hear(now_, reply.round);
  progress.received_chunk(reply);
}

void RaftMachine::receive(const Message& message, const SnapshotChunk& chunk) {
  if (message.term < term_) {
    answer_lower_term(message);
    return;
  }
  Follower& follower = follow(message);
  follower.round = std::max(follower.round, chunk.round);
  if (installing_) {
    return;
  }
  // All of it is here if it is committed here, or if the last entry is of the very same term: one
  // of a greater term is another entry, uncommitted, that must go.
  const LogPosition last = chunk.about.last;
  const auto mine = log_.term_at(last.index);
  if (last.index <= commit_ || mine == last.term ||
      (broken(Fault::snapshot_term_at_least) && mine && *mine >= last.term)) {
    follower.incoming.reset();
    follower.checked = std::max(follower.checked, last.index);
    commit_ = std::max(commit_, last.index);
    acknowledge(true);
    return;
  }
  add_piece(message, chunk);
}

void RaftMachine::add_piece(const Message& message, const SnapshotChunk& chunk) {
  auto& follower = std::get<Follower>(role_);
  auto& incoming = follower.incoming;
  if (!incoming || incoming->about.about.last != chunk.about.last ||
      incoming->about.size_bytes != chunk.size_bytes) {
    incoming.emplace();
    incoming->about = chunk;
    incoming->about.data = {};
  }
  if (chunk.offset == incoming->data.size()) {
    incoming->data.insert(incoming->data.end(), chunk.data.span().begin(), chunk.data.span().end());
  }
  if (incoming->data.size() == chunk.size_bytes) {
    Snapshot snapshot = incoming->about.about;
    snapshot.data = base::Bytes(std::move(incoming->data));
    incoming.reset();
    if (base::crc32c(snapshot.data.span()) == snapshot.data_crc32c) {
      install(message, std::move(snapshot));
      return;
    }
    idle_ = broken(Fault::go_idle);
    effects_.push_back(Alarm{AlarmKind::damaged_snapshot, message.from});
  }
  const std::uint64_t received = incoming ? incoming->data.size() : 0;
  reply(message, SnapshotReply{chunk.about.last, received, follower.round});
}

void RaftMachine::install(const Message& message, Snapshot snapshot) {
  write().snapshot = snapshot;
  write().clear_log = true;
  const base::LogIndex last = snapshot.last.index;
  if (broken(Fault::install_in_memory_first)) {
    adopt(snapshot);
    std::get<Follower>(role_).checked = last;
    acknowledge(true);
    return;
  }
  installing_ = {step_tag(), term_, message.from, message.from_store, std::move(snapshot)};
  if (broken(Fault::install_reply_before_sync)) {
    reply(message, AppendReply{std::get<Follower>(role_).round, last, std::nullopt, {}});
  }
}

// On disk and in memory together. The reply belongs to the leader that sent it, while it leads.
void RaftMachine::finish_install() {
  const Installing done = std::move(*installing_);
  installing_.reset();
  adopt(done.snapshot);
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || !follower->leader) {
    return;
  }
  if ((done.term == term_ && *follower->leader == done.from) ||
      broken(Fault::install_reply_any_term)) {
    follower->checked = std::max(follower->checked, done.snapshot.last.index);
    acknowledge(true);
  }
}

void RaftMachine::adopt(const Snapshot& snapshot) {
  log_.reset_to(snapshot);
  snapshot_ = snapshot;
  commit_ = std::max(commit_, snapshot.last.index);
  given_ = snapshot.last.index;
  effects_.push_back(Restored{snapshot_});
}

}  // namespace fastgpu::raft
