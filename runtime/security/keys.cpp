#include "runtime/security/keys.hpp"

#include <string.h>
#include <zmq.h>

#include <array>
#include <cstdint>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::security {

bool is_key(std::string_view text) {
  std::array<std::uint8_t, 32> bytes{};
  if (text.size() != key_characters || text.find('\0') != std::string_view::npos) {
    return false;
  }
  const std::string terminated(text);
  const bool good = zmq_z85_decode(bytes.data(), terminated.c_str()) != nullptr;
  ::explicit_bzero(bytes.data(), bytes.size());
  return good;
}

KeyPair::KeyPair(KeyPair&& other) noexcept : public_key_(other.public_key_) {
  secret_key_ = other.secret_key_;
  other.wipe();
}

KeyPair& KeyPair::operator=(KeyPair&& other) noexcept {
  if (this != &other) {
    wipe();
    public_key_ = other.public_key_;
    secret_key_ = other.secret_key_;
    other.wipe();
  }
  return *this;
}

KeyPair::~KeyPair() {
  wipe();
}

void KeyPair::wipe() {
  ::explicit_bzero(secret_key_.data(), secret_key_.size());
  secret_key_.clear();
  public_key_.clear();
}

KeyPair KeyPair::generate() {
  std::array<char, key_characters + 1> public_text{};
  std::array<char, key_characters + 1> secret_text{};
  FASTGPU_CHECK(zmq_curve_keypair(public_text.data(), secret_text.data()) == 0,
                "this libzmq has no CURVE: FastGPU needs Debian's libzmq5");
  KeyPair made;
  made.public_key_ = public_text.data();
  made.secret_key_ = secret_text.data();
  ::explicit_bzero(secret_text.data(), secret_text.size());
  return made;
}

base::Result<KeyPair> KeyPair::of_secret(std::string_view secret_key) {
  std::array<char, key_characters + 1> public_text{};
  KeyPair made;
  made.secret_key_ = secret_key;
  if (!is_key(secret_key) || zmq_curve_public(public_text.data(), made.secret_key_.c_str()) != 0) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "a secret key is damaged: it has 40 characters of Z85", ""};
  }
  made.public_key_ = public_text.data();
  return made;
}

base::ObjectHash hash_of_key(std::string_view public_key) {
  base::Sha256 hash;
  hash.update(public_key);
  return hash.finish();
}

bool equal_in_constant_time(std::string_view one, std::string_view other) {
  if (one.size() != other.size()) {
    return false;
  }
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    difference = difference | static_cast<std::uint8_t>(one[i] ^ other[i]);
  }
  return difference == 0;
}

}  // namespace fastgpu::security
