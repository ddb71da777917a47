#include "client/logs.hpp"
#include "client/error_words.hpp"
#include "client/results.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/output.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {

int verb_logs(Context& context, const Invocation& invocation) {
  Interrupts interrupts(context, "Interrupted.");
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto target =
      find_single(context, *connection.value(), {invocation.selectors, invocation.labels});
  if (!target.ok()) {
    return context.fail(target.error());
  }
  const base::JobId job = target.value().job;
  const auto detail = connection.value()->ask_for<protocol::JobDetail>(protocol::ShowJob{job, 0},
                                                                       context.deadline());
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  const OutputOptions options{.job = job,
                              .tasks = detail.value().spec ? detail.value().spec->tasks : 1,
                              .task = target.value().task,
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
