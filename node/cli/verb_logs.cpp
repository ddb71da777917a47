#include "client/error_words.hpp"
#include "client/logs.hpp"
#include "client/results.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/output.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs.hpp"

namespace fastgpu::cli {

int verb_logs(Context& context, const Invocation& invocation) {
  Interrupts interrupts(context, "Interrupted.");
  const auto selector = parse_selector(invocation.selectors.front());
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto jobs = find_jobs(context, *connection.value(), invocation.selectors);
  if (!jobs.ok()) {
    return context.fail(jobs.error());
  }
  const base::JobId job = jobs.value().front();
  const auto detail = connection.value()->ask_for<protocol::JobDetail>(protocol::ShowJob{job, 0},
                                                                       context.deadline());
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  const OutputOptions options{.job = job,
                              .tasks = detail.value().spec ? detail.value().spec->tasks : 1,
                              .task = selector.value().task,
                              .follow = invocation.follow,
                              .all_attempts = invocation.all_attempts,
                              .times = invocation.times};
  const auto done = show_output(context, *connection.value(), options, interrupts);
  if (!done) {
    return context.fail(client::time_is_over("the job still prints"));
  }
  if (const base::Status status = client::status_of(*done); !status.ok()) {
    return context.fail(status.error());
  }
  return invocation.follow ? client::exit_code(done->state) : 0;
}

}  // namespace fastgpu::cli
