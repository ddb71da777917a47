#pragma once

/// Numbers as people write them on the command line, and as tables show them. Pure. What is no such
/// quantity is an Error of code usage that shows how to write it.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace fastgpu::cli {

/// "90s", "1h30m", "2d", "250ms"; a bare number is seconds.
base::Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// "4096", "16KiB", "40GB" (powers of 1000), "512MiB" (powers of 1024).
base::Result<std::uint64_t> parse_size(std::string_view text);
/// "X", "X,Y" or "X,Y,Z"; what is left out is 1.
base::Result<std::array<std::uint32_t, 3>> parse_dimensions(std::string_view text);

/// "850 us", "3.2 ms", "12.4 s", "4m12s", "2h5m", "3d4h"
std::string show_duration(std::chrono::nanoseconds time);
/// "512 B", "1.5 KiB", "80.0 GiB"
std::string show_size(std::uint64_t bytes);
/// RFC 3339 in UTC: "2026-01-31T12:00:00.250Z"
std::string show_time(std::int64_t milliseconds_since_1970);

}  // namespace fastgpu::cli
