#pragma once

/// What `fastgpu doctor` found, as a table and as a document, and what follows from what nodes
/// answered. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "node/cli/text/render.hpp"
#include "node/host/host_checks.hpp"

namespace fastgpu::cli {

/// Where a check belongs.
struct Finding {
  std::string where;  ///< "host", "folder", or the address of a node
  node::Check check;
};

/// How one node answered a client that asked it alone.
struct NodeAnswer {
  std::string address;
  base::Result<protocol::ClusterStatus> status;
  std::uint32_t shards_unanswered{};
  std::int64_t asked_ms{};     ///< this machine's clock when it was asked, since 1970
  std::int64_t answered_ms{};  ///< the same when the answer came
  bool listed{true};           ///< the user named it: else it may well be missing
};

/// Reached or not, whether the clocks agree, which nodes and shards it misses.
std::vector<node::Check> checks_of(const NodeAnswer& answer);

/// 0 where nothing failed; else 6 where no node answered, and 4 in all other cases.
int exit_code_of(const std::vector<Finding>& findings);

std::string table_findings(const std::vector<Finding>& findings);
Json json_findings(const std::vector<Finding>& findings, const std::string& source, Stamp stamp);

}  // namespace fastgpu::cli
