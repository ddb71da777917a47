#pragma once

/// Splits CUDA C++ text into tokens, no more than the rewriter needs.
///
/// Place in the flow: first step of a compile on the CPU device. Pure. Never fails: text that is no
/// C++ still becomes tokens, and the compiler finds what is wrong with it.
/// Invariant: the tokens' texts, one after the other, are the source.

#include <string_view>
#include <vector>

namespace fastgpu::exec {

struct Token {
  enum class Kind {
    identifier,  ///< names and keywords
    number,
    text,       ///< string and character literals, raw ones too
    mark,       ///< one character of anything else
    space,      ///< white space and comments; a line end is a token of its own
    directive,  ///< a whole preprocessor line, continuation lines included
  };
  Kind kind;
  std::string_view text;  ///< points into the source
  bool is(std::string_view word) const { return text == word; }
};

std::vector<Token> lex(std::string_view source);

}  // namespace fastgpu::exec
