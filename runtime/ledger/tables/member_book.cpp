#include "runtime/ledger/tables/member_book.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/ledger/tables/replica_plan.hpp"

namespace fastgpu::ledger {
namespace {

using base::ErrorCode;
using protocol::MemberState;

base::Error refusal(ErrorCode code, std::string message, std::string hint = {}) {
  return {base::ErrorKind::rejected, code, std::move(message), std::move(hint)};
}

base::Error too_many(const std::string& of_what) {
  return refusal(ErrorCode::too_large, "the cluster has as many " + of_what + " as it can have");
}

}  // namespace

base::ObjectHash hash_of_token(const std::string& token) {
  return base::sha256({reinterpret_cast<const std::uint8_t*>(token.data()), token.size()});
}

// --- members -------------------------------------------------------------------------------------

base::Result<MemberBook::Added> MemberBook::add(const protocol::MemberRecord& record,
                                                base::LogIndex at) {
  if (const protocol::NodeInfo* known = find(record.request)) {
    return Added{*known, true};
  }
  if (const base::Status may = may_add(record); !may.ok()) {
    return may.error();
  }
  tokens_.erase(record.token);
  protocol::NodeInfo info = record.info;
  if (!info.node) {
    info.node = {members_.empty() ? 1 : members_.rbegin()->first.value + 1};
  }
  members_.emplace(info.node, protocol::MemberImage{record.request, info});
  changed(at);
  return Added{std::move(info), false};
}

const protocol::NodeInfo* MemberBook::find(const base::RequestId& join) const {
  const auto at = std::find_if(members_.begin(), members_.end(),
                               [&](const auto& member) { return member.second.request == join; });
  return at == members_.end() ? nullptr : &at->second.info;
}

base::Status MemberBook::may_add(const protocol::MemberRecord& record) const {
  const protocol::NodeInfo& info = record.info;
  for (const auto& [node, member] : members_) {
    const bool there = member.info.state != MemberState::removed;
    if (there && member.info.name == info.name) {
      return refusal(ErrorCode::name_taken,
                     "the name " + info.name + " belongs to " + base::to_string(node) + " already");
    }
    if (!info.key.empty() && member.info.key == info.key) {
      return refusal(ErrorCode::conflict,
                     "the key of " + info.name + " is that of " + base::to_string(node),
                     "each node has a key of its own: join with an empty folder");
    }
  }
  if (members_.contains(info.node)) {
    return refusal(ErrorCode::conflict, base::to_string(info.node) + " is a member already");
  }
  if (members_.size() >= base::limits::message_list_items_max) {
    return too_many("members");
  }
  if (record.token != base::ObjectHash{} && !has_token(record.token, record.joined_at_ms)) {
    return refusal(ErrorCode::denied, "the join token was used before, or has expired",
                   "make another: fastgpu node token");
  }
  return {};
}

base::Status MemberBook::change(const protocol::MemberStateRecord& record, base::LogIndex at) {
  if (const base::Status may = may_change(record.node, record.state); !may.ok()) {
    return may;
  }
  MemberState& state = members_.at(record.node).info.state;
  if (state != record.state) {
    state = record.state;
    changed(at);
  }
  return {};
}

base::Status MemberBook::may_change(base::NodeId node, MemberState state) const {
  const auto at = members_.find(node);
  if (at == members_.end()) {
    return refusal(ErrorCode::not_found, "there is no node " + base::to_string(node),
                   "fastgpu node list shows its nodes");
  }
  const protocol::NodeInfo& info = at->second.info;
  if (info.state == MemberState::removed && state != MemberState::removed) {
    return refusal(ErrorCode::conflict, info.name + " was removed, for good",
                   "let it join again, with an empty folder");
  }
  const std::vector<base::NodeId> keeping = keepers();
  if (state != MemberState::active && keeping.size() == 1 && keeping.front() == node) {
    return refusal(ErrorCode::conflict,
                   info.name +
                       " is the last node that is neither draining "
                       "nor removed",
                   "let another node join first");
  }
  return {};
}

// --- tokens and clients --------------------------------------------------------------------------

bool MemberBook::has_token(const base::ObjectHash& hash, base::WallTimeMs now_ms) const {
  const auto at = tokens_.find(hash);
  return at != tokens_.end() && now_ms < at->second;
}

base::Status MemberBook::add(const protocol::TokenRecord& record, base::LogIndex at) {
  std::erase_if(tokens_, [&](const auto& token) { return token.second <= record.made_at_ms; });
  if (tokens_.size() >= base::limits::message_list_items_max) {
    return too_many("join tokens");
  }
  if (tokens_.emplace(record.token.hash, record.token.expires_at_ms).second) {
    changed(at);
  }
  return {};
}

base::Status MemberBook::set(const protocol::ClientKeyRecord& record, base::LogIndex at) {
  const protocol::ClientKey& client = record.client;
  const auto known = clients_.find(client.name);
  if (known == clients_.end()) {
    if (clients_.size() >= base::limits::message_list_items_max) {
      return too_many("clients");
    }
    clients_.emplace(client.name, client);
    changed(at);
    return {};
  }
  if (known->second.key != client.key || (known->second.revoked && !client.revoked)) {
    return refusal(ErrorCode::name_taken,
                   "the client " + client.name +
                       (known->second.revoked ? " was revoked" : " has another key already"),
                   "choose another name");
  }
  if (known->second != client) {
    known->second = client;
    changed(at);
  }
  return {};
}

// --- replicas ------------------------------------------------------------------------------------

base::Status MemberBook::set(const protocol::ReplicasRecord& record, base::LogIndex at) {
  if (const base::Status may = check_replicas(record.replicas); !may.ok()) {
    return may;
  }
  if (replicas_ != record.replicas) {
    replicas_ = record.replicas;
    changed(at);
  }
  return {};
}

// --- the whole -----------------------------------------------------------------------------------

std::vector<base::NodeId> MemberBook::keepers() const {
  std::vector<base::NodeId> nodes;
  for (const auto& [node, member] : members_) {
    if (member.info.state == MemberState::active) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

void MemberBook::changed(base::LogIndex at) {
  version_ = at.value;
  if (const std::vector<base::NodeId> nodes = keepers(); !nodes.empty()) {
    plan_ = plan_replicas(std::move(plan_), nodes, shard_count_, replicas_of(replicas_));
  }
}

protocol::Members MemberBook::as_told() const {
  protocol::Members told;
  told.version = version_;
  for (const auto& [node, member] : members_) {
    told.members.push_back(member.info);
  }
  told.plan = plan_;
  for (const auto& [name, client] : clients_) {
    told.clients.push_back(client);
  }
  for (const auto& [hash, expires_at_ms] : tokens_) {
    told.tokens.push_back({hash, expires_at_ms});
  }
  told.replicas = replicas_;
  return told;
}

void MemberBook::put_into(protocol::LedgerImage& image) const {
  for (const auto& [node, member] : members_) {
    image.members.push_back(member);
  }
  image.members_version = version_;
  image.plan = plan_;
  for (const auto& [name, client] : clients_) {
    image.clients.push_back(client);
  }
  for (const auto& [hash, expires_at_ms] : tokens_) {
    image.tokens.push_back({hash, expires_at_ms});
  }
  image.replicas = replicas_;
}

void MemberBook::restore(const protocol::LedgerImage& image) {
  members_.clear();
  for (const protocol::MemberImage& member : image.members) {
    members_.emplace(member.info.node, member);
  }
  clients_.clear();
  for (const protocol::ClientKey& client : image.clients) {
    clients_.emplace(client.name, client);
  }
  tokens_.clear();
  for (const protocol::JoinToken& token : image.tokens) {
    tokens_.emplace(token.hash, token.expires_at_ms);
  }
  replicas_ = image.replicas;
  plan_ = image.plan;
  version_ = image.members_version;
}

}  // namespace fastgpu::ledger
