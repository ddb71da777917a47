#pragma once

/// The users of this host that a node's kernels and commands run as (exec::claim_user). Claimed at
/// the node's start, when nothing of its earlier lives runs any more, and held by the executors and
/// runners that they are given to. A node that is not root claims none: all are null.
/// Kernels of all devices share one, since they share what is compiled; the commands of each device
/// have one of their own.

#include <cstddef>
#include <vector>

#include "node/daemon/node_config.hpp"

namespace fastgpu::node {

struct NodeUsers {
  exec::ClaimedUser kernels;
  std::vector<exec::ClaimedUser> commands;  ///< one for each device that takes some
};

/// As a rule the same in each life of a node, for it wishes for the same.
base::Result<NodeUsers> claim_users(const NodeSettings& settings, const NodeIdentity& who,
                                    std::size_t command_devices);

}  // namespace fastgpu::node
