#pragma once

/// Text in the fixed fields of shared records. Nothing fails: what does not fit is cut.

#include <cstddef>

namespace fastgpu::exec {

/// Null-terminated; a null `from` counts as empty. May be called by a signal handler.
template <std::size_t Size>
void copy_text(char (&to)[Size], const char* from) {
  std::size_t i = 0;
  for (; from != nullptr && i + 1 < Size && from[i] != '\0'; ++i)
    to[i] = from[i];
  to[i] = '\0';
}

}  // namespace fastgpu::exec
