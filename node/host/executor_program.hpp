#pragma once

/// Where the program is that touches devices.

#include <string>

namespace fastgpu::node {

/// `fastgpu-executor` beside the running program, or what FASTGPU_EXECUTOR names.
std::string find_executor_program();

}  // namespace fastgpu::node
