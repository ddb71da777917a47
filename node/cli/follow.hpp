#pragma once

/// Waiting for jobs with a person in front: progress on a terminal, Ctrl-C, how they ended.

#include <memory>
#include <string>
#include <vector>

#include "node/cli/context.hpp"
#include "node/cli/interrupt.hpp"
#include "runtime/base/ids.hpp"

namespace fastgpu::cli {

/// The jobs once all have ended, in their order; or why that is not known: past `--timeout` an
/// Error of code timeout. Does not return after Ctrl-C. `progress`: auto, plain or none.
base::Result<std::vector<protocol::JobSummary>> follow(
    const Context& context, std::shared_ptr<client::Connection> connection,
    const std::vector<base::JobId>& jobs, const std::string& progress, Interrupts& interrupts);

/// The exit code of several jobs that ended with these codes: 10 before 12, 13, 11 and 0.
int worst_of(const std::vector<int>& codes);

/// How these jobs ended, as one: the exit code of the worst, and what to tell of that one.
struct Verdict {
  int exit_code{0};
  std::optional<base::Error> error;
};
Verdict verdict_of(const std::vector<protocol::JobSummary>& jobs);

}  // namespace fastgpu::cli
