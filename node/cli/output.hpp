#pragma once

/// Shows what a job prints while it runs, or afterwards. Used by `run`, `attach` and `logs`.

#include <optional>

#include "node/cli/context.hpp"
#include "node/cli/interrupt.hpp"
#include "runtime/session/log_follower.hpp"

namespace fastgpu::cli {

struct OutputOptions {
  base::JobId job;
  std::uint32_t tasks{1};  ///< of the job: with several, each line names its task
  std::optional<std::uint32_t> task{};
  bool follow{true};
  bool all_attempts{false};
  bool times{false};
  bool beside_document{false};  ///< stdout is for one document that comes later: all to stderr
};

/// Blocks until all is shown. Does not return after Ctrl-C. How the showing ended; nothing past
/// `--timeout`.
std::optional<session::FollowDone> show_output(Context& context, client::Connection& connection,
                                               const OutputOptions& options,
                                               Interrupts& interrupts);

}  // namespace fastgpu::cli
