#pragma once

/// Who leads which shard, as the newest view says, and who led it before. The gateway's reading of
/// the view: owned by its machine. Nothing here fails; what is not known is told as such.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/local_messages.hpp"

namespace fastgpu::session {

class ClusterMap {
 public:
  /// `replicated`: shards have several replicas each, so any of them may be led by another node, or
  /// be between two leaders.
  ClusterMap(base::NodeId self, std::uint32_t shard_count, bool replicated = false)
      : self_(self), layout_{shard_count}, replicated_(replicated) {}

  void update(protocol::SharedView view);

  /// A view has come: before that nothing can be answered.
  bool known() const { return view_ != nullptr; }
  const protocol::ClusterView& view() const { return *view_; }
  base::NodeId self() const { return self_; }
  base::ShardLayout layout() const { return layout_; }
  bool replicated() const { return replicated_; }

  /// The node that leads the shard and is not down.
  std::optional<base::NodeId> leader_of(base::ShardId shard) const;
  /// Shards by the node that leads them, of all shards that have a leader.
  std::map<base::NodeId, std::vector<base::ShardId>> led_shards() const;
  std::vector<base::ShardId> led_by(base::NodeId node) const;
  /// Shards with jobs that nobody can be asked about now: led once and leaderless, or of members
  /// that were never heard of since this node started (counted as one each). With replicas: all
  /// that have no leader.
  std::uint32_t shards_silent() const;
  /// Surely nothing was ever kept in the shard: all members are here, each leads some shard, and
  /// none led this one since this node started. Never sure with replicas.
  bool is_empty(base::ShardId shard) const;
  /// "no node leads shard 2 now; n3 led it and was last heard of 4.2 s ago"
  std::string why_leaderless(base::ShardId shard) const;
  /// Why the shard cannot have a leader now: of the nodes that should keep its replicas, fewer than
  /// a majority are up. None where there may be one soon, or that is not known.
  std::optional<base::Error> lacks_majority(base::ShardId shard) const;
  /// "n2 is down; it was last heard of 4.2 s ago"; of one that is not: "n2 is silent; ..."
  std::string why_away(base::NodeId node) const;
  std::string name_of(base::NodeId node) const;
  base::Incarnation life_of(base::NodeId node) const;

  /// Null for a node that is no member.
  const protocol::NodeView* find(base::NodeId node) const;
  bool is_up(base::NodeId node) const;
  /// A member that is not down.
  bool may_answer(base::NodeId node) const;

  protocol::Welcome welcome() const;
  protocol::ClusterStatus status() const;

 private:
  base::NodeId self_;
  base::ShardLayout layout_;
  bool replicated_{false};
  protocol::SharedView view_;
  std::map<base::ShardId, base::NodeId> leaders_;       ///< now
  std::map<base::ShardId, base::NodeId> last_leaders_;  ///< now, or before
};

}  // namespace fastgpu::session
