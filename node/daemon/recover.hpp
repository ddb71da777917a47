#pragma once

/// `fastgpu-node recover`: the last resort of an operator when the majority of a shard's replicas
/// is gone for good. Without `force` it only looks. With it, the shards go on from this node's
/// logs, each in a group founded anew whose only voter this node is (actors/replica/recovery.hpp).
///
/// Place: a command beside `init`, `join` and `run`; the node must not run, which the store's lock
/// makes sure of. Each shard is one synced write: a crash leaves it as it was or founded anew, and
/// the command given again does the rest.
/// Refused: where a majority of a shard's voters may be alive since somebody listens at their
/// addresses, where a chosen shard is not held or damaged. Then nothing is changed.

#include <cstdint>
#include <string>
#include <vector>

namespace fastgpu::node {

struct RecoverArguments {
  std::string folder;
  bool force{false};
  std::vector<std::uint32_t> shards;  ///< none: those in which this node votes, not alone
};

/// The exit code; tells on stdout and stderr.
int recover(const RecoverArguments& arguments);

}  // namespace fastgpu::node
