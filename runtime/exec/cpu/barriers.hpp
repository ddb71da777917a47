#pragma once

/// Which functions of a source may reach a barrier or a warp operation, by name.
///
/// Place in the flow: a kernel that reaches none is compiled as a plain loop over the threads of a
/// block, which becomes vector code; all others run as fibres. Pure, never fails.
/// Rule: conservative. Names are followed through calls, methods, macros and templates without
/// looking at types, so a clash of names only costs speed; a mention that belongs to no function
/// that is understood makes every kernel wait.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/cpu/lexer.hpp"

namespace fastgpu::exec {

struct BarrierReach {
  std::set<std::string, std::less<>> waiting;  ///< functions and macros that may wait
  bool any_mention{false};                     ///< a barrier is named somewhere
  bool everything_waits{false};                ///< one is named where it cannot be attributed
};

BarrierReach find_barriers(const std::vector<Token>& tokens);

/// True for words that take parentheses before a function's own: "__launch_bounds__", "alignas".
bool is_attribute_word(std::string_view word);

}  // namespace fastgpu::exec
