#pragma once

/// Words that several outcomes of a task have in common.

#include <cstdint>
#include <string>

#include "runtime/protocol/job.hpp"

namespace fastgpu::worker {

/// "0.25 s"
std::string seconds_text(std::int64_t ns);

/// "1.8 ms"
std::string milliseconds_text(std::int64_t ns);

/// "kernel saxpy, grid (4,1,1), block size (256,1,1)"
std::string launch_text(const protocol::JobSpec& spec);

}  // namespace fastgpu::worker
