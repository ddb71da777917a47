#pragma once

/// The way in for a node that is no member yet, as closed as all others: a key pair of its own,
/// made for one joining, and the keys of the members it may ask. The cluster keeps only the hash of
/// the joiner's public key (KeyRing::add_joiner), so nothing that it stores or sends lets anybody
/// in. The public key is also what `Join` shows as its token: that the asker has the secret to it
/// has been proved by then. Values; reading and writing block on the disk, failures are Errors with
/// the remedy.

#include <filesystem>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/security/credentials.hpp"
#include "runtime/security/keys.hpp"

namespace fastgpu::security {

struct JoinToken {
  KeyPair joiner;
  ServerKeys servers;

  /// What `Join` shows; its hash_of_key is what the cluster keeps.
  const std::string& shown() const { return joiner.public_key(); }
};

/// A new one.
JoinToken make_join_token(ServerKeys servers);
base::Result<JoinToken> parse_join_token(const std::string& text, const std::string& what);
std::string to_text(const JoinToken& token);

base::Result<JoinToken> read_join_token(const std::filesystem::path& path);
base::Status write_join_token(const std::filesystem::path& path, const JoinToken& token);

}  // namespace fastgpu::security
