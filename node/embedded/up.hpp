#pragma once

/// A throw-away cluster in this process until Ctrl-C: what `fastgpu up` hands over to.

#include <cstdint>
#include <string>

namespace fastgpu::node {

struct UpOptions {
  std::uint32_t nodes{1};
  std::uint32_t devices{1};     ///< CPU devices of each
  std::uint32_t replicas{3};    ///< of each shard, where there are nodes enough
  std::string output{"table"};  ///< table, json, jsonl or id
};

/// Prints where the nodes listen once they serve, then waits for SIGINT or SIGTERM. The exit code.
/// Call it before any other thread exists: it blocks those signals for all of them.
int run_up(const UpOptions& options);

}  // namespace fastgpu::node
