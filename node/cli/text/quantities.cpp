#include "node/cli/text/quantities.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>
#include <limits>
#include <optional>
#include <utility>

namespace fastgpu::cli {
namespace {

using std::chrono::nanoseconds;

base::Error bad(std::string_view what, std::string_view text, std::string_view examples) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage,
          "'" + std::string(text) + "' is no " + std::string(what),
          "write it like " + std::string(examples)};
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

/// Longer names first: "ms" is not "m" and a rest.
constexpr std::array<Unit, 7> time_units{{{"ms", 1'000'000ull},
                                          {"us", 1'000ull},
                                          {"ns", 1ull},
                                          {"d", 86'400'000'000'000ull},
                                          {"h", 3'600'000'000'000ull},
                                          {"m", 60'000'000'000ull},
                                          {"s", 1'000'000'000ull}}};
constexpr std::array<Unit, 13> size_units{{{"KiB", 1ull << 10},
                                           {"MiB", 1ull << 20},
                                           {"GiB", 1ull << 30},
                                           {"TiB", 1ull << 40},
                                           {"KB", 1'000ull},
                                           {"MB", 1'000'000ull},
                                           {"GB", 1'000'000'000ull},
                                           {"TB", 1'000'000'000'000ull},
                                           {"K", 1ull << 10},
                                           {"M", 1ull << 20},
                                           {"G", 1ull << 30},
                                           {"T", 1ull << 40},
                                           {"B", 1ull}}};

/// Takes "12" or "1.5" off the front.
std::optional<double> take_number(std::string_view& text) {
  double value = 0;
  const auto [end, problem] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (problem != std::errc{} || !(value >= 0)) {  // "nan" is a number to from_chars
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

template <std::size_t count>
std::optional<std::uint64_t> take_unit(std::string_view& text,
                                       const std::array<Unit, count>& units) {
  for (const Unit& unit : units) {
    if (text.starts_with(unit.name)) {
      text.remove_prefix(unit.name.size());
      return unit.factor;
    }
  }
  return std::nullopt;
}

template <class... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

}  // namespace

base::Result<nanoseconds> parse_duration(std::string_view text) {
  constexpr std::string_view examples = "90s, 1h30m, 2d or 250ms";
  std::string_view rest = text;
  double total = 0;
  if (rest.empty()) {
    return bad("duration", text, examples);
  }
  while (!rest.empty()) {
    const std::optional<double> number = take_number(rest);
    if (!number) {
      return bad("duration", text, examples);
    }
    const bool bare = rest.empty() && total == 0;
    const auto unit =
        bare ? std::optional<std::uint64_t>(1'000'000'000ull) : take_unit(rest, time_units);
    if (!unit) {
      return bad("duration", text, examples);
    }
    total += *number * static_cast<double>(*unit);
  }
  if (total >= 9e18) {
    return bad("duration of less than 292 years", text, examples);
  }
  return nanoseconds(static_cast<std::int64_t>(total));
}

base::Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view examples = "4096, 16KiB, 512MiB or 40GB";
  std::string_view rest = text;
  std::uint64_t whole = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (problem == std::errc{} && end == text.data() + text.size()) {
    return whole;  // exact, also beyond what a double holds
  }
  const std::optional<double> number = take_number(rest);
  const auto unit = number ? take_unit(rest, size_units) : std::nullopt;
  if (!unit || !rest.empty() || *number * static_cast<double>(*unit) >= 1.8e19) {
    return bad("size", text, examples);
  }
  return static_cast<std::uint64_t>(*number * static_cast<double>(*unit));
}

base::Result<std::array<std::uint32_t, 3>> parse_dimensions(std::string_view text) {
  std::array<std::uint32_t, 3> sides{1, 1, 1};
  std::string_view rest = text;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), sides[i]);
    if (problem != std::errc{}) {
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) {
      return sides;
    }
    if (rest.front() != ',') {
      break;
    }
    rest.remove_prefix(1);
  }
  return bad("launch size", text, "256, 64,4 or 16,16,2");
}

std::string show_duration(nanoseconds time) {
  const double ns = static_cast<double>(time.count());
  if (ns < 1e6) {
    return formatted("%.0f us", ns / 1e3);
  }
  if (ns < 1e9) {
    return formatted("%.1f ms", ns / 1e6);
  }
  if (ns < 60e9) {
    return formatted("%.1f s", ns / 1e9);
  }
  const long long seconds = time.count() / 1'000'000'000;
  if (seconds < 3600) {
    return formatted("%lldm%llds", seconds / 60, seconds % 60);
  }
  if (seconds < 86400) {
    return formatted("%lldh%lldm", seconds / 3600, seconds / 60 % 60);
  }
  return formatted("%lldd%lldh", seconds / 86400, seconds / 3600 % 24);
}

std::string show_size(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return formatted("%.1f %s", value, units[unit]);
}

std::string show_time(std::int64_t milliseconds) {
  const std::time_t seconds = milliseconds / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return text.data() + formatted(".%03dZ", static_cast<int>(milliseconds % 1000));
}

}  // namespace fastgpu::cli
