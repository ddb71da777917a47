#pragma once

/// What a person's programs need to reach a cluster: where its nodes listen and by which keys they
/// are known, and the person's own key. A file of its own, made by `fastgpu-node init`
/// (client.toml in the node's folder) and by throw-away clusters.
/// Values; reading and writing block on the disk, failures are Errors with the remedy.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/security/keys.hpp"

namespace fastgpu::security {

/// Address -> public key of the node that listens there.
using ServerKeys = std::map<std::string, std::string>;

/// The key by which `address` is known: that of the file, or, as a host has many names, the only
/// one in it. Empty: none.
std::string key_for(const ServerKeys& servers, const std::string& address);

struct Credentials {
  std::string name;  ///< of the client, as the cluster knows it
  KeyPair keys;
  ServerKeys servers;
};

/// `what` names the text in errors.
base::Result<Credentials> parse_credentials(const std::string& text, const std::string& what);
std::string to_text(const Credentials& credentials);

base::Result<Credentials> read_credentials(const std::filesystem::path& path);
/// Makes the file or takes the place of the one there.
base::Status write_credentials(const std::filesystem::path& path, const Credentials& credentials);

/// Where a program looks for them when it is not told: the file of FASTGPU_CREDENTIALS, else
/// credentials.toml in fastgpu/ of $XDG_CONFIG_HOME or ~/.config. Empty: no home.
std::filesystem::path usual_credentials();

}  // namespace fastgpu::security
