#pragma once

/// What `fastgpu-node recover` tells: what a node holds of each shard, what to do about it, what
/// was done and what may be lost by it. Pure.

#include <map>
#include <string>
#include <vector>

#include "actors/replica/recovery.hpp"

namespace fastgpu::node {

/// Who looks, and under which names the nodes are known.
struct RecoverView {
  std::string folder;  ///< as the operator gave it
  base::NodeId self;
  std::map<base::NodeId, std::string> names;

  std::string name_of(base::NodeId node) const;
};

/// A table, one line for each shard.
std::string table_of(const std::vector<actors::ReplicaFound>& found, const RecoverView& view);
/// How to compare, and the command that goes on; `chosen` are the shards that it would take.
std::string advice(const std::vector<actors::ReplicaFound>& found,
                   const std::vector<base::ShardId>& chosen, const RecoverView& view);
/// What may be lost, and what is to be done now.
std::string aftermath(const std::vector<actors::ReplicaFound>& chosen, const RecoverView& view);

/// "0,3,7"
std::string list_of(const std::vector<base::ShardId>& shards);

}  // namespace fastgpu::node
