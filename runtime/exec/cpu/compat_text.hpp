#pragma once

/// The compatibility header and its shims, as text inside the program: no source tree is needed at
/// run time. Generated at build time from runtime/exec/cpu/compat.

#include <span>
#include <string_view>

namespace fastgpu::exec {

struct CompatFile {
  std::string_view name;  ///< "fastgpu_cuda.h", "cuda_runtime.h"
  std::string_view text;
};

/// The first one is the header itself, included before every source; the others are found by the
/// source's own #include lines.
std::span<const CompatFile> compat_files();

}  // namespace fastgpu::exec
