#pragma once

/// The same worlds with keys: every node and client of a test has a key pair, a ring that all nodes
/// share says whose is whose, and who dials an address knows the key of who listens there.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "runtime/security/key_ring.hpp"
#include "runtime/security/keys.hpp"
#include "tests/unit/link/link_worlds.hpp"

namespace fastgpu::link::testing {

/// Who has which key, and where the owners listen.
class Keys {
 public:
  static constexpr const char* client_name = "alice";

  const security::KeyPair& of_node(std::uint32_t node) {
    const auto [place, is_new] = nodes_.try_emplace(node);
    if (is_new) {
      place->second = security::KeyPair::generate();
      renew();
    }
    return place->second;
  }
  const security::KeyPair& of_client() {
    if (!client_) {
      client_ = security::KeyPair::generate();
      renew();
    }
    return client_;
  }
  void forget_node(std::uint32_t node) {
    nodes_.erase(node);
    renew();
  }
  void forget_client() {
    client_ = {};
    renew();
  }
  void allow_joiner(const base::ObjectHash& hash, base::WallTimeMs until) {
    joiners_[hash] = until;
    renew();
  }
  void set_wall_clock(base::WallTimeMs now) { wall_now_ = now; }

  /// What a link with this pair is given; clients know nobody.
  LinkKeys for_link(const security::KeyPair& pair, bool is_node) const {
    LinkKeys::Who who;
    if (is_node) {
      who = [ring = ring_](std::string_view key) { return ring->who(key); };
    }
    return {pair.public_key(), pair.secret_key(), std::move(who)};
  }
  void listens(const std::string& address, const std::string& key) { addresses_[address] = key; }
  std::string at(const std::string& address) {
    const auto found = addresses_.find(address);
    return found == addresses_.end() ? of_node(1).public_key() : found->second;
  }

 private:
  void renew() {
    security::KeyRing ring;
    for (const auto& [node, pair] : nodes_) {
      ring.add_node({node}, pair.public_key());
    }
    ring.add_client(client_name, client_.public_key());
    for (const auto& [hash, until] : joiners_) {
      ring.add_joiner(hash, until);
    }
    ring_->replace(std::move(ring));
  }

  std::map<std::uint32_t, security::KeyPair> nodes_;
  security::KeyPair client_;
  std::map<base::ObjectHash, base::WallTimeMs> joiners_;
  std::atomic<base::WallTimeMs> wall_now_{1000};  ///< asked on the links' threads
  std::shared_ptr<security::SharedKeyRing> ring_ =
      std::make_shared<security::SharedKeyRing>([this] { return wall_now_.load(); });
  std::map<std::string, std::string> addresses_;
};

/// A link that knows the key of whom it dials, as a program does from its list of members.
class KeyedLink final : public Link {
 public:
  KeyedLink(std::unique_ptr<Link> inner, Keys& keys, std::string own_key)
      : inner_(std::move(inner)), keys_(keys), own_key_(std::move(own_key)) {}
  Link& inner() { return *inner_; }

  void start(Sink sink) override { inner_->start(std::move(sink)); }
  base::Result<std::string> listen(const std::string& address) override {
    auto taken = inner_->listen(address);
    if (taken.ok()) {
      keys_.listens(taken.value(), own_key_);
    }
    return taken;
  }
  void connect(Endpoint endpoint, const std::string& address, const std::string& key) override {
    inner_->connect(endpoint, address, key.empty() ? keys_.at(address) : key);
  }
  void disconnect(Endpoint endpoint) override { inner_->disconnect(endpoint); }
  SendResult send(Endpoint endpoint, base::Bytes frame) override {
    return inner_->send(endpoint, std::move(frame));
  }
  void consumed(Endpoint endpoint, std::size_t bytes) override {
    inner_->consumed(endpoint, bytes);
  }
  LinkCounters counters() const override { return inner_->counters(); }
  void keys_changed() override { inner_->keys_changed(); }
  void stop() override { inner_->stop(); }

 private:
  std::unique_ptr<Link> inner_;
  Keys& keys_;
  std::string own_key_;
};

template <class Inner>
class Keyed final : public World {
 public:
  static constexpr bool is_keyed = true;

  std::unique_ptr<Link> make_link(const LinkOptions& options) override {
    const std::uint32_t node = options.identity.node.value;
    return make_link(options, node != 0 ? keys_.of_node(node) : keys_.of_client());
  }
  /// One that speaks as `options` say and has this pair.
  std::unique_ptr<Link> make_link(const LinkOptions& options, const security::KeyPair& pair) {
    const bool is_node = bool(options.identity.node);
    return std::make_unique<KeyedLink>(inner_.make_link(options, keys_.for_link(pair, is_node)),
                                       keys_, pair.public_key());
  }
  void crash(Link& link) override { inner_.crash(dynamic_cast<KeyedLink&>(link).inner()); }
  bool wait(Life& life, const std::function<bool()>& done) override {
    return inner_.wait(life, done);
  }
  Keys& keys() { return keys_; }

 private:
  Keys keys_;
  Inner inner_;
};

template <class WorldType>
std::string name_of() {
  if (std::is_same_v<WorldType, SimulatedWorld>) {
    return "Simulated";
  }
  if (std::is_same_v<WorldType, RealWorld>) {
    return "ZeroMq";
  }
  return std::is_same_v<WorldType, Keyed<RealWorld>> ? "ZeroMqWithKeys" : "SimulatedWithKeys";
}

}  // namespace fastgpu::link::testing
