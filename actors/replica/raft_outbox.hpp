#pragma once

/// What this node's replicas say to those of other nodes, gathered so that what goes to one node at
/// about the same time is one frame: the heartbeats of all groups that are led here, and the
/// answers to those that are led there, cost one frame in each interval of heartbeats.
///
/// Of what may wait, heartbeats wait only for those of the other groups, which come at the same
/// moment, and answers for the next own heartbeats: at most an interval, where there are none. What
/// leaves to a node takes along all that waits for it, in the order in which it was said.
///
/// Place: owned by the link actor, between the shards and the link. Pure.
/// Limits: a frame takes no more messages or bytes than below; a longer message goes alone.

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::actors {

class RaftOutbox {
 public:
  static constexpr base::Duration gather_delay = base::limits::replica_gather_delay;
  static constexpr std::size_t messages_max = 256;
  static constexpr std::size_t bytes_max = 1u << 20;
  using Ready = std::vector<std::pair<base::NodeId, protocol::PeerMessage>>;

  /// `heartbeat_interval`: of the replicas.
  explicit RaftOutbox(base::Duration heartbeat_interval) : answer_delay_(heartbeat_interval) {}

  void add(base::NodeId node, const protocol::RaftMessage& message, bool may_wait, base::Time now);
  /// Something may not wait: `take` at the end of what this node's actors have to say now.
  bool is_urgent() const { return urgent_; }
  /// When `take` is due, where nothing is urgent.
  std::optional<base::Time> next_deadline() const;
  Ready take(base::Time now);

 private:
  struct Gathered {
    std::vector<protocol::RaftMessage> messages;
    std::size_t bytes{0};
    base::Time due{};
  };
  base::Duration patience_of(const protocol::RaftMessage& message) const;
  void close(base::NodeId node, Gathered& gathered);

  base::Duration answer_delay_;
  std::map<base::NodeId, Gathered> gathered_;  ///< without messages: not in it
  Ready full_;                                 ///< leave first
  bool urgent_{false};
};

}  // namespace fastgpu::actors
