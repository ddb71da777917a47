#include "node/daemon/node_keys.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "node/daemon/clock.hpp"
#include "runtime/security/join_token.hpp"
#include "runtime/security/key_file.hpp"

namespace fastgpu::node {
namespace {

/// A token that has been used is let in a little longer, so that the answer that was lost on its
/// way can be asked for again; it makes no second member.
constexpr base::WallTimeMs used_token_grace_ms = 60'000;
constexpr base::WallTimeMs for_ever = std::numeric_limits<base::WallTimeMs>::max();

}  // namespace

NodeKeys::NodeKeys(const NodeFolder& folder, NodeIdentity identity, security::KeyPair pair)
    : folder_(folder),
      identity_(std::move(identity)),
      pair_(std::move(pair)),
      ring_(std::make_shared<security::SharedKeyRing>(wall_time)) {}

base::Result<std::shared_ptr<NodeKeys>> NodeKeys::open(const NodeFolder& folder,
                                                       const NodeIdentity& identity) {
  base::Result<security::KeyPair> pair = security::read_key_file(folder.key());
  if (!pair.ok()) {
    return pair.error();
  }
  std::shared_ptr<NodeKeys> keys(new NodeKeys(folder, identity, std::move(pair).value()));
  // What is remembered is newer: a founder may have been removed since.
  const std::vector<protocol::NodeInfo> members = folder.remembered();
  if (members.empty() && !identity.join_token.empty()) {
    // The ledger is about to record it; until a list of members says so, it is taken for good.
    keys->joiners_[security::hash_of_key(identity.join_token)] = for_ever;
  }
  keys->let_in(members.empty() ? identity.members : members, {});
  return keys;
}

link::LinkKeys NodeKeys::for_link() const {
  return {pair_.public_key(), pair_.secret_key(),
          [ring = ring_](std::string_view key) { return ring->who(key); }};
}

void NodeKeys::attach(std::weak_ptr<link::Link> link) {
  const std::lock_guard lock(mutex_);
  link_ = std::move(link);
}

void NodeKeys::learn(const protocol::ClusterView& view) {
  std::shared_ptr<link::Link> link;
  {
    const std::lock_guard lock(mutex_);
    if (view.members == nullptr || view.members->version == members_version_) {
      return;
    }
    members_version_ = view.members->version;
    for (const protocol::JoinToken& token : view.members->tokens) {
      joiners_[token.hash] = token.expires_at_ms;
    }
    const base::WallTimeMs now = wall_time();
    for (auto& [hash, until] : joiners_) {
      const bool unused = std::any_of(view.members->tokens.begin(), view.members->tokens.end(),
                                      [&](const auto& token) { return token.hash == hash; });
      until = unused ? until : std::min(until, now + used_token_grace_ms);
    }
    std::erase_if(joiners_, [&](const auto& joiner) { return joiner.second <= now; });
    let_in(view.members->members, view.members->clients);
    link = link_.lock();
  }
  show_servers(view.members->members);
  if (link) {
    link->keys_changed();
  }
}

void NodeKeys::let_in(const std::vector<protocol::NodeInfo>& members,
                      const std::vector<protocol::ClientKey>& clients) {
  security::KeyRing ring;
  ring.add_node(identity_.node, pair_.public_key());
  for (const protocol::NodeInfo& member : members) {
    if (member.state != protocol::MemberState::removed) {
      ring.add_node(member.node, member.key);
    }
  }
  // A list of members forgets nobody: who is not in it yet is a founder about to be recorded.
  for (const protocol::NodeInfo& founder : identity_.members) {
    if (std::none_of(members.begin(), members.end(),
                     [&](const auto& member) { return member.node == founder.node; })) {
      ring.add_node(founder.node, founder.key);
    }
  }
  std::vector<protocol::ClientKey> all = clients;
  for (const protocol::ClientKey& founding : identity_.clients) {
    if (std::none_of(clients.begin(), clients.end(),
                     [&](const auto& client) { return client.name == founding.name; })) {
      all.push_back(founding);
    }
  }
  for (const protocol::ClientKey& client : all) {
    if (!client.revoked) {
      ring.add_client(client.name, client.key);
    }
  }
  for (const auto& [hash, until] : joiners_) {
    ring.add_joiner(hash, until);
  }
  ring_->replace(std::move(ring));
}

/// The credentials beside the node go on naming all nodes that can be asked. Best effort: they are
/// good as long as one of those named is up.
void NodeKeys::show_servers(const std::vector<protocol::NodeInfo>& members) const {
  auto credentials = security::read_credentials(folder_.credentials());
  if (!credentials.ok()) {
    return;
  }
  security::ServerKeys servers;
  for (const protocol::NodeInfo& member : members) {
    if (member.state != protocol::MemberState::removed && security::is_key(member.key)) {
      servers[member.address] = member.key;
    }
  }
  if (!servers.empty() && servers != credentials.value().servers) {
    credentials.value().servers = std::move(servers);
    static_cast<void>(security::write_credentials(folder_.credentials(), credentials.value()));
  }
}

std::function<void(const protocol::SharedView&)> learning(
    std::shared_ptr<NodeKeys> keys, std::function<void(const protocol::SharedView&)> next) {
  return [keys = std::move(keys), next = std::move(next)](const protocol::SharedView& view) {
    keys->learn(*view);
    if (next) {
      next(view);
    }
  };
}

// --- what init makes -----------------------------------------------------------------------------

base::Result<security::KeyPair> own_keys(const NodeFolder& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder.path(), failed);
  if (std::filesystem::exists(folder.key(), failed)) {
    return security::read_key_file(folder.key());
  }
  return security::create_key_file(folder.key());
}

base::Result<NodeIdentity> found_keys(const NodeFolder& folder, NodeIdentity identity) {
  const base::Result<security::KeyPair> own = own_keys(folder);
  if (!own.ok()) {
    return own.error();
  }
  protocol::NodeInfo& self = identity.members.front();
  self.key = own.value().public_key();
  const security::ServerKeys servers{{self.address, self.key}};
  const security::Credentials admin{first_client, security::KeyPair::generate(), servers};
  const security::JoinToken token = security::make_join_token(servers);
  if (base::Status made = security::write_credentials(folder.credentials(), admin); !made.ok()) {
    return made.error();
  }
  if (base::Status made = security::write_join_token(folder.join_token(), token); !made.ok()) {
    return made.error();
  }
  identity.clients = {{first_client, admin.keys.public_key(), false}};
  identity.join_token = token.shown();
  return identity;
}

}  // namespace fastgpu::node
