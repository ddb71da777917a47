#pragma once

/// What this node's replicas say to those of other nodes, gathered so that what goes to one node at
/// about the same time is one frame: the heartbeats of all groups that are led here, and the
/// answers to those that are led there, cost one frame in each interval of heartbeats.
///
/// Place: owned by the link actor, between the shards and the link. Pure. What may wait leaves at
/// the latest `wait_max` later, or with the next that may not, in the order in which it was said.
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
  /// Less than an interval, so that answers to the other's heartbeats leave with the next own ones,
  /// and far less than it takes to believe that nobody leads.
  static constexpr base::Duration wait_max = base::limits::replica_answer_delay;
  static constexpr std::size_t messages_max = 256;
  static constexpr std::size_t bytes_max = 1u << 20;
  using Ready = std::vector<std::pair<base::NodeId, protocol::PeerMessage>>;

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
  void close(base::NodeId node, Gathered& gathered);

  std::map<base::NodeId, Gathered> gathered_;  ///< without messages: not in it
  Ready full_;                                 ///< leave first
  bool urgent_{false};
};

}  // namespace fastgpu::actors
