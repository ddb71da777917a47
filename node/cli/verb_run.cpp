#include <algorithm>

#include "client/prepare.hpp"
#include "client/results.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/verbs.hpp"

namespace fastgpu::cli {
namespace {

/// Tasks whose outputs are brought at once: their files are written before the next ones come.
constexpr std::size_t reports_at_once = 64;

/// Of uploads and downloads, where no --timeout was given.
constexpr std::chrono::hours transfer_limit{1};

bool ended_by_itself(int code) {
  return code == 0 || (code >= 10 && code <= 13);
}

struct Submitted {
  base::JobId id;
  std::string name;  ///< given, or made by the client library
};

base::Result<Submitted> submit(Context& context, client::Connection& connection,
                               const v1::JobSpec& job) {
  const auto given = context.limit();
  if (!given.ok()) {
    return given.error();
  }
  client::Uploads uploads;
  const auto prepared = client::prepare(connection, uploads, job.contents(),
                                        given.value().value_or(client::in(transfer_limit)));
  if (!prepared.ok()) {
    return prepared.error();
  }
  const auto accepted = connection.ask_for<protocol::Accepted>(
      protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(prepared.value())}},
      context.deadline());
  if (!accepted.ok()) {
    return accepted.error();
  }
  return Submitted{accepted.value().job, prepared.value().name};
}

void announce(const Context& context, base::JobId job, std::uint32_t tasks) {
  switch (context.format()) {
    case Format::table:
      return context.print("job " + base::to_string(job) +
                           (tasks > 1 ? ": " + std::to_string(tasks) + " tasks\n" : "\n"));
    case Format::id:
      return context.print(std::to_string(job.value) + "\n");
    case Format::json:
    case Format::jsonl:
      return context.print(json_accepted(job, tasks, context.stamp()));
  }
}

base::Status write_some(client::Connection& connection, const protocol::JobDetail& detail,
                        std::size_t first, std::size_t end, client::Time deadline) {
  std::vector<protocol::Data> pieces;
  for (std::size_t i = first; i < end; ++i) {
    const auto& outputs = detail.reports[i].outcome.outputs;
    pieces.insert(pieces.end(), outputs.begin(), outputs.end());
  }
  const auto data = client::fetch_all(connection, pieces, deadline);
  if (!data.ok()) {
    return data.error();
  }
  std::size_t next = 0;
  for (std::size_t i = first; i < end; ++i) {
    const protocol::TaskReport& report = detail.reports[i];
    const std::size_t outputs = report.outcome.outputs.size();
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      const std::vector<std::string> files = output_files(detail, task);
      for (std::size_t output = 0; output < outputs && output < files.size(); ++output) {
        const base::Status status = write_file(files[output], data.value()[next + output].span());
        if (!status.ok()) {
          return status;
        }
      }
    }
    next += outputs;
  }
  return {};
}

base::Status write_outputs(client::Connection& connection, const protocol::JobDetail& detail,
                           client::Time deadline) {
  for (std::size_t at = 0; at < detail.reports.size(); at += reports_at_once) {
    const std::size_t end = std::min(detail.reports.size(), at + reports_at_once);
    if (const base::Status status = write_some(connection, detail, at, end, deadline);
        !status.ok()) {
      return status;
    }
  }
  return {};
}

/// Why tasks ended badly: each reason once, with the first task that had it.
void tell_failures(const Context& context, const protocol::JobDetail& detail) {
  std::vector<std::string> told;
  for (const protocol::TaskReport& report : detail.reports) {
    const protocol::TaskOutcome& outcome = report.outcome;
    if (outcome.state == protocol::TaskState::succeeded) {
      continue;
    }
    const std::string why = std::string(base::to_word(outcome.reason)) + ": " + outcome.message;
    if (told.size() < 5 && std::find(told.begin(), told.end(), why) == told.end()) {
      told.push_back(why);
      context.tell("task " + std::to_string(report.range.first) + " " +
                   protocol::to_word(outcome.state) + " on " + context.names().of(outcome.device) +
                   ", " + why);
    }
  }
}

int finish_run(Context& context, client::Connection& connection, base::JobId job, int code) {
  // The job has ended: bringing its results gets a time of its own.
  const client::Time deadline = client::in(transfer_limit);
  const auto detail = client::fetch_detail(connection, job, deadline);
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  context.refresh(connection);
  if (const base::Status status = write_outputs(connection, detail.value(), deadline);
      !status.ok()) {
    return context.fail(status.error());
  }
  tell_failures(context, detail.value());
  if (context.format() == Format::table) {
    context.print("job " + line_of_counts(detail.value().summary) + "\n" +
                  lines_of_timings(detail.value(), context.names()));
  } else if (context.format() == Format::id) {
    context.print(std::to_string(job.value) + "\n");
  } else {
    context.print(json_job(detail.value(), context.names(), context.stamp()));
  }
  return code;
}

}  // namespace

int verb_submit(Context& context, const Invocation& invocation) {
  const auto job = job_from(invocation.job, read_file, is_file);
  if (!job.ok()) {
    return context.fail(job.error());
  }
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto id = submit(context, *connection.value(), job.value());
  if (!id.ok()) {
    return context.fail(id.error());
  }
  announce(context, id.value().id, invocation.job.tasks);
  return 0;
}

int verb_run(Context& context, const Invocation& invocation) {
  if (invocation.detach) {
    return verb_submit(context, invocation);
  }
  const auto job = job_from(invocation.job, read_file, is_file);
  if (!job.ok()) {
    return context.fail(job.error());
  }
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto id = submit(context, *connection.value(), job.value());
  if (!id.ok()) {
    return context.fail(id.error());
  }
  if (invocation.progress != "none") {
    context.tell("job " + base::to_string(id.value().id) + " (" + id.value().name + "), " +
                 std::to_string(invocation.job.tasks) +
                 (invocation.job.tasks == 1 ? " task" : " tasks"));
  }
  const int code = follow(context, *connection.value(), {id.value().id}, invocation.progress);
  return ended_by_itself(code) ? finish_run(context, *connection.value(), id.value().id, code)
                               : code;
}

}  // namespace fastgpu::cli
