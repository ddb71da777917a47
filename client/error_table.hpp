#pragma once

/// Every code that users can meet: one row each, from which come kinds, exit codes, the text of
/// `fastgpu help FG2101` and the table of docs/errors.md. A new code is one more row here, at the
/// place of its number, after it got its number in runtime/base/result.hpp. Pure.

#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace fastgpu::client {

/// One word for a program to react to, and what `fastgpu` exits with. A closed list.
struct ErrorClass {
  const char* word;  ///< the `kind` of JSON errors
  int exit_code;
};

struct ErrorRow {
  base::ErrorCode code;
  const char* name;
  const ErrorClass* what;
  const char* meaning;
  const char* remedy;
};

/// In the order of their numbers.
std::span<const ErrorRow> error_table();
/// The row of a code; nullptr for one that has none.
const ErrorRow* find_error(base::ErrorCode code);
/// The row that "FG2101", "fg2101" or "2101" names; nullptr for anything else.
const ErrorRow* find_error(std::string_view text);

/// "FG2101"
std::string code_text(base::ErrorCode code);
/// "fg2101": where docs/errors.md tells of it.
std::string anchor_of(base::ErrorCode code);
/// For people: code, name, meaning, remedy, and how it is told to programs.
std::string help_of(const ErrorRow& row);
/// The table of docs/errors.md, in Markdown, with an anchor for each row.
std::string error_page_table();

}  // namespace fastgpu::client
