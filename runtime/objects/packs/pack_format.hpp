#pragma once

/// How small blobs lie in a pack file; pure.
///
///     entry:   magic (4 bytes) | kind and length (4) | crc (4) | hash (32) | data (length)
///
/// The first bit of the length word tells a removal, which has no data. The crc covers the length
/// word, the hash and the data. A pack is a row of entries; only its end can be torn, and an end
/// that does not check is cut off before anything is added.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/ids.hpp"

namespace fastgpu::objects {

inline constexpr std::size_t pack_head_bytes = 4 + 4 + 4 + 32;

struct PackEntry {
  base::ObjectHash hash;
  bool removal{false};
  std::uint32_t length{};  ///< of the data, which follows the head
  bool operator==(const PackEntry&) const = default;
};

void put_pack_entry(std::vector<std::uint8_t>& out, const base::ObjectHash& hash,
                    std::span<const std::uint8_t> data);
void put_pack_removal(std::vector<std::uint8_t>& out, const base::ObjectHash& hash);

/// The entry at the begin of `data`; nothing if what is there is no whole entry.
std::optional<PackEntry> read_pack_entry(std::span<const std::uint8_t> data);

/// Packs are "pack/00000000000000000017": names in the order of numbers.
std::string pack_name(std::uint64_t number);
std::optional<std::uint64_t> pack_number(std::string_view name);
inline constexpr std::string_view pack_folder = "pack";

}  // namespace fastgpu::objects
