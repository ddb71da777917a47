#pragma once

/// The file with a node's own key pair, node.key in its folder: made once by `init` or `join`, read
/// at each start. Calls block on the disk; failures are Errors with the remedy.

#include <filesystem>

#include "runtime/base/result.hpp"
#include "runtime/security/keys.hpp"

namespace fastgpu::security {

/// Makes a new pair and its file; refuses where there is one.
base::Result<KeyPair> create_key_file(const std::filesystem::path& path);
base::Result<KeyPair> read_key_file(const std::filesystem::path& path);

}  // namespace fastgpu::security
