#pragma once

/// Which public keys may connect, and as whom: nodes by number, clients by name, and joiners by the
/// hash of a key that only the holder of a join token has.
/// A KeyRing is made from the member list whenever that changes and then never altered. The
/// SharedKeyRing holds the present one: its owner replaces it from any thread, the link's threads
/// ask it, and then the link must be told (Link::keys_changed).
/// Nothing fails: who is not found is nobody. A key that is given to two owners belongs to nobody.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "runtime/base/caller.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"

namespace fastgpu::security {

class KeyRing {
 public:
  void add_node(base::NodeId node, const std::string& public_key);
  void add_client(const std::string& name, const std::string& public_key);
  /// Whoever has the key with this hash (`hash_of_key`) may ask to join, until then.
  void add_joiner(const base::ObjectHash& key_hash, base::WallTimeMs expires_at);

  /// Null: nobody, or a joiner too late.
  base::CallerPtr who(std::string_view public_key, base::WallTimeMs now) const;
  /// Empty: none.
  std::string key_of(base::NodeId node) const;
  std::size_t size() const { return callers_.size() + joiners_.size(); }

 private:
  void add(base::Caller caller);

  std::map<std::string, base::CallerPtr, std::less<>> callers_;  ///< null: given twice
  std::map<base::NodeId, std::string> nodes_;
  std::map<base::ObjectHash, base::WallTimeMs> joiners_;
};

class SharedKeyRing {
 public:
  using WallClock = std::function<base::WallTimeMs()>;

  /// The clock is asked on any thread.
  explicit SharedKeyRing(WallClock clock) : clock_(std::move(clock)) {}

  void replace(KeyRing ring);
  std::shared_ptr<const KeyRing> present() const;
  base::CallerPtr who(std::string_view public_key) const;

 private:
  const WallClock clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const KeyRing> ring_ = std::make_shared<const KeyRing>();
};

}  // namespace fastgpu::security
