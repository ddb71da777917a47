#pragma once

/// With what a link proves who it is, and how it knows who calls. Given once, to a ZmqLink or a
/// SimLink; all keys are in Z85, 40 characters.
/// `who` is asked on the link's threads, for each caller and again for all of them after
/// Link::keys_changed: it must be safe on any thread and must not block. Where it is empty, or
/// answers null, or throws, the caller is refused.

#include <string.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/caller.hpp"

namespace fastgpu::link {

struct LinkKeys {
  using Who = std::function<base::CallerPtr(std::string_view public_key)>;

  std::string public_key;
  std::string secret_key;  ///< wiped with the value
  Who who;                 ///< empty: nobody may call (a client)

  LinkKeys() = default;
  LinkKeys(std::string own_public, std::string own_secret, Who whose)
      : public_key(std::move(own_public)),
        secret_key(std::move(own_secret)),
        who(std::move(whose)) {}
  LinkKeys(const LinkKeys&) = default;
  LinkKeys& operator=(const LinkKeys&) = default;
  ~LinkKeys() { ::explicit_bzero(secret_key.data(), secret_key.size()); }

  /// Fails closed.
  base::CallerPtr caller_of(std::string_view key) const {
    try {
      return who ? who(key) : nullptr;
    } catch (...) {
      return nullptr;
    }
  }
};

}  // namespace fastgpu::link
