#pragma once

/// Why tasks fail: one row for each reason, with its code, its meaning and what to do about it.
/// From it come `fastgpu why`, `fastgpu help FG6101` and a table of docs/errors.md. A new reason
/// gets its row here, after it got its word in runtime/base/failure.hpp. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/failure.hpp"

namespace fastgpu::client {

struct FailureRow {
  std::uint16_t number;  ///< 6101 for FG6101
  const char* name;      ///< the reason's word
  const char* meaning;
  const char* remedy;
};

/// In the order of their numbers.
std::span<const FailureRow> failure_table();
/// The row of a reason; nullptr for `none`.
const FailureRow* find_failure(base::FailureReason reason);
/// The row that "FG6101", "fg6101" or "6101" names; nullptr for anything else.
const FailureRow* find_failure(std::string_view text);

/// "FG6101"; empty for `none`.
std::string code_text(const FailureRow& row);
std::string code_text(base::FailureReason reason);
/// For people: code, reason, meaning, remedy.
std::string help_of(const FailureRow& row);
/// The table of docs/errors.md, in Markdown, with an anchor for each row.
std::string failure_page_table();

}  // namespace fastgpu::client
