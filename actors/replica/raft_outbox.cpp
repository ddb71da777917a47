#include "actors/replica/raft_outbox.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace fastgpu::actors {
namespace {

/// About what it takes in a frame.
std::size_t bytes_of(const protocol::RaftMessage& message) {
  constexpr std::size_t envelope = 160;
  return envelope + std::visit(
                        [](const auto& body) {
                          using Body = std::decay_t<decltype(body)>;
                          std::size_t bytes = 0;
                          if constexpr (std::is_same_v<Body, protocol::RaftAppend>) {
                            for (const protocol::RaftEntry& entry : body.entries) {
                              bytes += 64 + entry.data.size() + 32 * entry.members.size();
                            }
                          } else if constexpr (std::is_same_v<Body, protocol::RaftSnapshotChunk>) {
                            bytes = body.data.size();
                          }
                          return bytes;
                        },
                        message.body);
}

}  // namespace

void RaftOutbox::add(base::NodeId node, const protocol::RaftMessage& message, bool may_wait,
                     base::Time now) {
  const std::size_t bytes = bytes_of(message);
  Gathered& gathered = gathered_[node];
  if (!gathered.messages.empty() &&
      (gathered.bytes + bytes > bytes_max || gathered.messages.size() == messages_max)) {
    close(node, gathered);
  }
  const base::Time due = may_wait ? now + patience_of(message) : now;
  gathered.due = gathered.messages.empty() ? due : std::min(gathered.due, due);
  gathered.messages.push_back(message);
  gathered.bytes += bytes;
  urgent_ = urgent_ || !may_wait;
}

base::Duration RaftOutbox::patience_of(const protocol::RaftMessage& message) const {
  const bool answer = std::holds_alternative<protocol::RaftAppendReply>(message.body);
  return answer ? answer_delay_ : gather_delay;
}

std::optional<base::Time> RaftOutbox::next_deadline() const {
  std::optional<base::Time> first;
  if (urgent_) {
    return first;
  }
  for (const auto& [node, gathered] : gathered_) {
    first = !first || gathered.due < *first ? gathered.due : *first;
  }
  return first;
}

RaftOutbox::Ready RaftOutbox::take(base::Time now) {
  for (auto at = gathered_.begin(); at != gathered_.end();) {
    if (at->second.due <= now) {
      close(at->first, at->second);
      at = gathered_.erase(at);
    } else {
      ++at;
    }
  }
  urgent_ = false;
  return std::exchange(full_, {});
}

void RaftOutbox::close(base::NodeId node, Gathered& gathered) {
  if (gathered.messages.size() == 1) {
    full_.emplace_back(node, std::move(gathered.messages.front()));
  } else {
    full_.emplace_back(node, protocol::RaftBatch{std::move(gathered.messages)});
  }
  gathered = {};
  urgent_ = true;
}

}  // namespace fastgpu::actors
