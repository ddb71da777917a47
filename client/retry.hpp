#pragma once

/// From a job that ended badly to a job that does again what did not succeed. Pure: the detail is
/// given, the spec is not submitted here.
///
/// The new job has the spec of the old one, and as many tasks as are done again; they go by the
/// numbers that they had there (protocol::TaskItems): "{}" in words and files, the variable
/// FASTGPU_TASK_ID and data for each task stay theirs. What the old one waited for is not waited
/// for again, unless nothing of it ever ran.

#include <cstdint>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"

namespace fastgpu::client {

/// Which of the tasks that have ended; with neither of the three, those that did not succeed.
struct RetryChoice {
  bool all{false};
  bool failed{false};                  ///< by their own fault: failed or timed out
  bool lost{false};                    ///< with their nodes
  std::vector<std::uint32_t> tasks{};  ///< only these; none: any
};

/// Ascending, apart from each other.
std::vector<base::TaskRange> tasks_again(const protocol::JobDetail& detail,
                                         const RetryChoice& choice);

/// The detail must hold all reports of the job. An Error (code conflict) where no task is meant.
base::Result<protocol::JobSpec> spec_again(const protocol::JobDetail& detail,
                                           const RetryChoice& choice);

}  // namespace fastgpu::client
