#pragma once

/// Numbers as sentences for users have them.

#include <cstdint>
#include <string>

namespace fastgpu::exec {

/// "512 bytes", "256 MiB", "1.5 GiB".
std::string size_text(std::uint64_t bytes);
/// "0.25 s", "90.0 s".
std::string seconds_text(std::int64_t nanoseconds);
/// "signal 9 (SIGKILL)".
std::string signal_text(int signal);
/// At most `bytes_max` bytes, control characters as blanks, nothing after the first line.
std::string first_line(const std::string& text, std::size_t bytes_max);

}  // namespace fastgpu::exec
