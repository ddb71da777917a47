#pragma once

/// How a node comes into the world: its store gets a number of its own, its folder says who it is,
/// and at its first start those that found a cluster found the groups of its shards. Used by the
/// composition root only.

#include <map>

#include "node/daemon/node_config.hpp"
#include "runtime/raft/raft_types.hpp"

namespace fastgpu::node {

/// The number under which a new node's store is known to the others. Drawn before it joins.
base::StoreId random_store_id();

/// Makes the node's store and writes its folder. Refuses a folder that is a node's already. The
/// folder says that it is one only once its store is there.
base::Status found_node(const NodeFolder& folder, const NodeSettings& settings,
                        const NodeIdentity& identity);

/// The groups of all shards as this node takes them up at its first start: founded where it is
/// among those that the plan for the founders lets vote, else empty: it waits to be called.
std::map<base::ShardId, raft::Configuration> founding_groups(const NodeIdentity& identity);

}  // namespace fastgpu::node
