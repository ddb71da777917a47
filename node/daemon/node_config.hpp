#pragma once

/// The data folder of a node: what the operator may edit (node.toml), who the node is
/// (identity.toml, written once by `init` or `join`), how many lives it has had, and whom it knew.
/// Used by the composition root only. Every failure names the file and, where known, the line.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/exec/sandbox/user_claim.hpp"
#include "runtime/protocol/peer_messages.hpp"

namespace fastgpu::node {

/// node.toml: the operator's.
struct NodeSettings {
  std::string name;
  std::string listen;                    ///< "127.0.0.1:7601": the one address that people give
  std::uint32_t cpu_devices{1};          ///< they share the host's cores evenly, at least one each
  std::uint32_t null_devices{0};         ///< finish at once: to measure everything else
  std::uint64_t arena_bytes{64u << 20};  ///< shared memory for the buffers of one device
  /// [sandbox] users = "2100000000-2100065535": of which a node that is root claims those that run
  /// its kernels and its commands; left out, exec::default_users().
  std::optional<exec::UserRange> users;
};

/// identity.toml: fixed for the node's life.
struct NodeIdentity {
  base::ClusterId cluster;
  base::NodeId node;
  std::uint32_t shard_count{};
  std::vector<protocol::NodeInfo> members;     ///< known when it joined, itself included
  bool founder{false};                         ///< the members are those that found the cluster
  std::string join_token;                      ///< of a founder: lets the first other node in
  std::vector<protocol::ClientKey> clients{};  ///< of a founder: let in from the founding on
  std::uint32_t replicas{0};                   ///< of a founder: of each shard; 0 = not asked for
};

class NodeFolder {
 public:
  /// Absolute from now on and without links on the way to it: it is named inside sandboxes, too.
  explicit NodeFolder(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return folder_; }
  std::filesystem::path store() const { return folder_ / "store"; }
  std::filesystem::path objects() const { return folder_ / "objects"; }
  std::filesystem::path logs() const { return folder_ / "logs"; }
  std::filesystem::path wardens() const { return folder_ / "wardens"; }
  std::filesystem::path jobs() const { return folder_ / "jobs"; }
  std::filesystem::path kernels() const { return folder_ / "kernels"; }
  std::filesystem::path join_token() const { return folder_ / "join.token"; }
  std::filesystem::path key() const { return folder_ / "node.key"; }
  std::filesystem::path credentials() const { return folder_ / "client.toml"; }

  bool is_founded() const;
  /// Writes all but identity.toml; refuses a folder that is a node's already.
  base::Status begin(const NodeSettings& settings) const;
  /// Writes identity.toml: from now on the folder is a node's.
  base::Status found(const NodeIdentity& identity) const;
  base::Result<NodeSettings> settings() const;
  base::Result<NodeIdentity> identity() const;
  /// A number greater than any given out for this folder before, durably.
  base::Result<base::Incarnation> next_incarnation() const;
  /// The members that this node knows now; at its next start it dials them at once, so that it
  /// finds the others also while the first node is away.
  void remember(const std::vector<protocol::NodeInfo>& members) const;
  std::vector<protocol::NodeInfo> remembered() const;

 private:
  std::filesystem::path folder_;
};

base::ClusterId random_cluster_id();

}  // namespace fastgpu::node
