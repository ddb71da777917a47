#pragma once

/// The written form of a history: one JSON object a line, so that a process that is killed while it
/// writes spoils its own last line only, and files of many writers can be put one behind the other.
/// A line that cannot be read is an Error that names it: a checker that skips what it does not
/// understand proves nothing.

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "tests/history/history.hpp"

namespace fastgpu::history {

/// Without the end of the line.
std::string to_line(const Entry& entry);
base::Result<Entry> parse_line(std::string_view line);

/// All lines of a text; `name` stands in the Error. Empty lines are passed over.
base::Result<History> parse(std::string_view text, const std::string& name);

}  // namespace fastgpu::history
