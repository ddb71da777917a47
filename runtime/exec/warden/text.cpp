#include "runtime/exec/warden/text.hpp"

#include <array>
#include <cstdio>
#include <cstring>

namespace fastgpu::exec {

std::string size_text(std::uint64_t bytes) {
  constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char text[48];
  const bool whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
  std::snprintf(text, sizeof text, whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

std::string seconds_text(std::int64_t nanoseconds) {
  char text[48];
  const double seconds = static_cast<double>(nanoseconds) / 1e9;
  std::snprintf(text, sizeof text, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  return text;
}

std::string signal_text(int signal) {
  const char* name = sigabbrev_np(signal);
  return "signal " + std::to_string(signal) +
         (name != nullptr ? " (SIG" + std::string(name) + ")" : "");
}

std::string first_line(const std::string& text, std::size_t bytes_max) {
  std::string line = text.substr(0, text.find('\n')).substr(0, bytes_max);
  for (char& letter : line)
    if (static_cast<unsigned char>(letter) < ' ' || letter == '\x7f')
      letter = ' ';
  while (!line.empty() && line.back() == ' ')
    line.pop_back();
  return line;
}

}  // namespace fastgpu::exec
