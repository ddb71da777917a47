#include "runtime/objects/packs/pack_format.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/little_endian.hpp"

namespace fastgpu::objects {
namespace {

constexpr std::uint32_t magic = 0x50474631;  // "1FGP"
constexpr std::uint32_t removal_bit = 0x80000000;
constexpr std::size_t length_at = 4;
constexpr std::size_t crc_at = 8;
constexpr std::size_t hash_at = 12;
constexpr std::size_t number_digits = 20;

std::uint32_t crc_of(std::span<const std::uint8_t> entry) {
  const std::uint32_t begun = base::crc32c(entry.subspan(length_at, crc_at - length_at));
  return base::crc32c(entry.subspan(hash_at), begun);
}

void put_entry(std::vector<std::uint8_t>& out, std::uint32_t length_word,
               const base::ObjectHash& hash, std::span<const std::uint8_t> data) {
  const std::size_t begin = out.size();
  base::put_little_endian(out, magic);
  base::put_little_endian(out, length_word);
  base::put_little_endian(out, std::uint32_t{0});
  out.insert(out.end(), hash.bytes.begin(), hash.bytes.end());
  out.insert(out.end(), data.begin(), data.end());
  std::uint32_t crc = crc_of(std::span(out).subspan(begin));
  for (std::size_t i = 0; i < sizeof(crc); ++i, crc >>= 8) {
    out[begin + crc_at + i] = static_cast<std::uint8_t>(crc);
  }
}

}  // namespace

void put_pack_entry(std::vector<std::uint8_t>& out, const base::ObjectHash& hash,
                    std::span<const std::uint8_t> data) {
  put_entry(out, static_cast<std::uint32_t>(data.size()), hash, data);
}

void put_pack_removal(std::vector<std::uint8_t>& out, const base::ObjectHash& hash) {
  put_entry(out, removal_bit, hash, {});
}

std::optional<PackEntry> read_pack_entry(std::span<const std::uint8_t> data) {
  if (data.size() < pack_head_bytes || base::get_little_endian<std::uint32_t>(&data[0]) != magic) {
    return std::nullopt;
  }
  const auto word = base::get_little_endian<std::uint32_t>(&data[length_at]);
  PackEntry entry;
  entry.removal = (word & removal_bit) != 0;
  entry.length = word & ~removal_bit;
  if (entry.length > base::limits::packed_object_bytes_max ||
      entry.length > data.size() - pack_head_bytes || (entry.removal && entry.length > 0)) {
    return std::nullopt;
  }
  std::copy_n(data.begin() + hash_at, entry.hash.bytes.size(), entry.hash.bytes.begin());
  const auto crc = base::get_little_endian<std::uint32_t>(&data[crc_at]);
  return crc_of(data.first(pack_head_bytes + entry.length)) == crc ? std::optional(entry)
                                                                   : std::nullopt;
}

std::string pack_name(std::uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(pack_folder) + "/" + std::string(number_digits - digits.size(), '0') + digits;
}

std::optional<std::uint64_t> pack_number(std::string_view name) {
  std::uint64_t number = 0;
  const std::string_view digits = name.substr(std::min(name.size(), pack_folder.size() + 1));
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return read.ec == std::errc() && name == pack_name(number) ? std::optional(number) : std::nullopt;
}

}  // namespace fastgpu::objects
