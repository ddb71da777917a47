#include "runtime/objects/blob_names.hpp"

#include <charconv>

namespace fastgpu::objects {
namespace {

constexpr std::size_t hash_digits = 64;

std::string in_folder(std::string_view folder, const std::string& file) {
  std::string name(folder);
  name += '/';
  name += file;
  return name;
}

std::optional<base::ObjectHash> parse_hash(std::string_view digits) {
  base::ObjectHash hash;
  if (digits.size() != hash_digits) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const char* begin = digits.data() + 2 * i;
    const auto [end, error] = std::from_chars(begin, begin + 2, hash.bytes[i], 16);
    if (error != std::errc() || end != begin + 2) {
      return std::nullopt;
    }
  }
  return base::to_string(hash) == digits ? std::optional(hash) : std::nullopt;
}

}  // namespace

std::string blob_folder_of(const base::ObjectHash& hash) {
  return base::to_string(hash).substr(0, 2);
}
std::string blob_name(const base::ObjectHash& hash) {
  return in_folder(blob_folder_of(hash), base::to_string(hash));
}
std::string upload_name(const base::ObjectHash& hash) {
  return in_folder(upload_folder, base::to_string(hash));
}
std::string fresh_name(const base::ObjectHash& hash) {
  return in_folder(fresh_folder, base::to_string(hash));
}
std::string intake_name(std::uint64_t number) {
  return in_folder(fresh_folder, "intake." + std::to_string(number));
}
ParsedName parse_name(std::string_view name) {
  ParsedName parsed;
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) {
    return parsed;
  }
  parsed.folder = name.substr(0, slash);
  const std::string_view file = name.substr(slash + 1);
  parsed.hash = parse_hash(file.substr(0, hash_digits));
  if (!parsed.hash) {
    return parsed;
  }
  const std::string_view rest = file.substr(hash_digits);
  const bool placed = parsed.folder == upload_folder || parsed.folder == fresh_folder ||
                      parsed.folder == file.substr(0, 2);
  if (!rest.empty() || !placed) {
    parsed.hash.reset();
  }
  return parsed;
}

}  // namespace fastgpu::objects
