#include <algorithm>
#include <optional>
#include <utility>

#include "client/results.hpp"
#include "client/retry.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

/// A job, and which of its tasks are named; none: the job as a whole.
struct Wanted {
  base::JobId job;
  std::vector<std::uint32_t> tasks;
};

std::vector<Wanted> by_job(const std::vector<Target>& targets) {
  std::vector<Wanted> all;
  for (const Target& target : targets) {
    auto found = std::find_if(all.begin(), all.end(),
                              [&](const Wanted& wanted) { return wanted.job == target.job; });
    if (found == all.end()) {
      found = all.insert(all.end(), {target.job, {}});
    }
    if (target.task) {
      found->tasks.push_back(*target.task);
    }
  }
  return all;
}

base::Status refuse_unknown(const protocol::JobDetail& detail,
                            const std::vector<std::uint32_t>& tasks) {
  protocol::JobDetail looked_at;
  looked_at.summary.job = detail.summary.job;
  looked_at.spec = detail.spec;
  for (const std::uint32_t task : tasks) {
    if (const base::Status known = keep_task(looked_at, task); !known.ok()) {
      return known;
    }
  }
  return {};
}

void tell_of_live_tasks(const Context& context, const protocol::JobSummary& job) {
  const auto live = job.counts[static_cast<std::size_t>(protocol::TaskState::pending)] +
                    job.counts[static_cast<std::size_t>(protocol::TaskState::running)];
  if (live != 0) {
    context.tell("job " + base::to_string(job.job) + ": " + std::to_string(live) +
                 " tasks have not ended; they are not among those that are done again");
  }
}

base::Result<Retried> retry(const Context& context, client::Connection& connection,
                            const Wanted& wanted, const RetryFlags& flags) {
  const auto detail = client::fetch_detail(connection, wanted.job, context.deadline());
  if (!detail.ok()) {
    return detail.error();
  }
  if (const base::Status known = refuse_unknown(detail.value(), wanted.tasks); !known.ok()) {
    return known.error();
  }
  auto spec =
      client::spec_again(detail.value(), {flags.all, flags.failed, flags.lost, wanted.tasks});
  if (!spec.ok()) {
    return spec.error();
  }
  if (const base::Status changed = change(spec.value(), flags); !changed.ok()) {
    return changed.error();
  }
  tell_of_live_tasks(context, detail.value().summary);
  const std::uint32_t tasks = spec.value().tasks;
  const auto accepted = connection.ask_for<protocol::Accepted>(
      protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(std::move(spec).value())}},
      context.deadline());
  if (!accepted.ok()) {
    return accepted.error();
  }
  return Retried{accepted.value().job, wanted.job, tasks};
}

void print_one(const Context& context, const Retried& retried) {
  if (context.format() == Format::id) {
    context.print(std::to_string(retried.job.value) + "\n");
  } else if (context.format() == Format::table) {
    context.print("job " + base::to_string(retried.job) + ": " + std::to_string(retried.tasks) +
                  (retried.tasks == 1 ? " task" : " tasks") + " of job " +
                  base::to_string(retried.of) + " again\n");
  }
}

}  // namespace

int verb_retry(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto targets =
      find_targets(context, *connection.value(), {invocation.selectors, invocation.labels});
  if (!targets.ok()) {
    return context.fail(targets.error());
  }
  context.asking();
  std::vector<Retried> all;
  std::optional<base::Error> first_error;
  int code = 0;
  for (const Wanted& wanted : by_job(targets.value())) {
    const auto retried = retry(context, *connection.value(), wanted, invocation.retry);
    if (!retried.ok()) {
      const int failed = context.tell_error(retried.error());
      code = code == 0 ? failed : code;
      first_error = first_error ? first_error : std::optional(retried.error());
      continue;
    }
    print_one(context, retried.value());
    all.push_back(retried.value());
  }
  if (context.wants_documents()) {
    if (all.empty()) {
      context.print(json_error(*first_error, context.source(), context.stamp()));
    } else {
      context.print(json_retried(all, first_error, context.source(), context.stamp()));
    }
  }
  return code;
}

}  // namespace fastgpu::cli
