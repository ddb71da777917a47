#pragma once

/// The notices of a log store, worded once. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fastgpu::logs {

/// The mark of a log that was cut always has this length, so that its number can be written anew
/// in its place; spaces fill it up.
inline constexpr std::size_t cut_mark_bytes = 96;

/// "64 MiB"; "1000 bytes" where no unit fits.
std::string size_text(std::uint64_t bytes);

/// "[log cut: 17 bytes dropped, limit 64 MiB for a job on one node]" and spaces.
std::string cut_text(std::uint64_t dropped_bytes, std::uint64_t limit_bytes);
/// The number in it; nothing where it is another text.
std::optional<std::uint64_t> cut_bytes_in(std::string_view text);

/// "[17 bytes of log dropped: No space left on device]"
std::string refused_text(std::uint64_t bytes, const std::string& why);
/// "[17 bytes of log removed to make room for newer logs on this node]"
std::string evicted_text(std::uint64_t bytes);
/// "[17 bytes of log cannot be read: cut off or damaged when the node stopped]"
std::string damaged_text(std::uint64_t bytes);

}  // namespace fastgpu::logs
