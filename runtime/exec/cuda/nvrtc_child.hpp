#pragma once

/// The part of `fastgpu-executor` that runs NVRTC, in a process of its own.
///
/// Place in the flow: the NVRTC maker starts `fastgpu-executor --compile-child WALLS... --
/// fastgpu-executor --nvrtc-child WORDS`: the first puts up the walls and limits, this one compiles
/// `job.cu` of the current folder into `kernel.image` and prints the log. NVRTC prints lines of any
/// file that a source includes, so it must see none of the host's.
/// Failures: by exit code, with the log or a sentence on standard output.

#include <string>
#include <vector>

namespace fastgpu::exec {

inline constexpr const char* nvrtc_source_file = "job.cu";
inline constexpr const char* nvrtc_image_file = "kernel.image";

enum NvrtcChildExit : int {
  nvrtc_child_good = 0,
  nvrtc_child_log = 1,       ///< the source does not compile: the output is NVRTC's log
  nvrtc_child_too_long = 2,  ///< stopped at `limit_ms`
  nvrtc_child_arch = 3,      ///< this NVRTC does not build for the device
  nvrtc_child_trouble = 4,   ///< anything else
};

struct NvrtcChildPlan {
  std::string library;  ///< path of NVRTC
  unsigned arch{};      ///< 90 for sm_90
  std::string standard{"c++17"};
  std::string include;  ///< the toolkit's headers; empty for none
  unsigned limit_ms{0};
  std::string expression;
  std::vector<std::string> defines;
};

/// The words behind "--nvrtc-child" that make `plan`.
std::vector<std::string> words_of(const NvrtcChildPlan& plan);

/// Takes the words after "--nvrtc-child". Returns the process's exit code.
int nvrtc_child_main(int count, char** words);

}  // namespace fastgpu::exec
