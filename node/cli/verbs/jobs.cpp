#include <algorithm>
#include <optional>
#include <utility>

#include "client/results.hpp"
#include "node/cli/flags/command_flags.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

std::string id_line(base::JobId job) {
  return std::to_string(job.value) + "\n";
}

}  // namespace

int verb_ps(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto labels = parse_labels(invocation.labels);
  if (!labels.ok()) {
    return context.fail(labels.error());
  }
  context.asking();
  const auto list = connection.value()->ask_for<protocol::JobList>(
      protocol::ListJobs{invocation.finished_too, labels.value()}, context.deadline());
  if (!list.ok()) {
    return context.fail(list.error());
  }
  if (context.format() == Format::id) {
    for (const protocol::JobSummary& job : list.value().jobs) {
      context.print(id_line(job.job));
    }
  } else if (context.format() == Format::table) {
    context.print(table_job_list(list.value(), context.names(), context.stamp()));
  } else {
    context.print(json_job_list(list.value(), context.names(), context.stamp()));
  }
  return 0;
}

int verb_show(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  context.asking();
  const auto targets =
      find_targets(context, *connection.value(), {invocation.selectors, invocation.labels});
  if (!targets.ok()) {
    return context.fail(targets.error());
  }
  std::vector<protocol::JobDetail> details;
  for (const Target& target : targets.value()) {
    auto detail = fetch_target(context, *connection.value(), target);
    if (!detail.ok()) {
      return context.fail(detail.error());
    }
    if (context.format() == Format::id) {
      context.print(id_line(target.job));
    } else if (context.format() == Format::table) {
      context.print(table_job(detail.value(), context.names(), context.stamp()));
    } else {
      details.push_back(std::move(detail).value());
    }
  }
  if (details.size() == 1) {
    context.print(json_job(details.front(), context.names(), context.stamp()));
  } else if (!details.empty()) {  // one document for one command, however many jobs
    context.print(json_jobs(details, context.names(), context.stamp()));
  }
  return 0;
}

int verb_wait(Context& context, const Invocation& invocation) {
  Interrupts interrupts(context, "Interrupted. Nothing was changed.");
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto jobs =
      find_jobs(context, *connection.value(), {invocation.selectors, invocation.labels});
  if (!jobs.ok()) {
    return context.fail(jobs.error());
  }
  const auto ended =
      follow(context, connection.value(), jobs.value(), invocation.progress, interrupts);
  if (!ended.ok()) {
    return context.fail(ended.error());
  }
  interrupts.ended(false);
  const Verdict verdict = verdict_of(ended.value());
  if (context.wants_documents()) {
    protocol::JobList list;
    list.source = context.cluster().source;
    list.jobs = ended.value();
    context.asking();
    Json document = json_job_list(list, context.names(), context.stamp());
    if (verdict.error) {
      document["error"] = error_record(*verdict.error);
    }
    context.print(document);
  } else if (context.format() == Format::table) {
    for (const protocol::JobSummary& job : ended.value()) {
      context.print(line_of_counts(job) + "\n");
    }
  }
  return verdict.exit_code;
}

int verb_cancel(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto jobs =
      find_jobs(context, *connection.value(), {invocation.selectors, invocation.labels, true});
  if (!jobs.ok()) {
    return context.fail(jobs.error());
  }
  std::optional<base::Error> first_error;
  protocol::JobList cancelled;
  cancelled.source = context.cluster().source;
  context.asking();
  int code = 0;
  for (const base::JobId job : jobs.value()) {
    const auto list = connection.value()->ask_for<protocol::JobList>(protocol::CancelJob{{}, job},
                                                                     context.deadline());
    if (!list.ok()) {
      const int failed = context.tell_error(list.error());
      code = code == 0 ? failed : code;
      first_error = first_error ? first_error : std::optional(list.error());
      continue;
    }
    cancelled.jobs.insert(cancelled.jobs.end(), list.value().jobs.begin(), list.value().jobs.end());
    if (context.format() == Format::table) {
      context.print("job " + base::to_string(job) + " is cancelled\n");
    } else if (context.format() == Format::id) {
      context.print(id_line(job));
    }
  }
  if (context.wants_documents()) {
    Json document = json_job_list(cancelled, context.names(), context.stamp());
    if (first_error) {
      document["error"] = error_record(*first_error);
    }
    context.print(document);
  }
  return code;
}

}  // namespace fastgpu::cli
