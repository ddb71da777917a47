#include "runtime/raft/progress.hpp"

#include <algorithm>

namespace fastgpu::raft {

void Progress::hear(base::Time now, Round round) {
  heard_ = now;
  round_ = std::max(round_, round);
}

void Progress::acknowledge(base::LogIndex match, bool probe_passed) {
  const bool grew = match > match_;
  match_ = std::max(match_, match);
  next_ = std::max(next_, {match_.value + 1});
  while (!in_flight_.empty() && in_flight_.front().last <= match_) {
    bytes_in_flight_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  if (mode_ == Mode::probe && (grew || (probe_passed && match_.value + 1 >= next_.value))) {
    mode_ = Mode::stream;
    next_ = {match_.value + 1};
    waiting_since_.reset();
  } else if (mode_ == Mode::snapshot && match_ >= snapshot_.last.index) {
    snapshot_ = {};
    probe_from({match_.value + 1});
    mode_ = Mode::stream;
  }
}

void Progress::reject(base::LogIndex rejected, base::LogIndex hint) {
  // What lies at or below match was checked: such a refusal is older than that.
  if (rejected <= match_ || mode_ == Mode::snapshot ||
      (mode_ == Mode::probe && rejected.value + 1 != next_.value)) {
    return;
  }
  probe_from({std::max(match_.value, std::min(hint.value, rejected.value - 1)) + 1});
}

void Progress::probe_from(base::LogIndex next) {
  mode_ = Mode::probe;
  next_ = next;
  in_flight_.clear();
  bytes_in_flight_ = 0;
  waiting_since_.reset();
}

bool Progress::may_send(base::Time now, const RaftLimits& limits, Fault fault) {
  if (mode_ != Mode::stream) {
    return !waiting_since_ || now - *waiting_since_ >= limits.resend_after;
  }
  if (!in_flight_.empty() && now - in_flight_.front().at >= limits.resend_after) {
    probe_from({match_.value + 1});
    return true;
  }
  return fault == Fault::no_window || (bytes_in_flight_ < limits.window_bytes_max &&
                                       in_flight_.size() < limits.window_messages_max);
}

void Progress::sent(base::LogIndex last, std::size_t bytes, base::Time now) {
  if (mode_ == Mode::probe) {
    waiting_since_ = now;
    return;
  }
  in_flight_.push_back({last, bytes, now});
  bytes_in_flight_ += bytes;
  next_ = {last.value + 1};
}

void Progress::begin_snapshot(const Snapshot& snapshot) {
  probe_from(next_);
  mode_ = Mode::snapshot;
  snapshot_ = snapshot;
  offset_ = 0;
}

void Progress::received_chunk(const SnapshotReply& reply) {
  if (mode_ == Mode::snapshot && reply.last == snapshot_.last &&
      reply.received <= snapshot_.data.size()) {
    offset_ = reply.received;
    waiting_since_.reset();
  }
}

}  // namespace fastgpu::raft
