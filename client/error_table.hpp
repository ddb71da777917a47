#pragma once

/// Every FG code in one table: what `fastgpu help FGxxxx` prints and docs/errors.md shows. Plain
/// constants. A new ErrorCode or FailureReason gets its row here; tests notice when one is missing.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/failure.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::client {

struct ErrorRow {
  std::uint16_t number;  ///< 2101 for FG2101
  const char* name;      ///< "infeasible"
  const char* meaning;
  const char* remedy;
};

/// By number. Numbers of 61xx are failure reasons of tasks.
std::span<const ErrorRow> error_table();
/// "FG2101" or "fg2101" or "2101"; null for any other text.
const ErrorRow* find_error(std::string_view code);
/// The row of a task's failure; null for `none`.
const ErrorRow* row_of(base::FailureReason reason);

/// "FG2101"
std::string code_text(std::uint16_t number);
/// The failure's code; empty for `none`.
std::string code_text(base::FailureReason reason);

}  // namespace fastgpu::client
