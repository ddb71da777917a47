#include "runtime/protocol/arguments.hpp"

#include <charconv>
#include <cstring>
#include <system_error>

namespace fastgpu::protocol {
namespace {

using ScalarBytes = std::array<std::uint8_t, 8>;

base::Error bad_scalar(ScalarType type, std::string_view text, const char* why) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument,
          "'" + std::string(text) + "' is not a value of type " + to_word(type) + ": " + why,
          "write it as " + std::string(to_word(type)) + ":VALUE, such as " + to_word(type) +
              (type == ScalarType::f32 || type == ScalarType::f64 ? ":2.5" : ":42")};
}

template <class T>
base::Result<ScalarBytes> parse_as(ScalarType type, std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc::result_out_of_range) {
    return bad_scalar(type, text, "it is out of range");
  }
  if (result.ec != std::errc{} || result.ptr != end) {
    return bad_scalar(type, text, "it is not a number of that kind");
  }
  ScalarBytes bytes{};
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

}  // namespace

std::string fill_in(std::string_view text, std::uint32_t task, std::uint32_t tasks) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at, 2) == "{}") {
      filled += std::to_string(task);
      at += 2;
    } else if (text.substr(at, 3) == "{n}") {
      filled += std::to_string(tasks);
      at += 3;
    } else {
      filled += text[at++];
    }
  }
  return filled;
}

std::string fill_in(std::string_view text, const JobSpec& spec, std::uint32_t task) {
  return fill_in(text, spec.item_of(task), spec.item_count());
}

base::Result<std::array<std::uint8_t, 8>> parse_scalar(ScalarType type, std::string_view text) {
  switch (type) {
    case ScalarType::i32:
      return parse_as<std::int32_t>(type, text);
    case ScalarType::u32:
      return parse_as<std::uint32_t>(type, text);
    case ScalarType::i64:
      return parse_as<std::int64_t>(type, text);
    case ScalarType::u64:
      return parse_as<std::uint64_t>(type, text);
    case ScalarType::f32:
      return parse_as<float>(type, text);
    case ScalarType::f64:
      return parse_as<double>(type, text);
  }
  return bad_scalar(type, text, "there is no such type");
}

}  // namespace fastgpu::protocol
