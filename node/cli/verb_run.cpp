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

base::Result<base::JobId> submit(Context& context, client::Connection& connection,
                                 const v1::JobSpec& job, Interrupts* interrupts) {
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
  if (interrupts != nullptr) {
    interrupts->submitting();
  }
  context.asking();
  const auto accepted = connection.ask_for<protocol::Accepted>(
      protocol::Submit{{}, {std::make_shared<const protocol::JobSpec>(prepared.value())}},
      context.deadline());
  if (!accepted.ok()) {
    return accepted.error();
  }
  return accepted.value().job;
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
      return context.print(json_accepted(job, tasks, context.source(), context.stamp()));
  }
}

base::Status write_some(client::Connection& connection, const protocol::JobDetail& detail,
                        std::size_t first, std::size_t end, client::Time deadline,
                        Interrupts& interrupts) {
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
        const auto whole = interrupts.whole_file();
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
                           client::Time deadline, Interrupts& interrupts) {
  for (std::size_t at = 0; at < detail.reports.size(); at += reports_at_once) {
    const std::size_t end = std::min(detail.reports.size(), at + reports_at_once);
    if (const base::Status status = write_some(connection, detail, at, end, deadline, interrupts);
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

int finish_run(Context& context, client::Connection& connection, const protocol::JobSummary& ended,
               Interrupts& interrupts) {
  // The job has ended: bringing its results gets a time of its own.
  const client::Time deadline = client::in(transfer_limit);
  context.asking();
  const auto detail = client::fetch_detail(connection, ended.job, deadline);
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  if (const base::Status status = write_outputs(connection, detail.value(), deadline, interrupts);
      !status.ok()) {
    return context.fail(status.error());
  }
  tell_failures(context, detail.value());
  const Verdict verdict = verdict_of({ended});
  if (context.format() == Format::table) {
    context.print("job " + line_of_counts(detail.value().summary) + "\n" +
                  lines_of_timings(detail.value(), context.names()));
  } else if (context.format() == Format::id) {
    context.print(std::to_string(ended.job.value) + "\n");
  } else {
    Json document = json_job(detail.value(), context.names(), context.stamp());
    if (verdict.error) {
      document["error"] = error_record(*verdict.error);
    }
    context.print(document);
  }
  return verdict.exit_code;
}

}  // namespace

int verb_submit(Context& context, const Invocation& invocation) {
  const auto job = job_from(invocation.kernel, read_file);
  if (!job.ok()) {
    return context.fail(job.error());
  }
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto id = submit(context, *connection.value(), job.value(), nullptr);
  if (!id.ok()) {
    return context.fail(id.error());
  }
  announce(context, id.value(), invocation.kernel.tasks);
  return 0;
}

int verb_run(Context& context, const Invocation& invocation) {
  if (invocation.detach) {
    return verb_submit(context, invocation);
  }
  Interrupts interrupts(context, "Interrupted. Nothing was submitted.");
  const auto job = job_from(invocation.kernel, read_file);
  if (!job.ok()) {
    return context.fail(job.error());
  }
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto id = submit(context, *connection.value(), job.value(), &interrupts);
  if (!id.ok()) {
    return context.fail(id.error());
  }
  interrupts.following(connection.value(), {id.value()});
  if (invocation.progress != "none") {
    context.tell("job " + base::to_string(id.value()) + " (" + invocation.kernel.kernel + "), " +
                 std::to_string(invocation.kernel.tasks) +
                 (invocation.kernel.tasks == 1 ? " task" : " tasks"));
  }
  const auto ended =
      follow(context, connection.value(), {id.value()}, invocation.progress, interrupts);
  if (!ended.ok()) {
    return context.fail(ended.error());
  }
  interrupts.ended(true);
  if (invocation.progress == "plain") {
    context.tell("job " + base::to_string(id.value()) + " has ended: bringing its outputs");
  }
  context.refresh(*connection.value());
  return finish_run(context, *connection.value(), ended.value().front(), interrupts);
}

}  // namespace fastgpu::cli
