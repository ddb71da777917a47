#pragma once

/// A node's keys: its own pair, who may connect to it, and the files for people that `init` makes.
/// Between the node's folder, the list of members as the monitor shows it, and the link.
/// Owned by the composition root, shared with the link's keys; `learn` is called on the monitor's
/// thread, the link asks on its own ones. Failures of files are Errors with the remedy.
/// Until the node knows a list of members, it lets in those whom its folder names. A client that
/// the cluster was founded with is let in until the list says otherwise.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "node/daemon/node_config.hpp"
#include "runtime/base/result.hpp"
#include "runtime/link/link.hpp"
#include "runtime/link/link_keys.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/security/credentials.hpp"
#include "runtime/security/key_ring.hpp"
#include "runtime/security/keys.hpp"

namespace fastgpu::node {

class NodeKeys {
 public:
  /// Reads node.key; lets in whom `identity` and the remembered members name.
  static base::Result<std::shared_ptr<NodeKeys>> open(const NodeFolder& folder,
                                                      const NodeIdentity& identity);

  const std::string& public_key() const { return pair_.public_key(); }
  link::LinkKeys for_link() const;
  /// Who is told when others may connect than before.
  void attach(std::weak_ptr<link::Link> link);
  void learn(const protocol::ClusterView& view);

 private:
  NodeKeys(const NodeFolder& folder, NodeIdentity identity, security::KeyPair pair);
  void let_in(const std::vector<protocol::NodeInfo>& members,
              const std::vector<protocol::ClientKey>& clients);
  void show_servers(const std::vector<protocol::NodeInfo>& members) const;

  const NodeFolder folder_;
  const NodeIdentity identity_;
  const security::KeyPair pair_;
  const std::shared_ptr<security::SharedKeyRing> ring_;

  std::mutex mutex_;  ///< guards all below
  std::weak_ptr<link::Link> link_;
  std::uint64_t members_version_{0};
  std::map<base::ObjectHash, base::WallTimeMs> joiners_;  ///< and until when they are let in
};

/// Passes each view on, after `keys` has learned from it.
std::function<void(const protocol::SharedView&)> learning(
    std::shared_ptr<NodeKeys> keys, std::function<void(const protocol::SharedView&)> next);

/// node.key in the folder, made where there is none.
base::Result<security::KeyPair> own_keys(const NodeFolder& folder);

/// What `init` makes beside the node: its key, the first client's credentials (client.toml) and a
/// join token. The answer is `identity` with all public parts of them.
base::Result<NodeIdentity> found_keys(const NodeFolder& folder, NodeIdentity identity);

inline constexpr const char* first_client = "admin";

}  // namespace fastgpu::node
