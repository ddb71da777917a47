#pragma once

/// Waiting for jobs with a person in front: progress on a terminal, Ctrl-C, the exit code.

#include <string>
#include <vector>

#include "node/cli/context.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::cli {

/// Until all have ended; 0, or the exit code of the worst. 124 past `--timeout`, 130 after Ctrl-C.
/// `progress`: auto, plain or none.
int follow(Context& context, client::Connection& connection, const std::vector<base::JobId>& jobs,
           const std::string& progress);

/// The exit code of several jobs that ended with these codes: 10 before 12, 13, 11 and 0.
int worst_of(const std::vector<int>& codes);

}  // namespace fastgpu::cli
