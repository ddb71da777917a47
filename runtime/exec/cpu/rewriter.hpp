#pragma once

/// Turns CUDA C++ into text that the host compiler takes together with the compatibility header.
///
/// Place in the flow: second step of a compile. Pure, never fails; what it does not understand it
/// leaves for the compiler to refuse. It changes three things only: `extern __shared__` arrays,
/// `asm`, and `<<<`, the last two into words that the compiler refuses with a reason; line numbers
/// stay as they were.

#include <set>
#include <string>
#include <string_view>

#include "runtime/exec/cpu/barriers.hpp"

namespace fastgpu::exec {

struct Rewritten {
  std::string text;
  std::set<std::string, std::less<>> kernels;  ///< names behind __global__
  bool hidden_kernels{false};  ///< a macro says __global__: there may be kernels not seen here
  bool shared_at_file_scope{false};  ///< an `extern __shared__` stands outside every function
  BarrierReach barriers;

  /// Whether the kernel must run as fibres. `expression` as in the job: "a::k<float>".
  bool may_wait(std::string_view expression) const;
};

Rewritten rewrite(std::string_view source);

/// "a::b::k<float>" -> "k".
std::string_view kernel_base_name(std::string_view expression);

}  // namespace fastgpu::exec
