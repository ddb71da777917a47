#pragma once

/// Keys as values. A public key names its owner and may be shown; a secret key never leaves the
/// process and the file it came from. Both are CURVE keys of libzmq in Z85, 40 characters; libzmq
/// also makes them.
/// Pure values, usable from any thread. A KeyPair wipes its secret when it ends.

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::security {

inline constexpr std::size_t key_characters = 40;

/// Whether `text` could be a key: 40 characters of Z85.
bool is_key(std::string_view text);

class KeyPair {
 public:
  KeyPair() = default;  ///< none
  KeyPair(const KeyPair&) = default;
  KeyPair(KeyPair&& other) noexcept;
  KeyPair& operator=(const KeyPair&) = default;
  KeyPair& operator=(KeyPair&& other) noexcept;
  ~KeyPair();

  /// A new one, from the kernel's randomness.
  static KeyPair generate();
  /// The one with this secret. An Error where it is no key.
  static base::Result<KeyPair> of_secret(std::string_view secret_key);

  explicit operator bool() const { return !public_key_.empty(); }
  const std::string& public_key() const { return public_key_; }
  const std::string& secret_key() const { return secret_key_; }

 private:
  void wipe();

  std::string public_key_;
  std::string secret_key_;
};

/// What stands for a joiner's key where the key itself is not to be known: its SHA-256.
base::ObjectHash hash_of_key(std::string_view public_key);

/// Takes as long wherever the difference is. Texts of different length differ at once.
bool equal_in_constant_time(std::string_view one, std::string_view other);

}  // namespace fastgpu::security
