#include "runtime/exec/cuda/failed_assert.hpp"

#include <algorithm>
#include <charconv>

namespace fastgpu::exec {
namespace {

/// Takes what stands before the mark off the text, and the mark with it.
std::optional<std::string_view> take_until(std::string_view& text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos)
    return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + mark.size());
  return taken;
}

template <class Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

bool take_triple(std::string_view& text, std::array<std::uint32_t, 3>& numbers) {
  for (std::size_t i = 0; i < 3; ++i) {
    const auto word = take_until(text, i < 2 ? "," : "]");
    if (!word || !read_number(*word, numbers[i]))
      return false;
  }
  return true;
}

std::optional<FailedAssert> read_line(std::string_view line) {
  FailedAssert found;
  const auto place = take_until(line, ": ");
  const std::size_t colon = place ? place->rfind(':') : std::string_view::npos;
  if (colon == std::string_view::npos || !read_number(place->substr(colon + 1), found.line))
    return std::nullopt;
  found.file = place->substr(0, colon);
  if (!take_until(line, "block: [") || !take_triple(line, found.block) ||
      !take_until(line, "thread: [") || !take_triple(line, found.thread) ||
      !take_until(line, "Assertion `"))
    return std::nullopt;
  const std::size_t end = line.rfind("` failed");
  if (end == std::string_view::npos)
    return std::nullopt;
  found.condition = line.substr(0, end);
  return found;
}

}  // namespace

std::optional<FailedAssert> read_failed_assert(std::string_view text) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    if (auto found = read_line(line))
      return found;
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return std::nullopt;
}

}  // namespace fastgpu::exec
