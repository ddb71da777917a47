#pragma once

/// Files that only their owner may read: keys, credentials, join tokens.
/// Used by composition roots and by clients when they open; calls block on the disk. Every failure
/// is an Error that names the file and the remedy.
/// A file has at most `secret_file_bytes_max` bytes, one owner (who runs this program) and mode
/// 0600 or 0400; others are refused, read or not. It is there whole or not at all.

#include <cstddef>
#include <filesystem>
#include <string>

#include "runtime/base/result.hpp"

namespace fastgpu::security {

inline constexpr std::size_t secret_file_bytes_max = 64u << 10;

/// What the file holds. A link is not followed at its end.
base::Result<std::string> read_secret_file(const std::filesystem::path& path);

/// Makes it, durably; ErrorCode::conflict where there is something of that name already.
base::Status create_secret_file(const std::filesystem::path& path, const std::string& contents);

/// Makes it or takes the place of what is there.
base::Status replace_secret_file(const std::filesystem::path& path, const std::string& contents);

}  // namespace fastgpu::security
