#include "runtime/logs/log_words.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace fastgpu::logs {
namespace {

constexpr std::string_view cut_begin = "[log cut: ";

}  // namespace

std::string size_text(std::uint64_t bytes) {
  static constexpr std::array<std::pair<const char*, int>, 3> units{
      {{" GiB", 30}, {" MiB", 20}, {" KiB", 10}}};
  for (const auto& [word, bits] : units) {
    const std::uint64_t whole = bytes >> bits;
    if (whole > 0 && whole << bits == bytes) {
      return std::to_string(whole) + word;
    }
  }
  return std::to_string(bytes) + " bytes";
}

std::string cut_text(std::uint64_t dropped_bytes, std::uint64_t limit_bytes) {
  std::string text = std::string(cut_begin) + std::to_string(dropped_bytes) +
                     " bytes dropped, limit " + size_text(limit_bytes) + " for a job on one node]";
  text.resize(cut_mark_bytes, ' ');
  return text;
}

std::optional<std::uint64_t> cut_bytes_in(std::string_view text) {
  if (!text.starts_with(cut_begin)) {
    return std::nullopt;
  }
  text.remove_prefix(cut_begin.size());
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return error == std::errc() ? std::optional(bytes) : std::nullopt;
}

std::string refused_text(std::uint64_t bytes, const std::string& why) {
  return "[" + std::to_string(bytes) + " bytes of log dropped: " + why + "]";
}

std::string evicted_text(std::uint64_t bytes) {
  return "[" + std::to_string(bytes) +
         " bytes of log removed to make room for newer logs on this node]";
}

std::string damaged_text(std::uint64_t bytes) {
  return "[" + std::to_string(bytes) +
         " bytes of log cannot be read: cut off or damaged when the node stopped]";
}

}  // namespace fastgpu::logs
