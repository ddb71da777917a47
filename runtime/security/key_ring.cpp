#include "runtime/security/key_ring.hpp"

#include <utility>

#include "runtime/security/keys.hpp"

namespace fastgpu::security {

void KeyRing::add_node(base::NodeId node, const std::string& public_key) {
  if (node && is_key(public_key)) {
    nodes_[node] = public_key;
    add({base::CallerKind::node, node, "", public_key});
  }
}

void KeyRing::add_client(const std::string& name, const std::string& public_key) {
  if (is_key(public_key)) {
    add({base::CallerKind::client, {}, name, public_key});
  }
}

void KeyRing::add(base::Caller caller) {
  const auto [place, is_new] = callers_.try_emplace(caller.key, nullptr);
  if (is_new) {
    place->second = std::make_shared<const base::Caller>(std::move(caller));
  } else if (place->second && *place->second != caller) {
    place->second = nullptr;
  }
}

void KeyRing::add_joiner(const base::ObjectHash& key_hash, base::WallTimeMs expires_at) {
  joiners_[key_hash] = expires_at;
}

base::CallerPtr KeyRing::who(std::string_view public_key, base::WallTimeMs now) const {
  if (const auto found = callers_.find(public_key); found != callers_.end()) {
    return found->second;
  }
  if (joiners_.empty()) {
    return nullptr;
  }
  const auto joiner = joiners_.find(hash_of_key(public_key));
  if (joiner == joiners_.end() || now >= joiner->second) {
    return nullptr;
  }
  return std::make_shared<const base::Caller>(
      base::Caller{base::CallerKind::joiner, {}, "", std::string(public_key)});
}

std::string KeyRing::key_of(base::NodeId node) const {
  const auto found = nodes_.find(node);
  return found == nodes_.end() ? "" : found->second;
}

void SharedKeyRing::replace(KeyRing ring) {
  auto made = std::make_shared<const KeyRing>(std::move(ring));
  const std::lock_guard lock(mutex_);
  ring_.swap(made);
}

std::shared_ptr<const KeyRing> SharedKeyRing::present() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

base::CallerPtr SharedKeyRing::who(std::string_view public_key) const {
  return present()->who(public_key, clock_());
}

}  // namespace fastgpu::security
