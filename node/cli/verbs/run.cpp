#include <algorithm>

#include "client/prepare.hpp"
#include "client/results.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/output.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs/verbs.hpp"

namespace fastgpu::cli {
namespace {

/// Tasks whose files are named at once.
constexpr std::size_t reports_at_once = 64;

/// Of uploads and downloads, where no --timeout was given.
constexpr std::chrono::hours transfer_limit{1};

struct Submitted {
  base::JobId id;
  std::shared_ptr<const protocol::JobSpec> spec;
};

base::Result<Submitted> submit(Context& context, client::Connection& connection,
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
  const auto spec = std::make_shared<const protocol::JobSpec>(prepared.value());
  const auto accepted =
      connection.ask_for<protocol::Accepted>(protocol::Submit{{}, {spec}}, context.deadline());
  if (!accepted.ok()) {
    return accepted.error();
  }
  return Submitted{accepted.value().job, spec};
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
  std::vector<std::vector<std::string>> files;  // that each piece is written to
  for (std::size_t i = first; i < end; ++i) {
    const protocol::TaskReport& report = detail.reports[i];
    const auto& outputs = report.outcome.outputs;
    const std::size_t before = pieces.size();
    pieces.insert(pieces.end(), outputs.begin(), outputs.end());
    files.resize(pieces.size());
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      const std::vector<std::string> names = output_files(detail, task);
      for (std::size_t output = 0; output < outputs.size() && output < names.size(); ++output) {
        files[before + output].push_back(names[output]);
      }
    }
  }
  const auto write = [&](std::size_t index, const base::Bytes& data) -> base::Status {
    for (const std::string& file : files[index]) {
      const auto whole = interrupts.whole_file();
      if (const base::Status status = write_file(file, data.span()); !status.ok()) {
        return status;
      }
    }
    return {};
  };
  return client::fetch_each(connection, pieces, deadline, write);
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

/// A command's own end is the end of `run`: its exit code, 128 and the number of the signal that
/// ended it, or 200 and the code of the job where it never came so far.
int code_of_command(const protocol::JobDetail& detail, int verdict) {
  if (detail.reports.empty() || verdict == 0) {
    return verdict;
  }
  const protocol::TaskOutcome& outcome = detail.reports.front().outcome;
  if (outcome.command.signal != 0) {
    return 128 + outcome.command.signal;
  }
  return outcome.command.exit_code > 0 ? outcome.command.exit_code : 200 + verdict;
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
  const bool is_command = detail.value().spec && detail.value().spec->is_command();
  if (is_command && context.format() == Format::table) {
    context.tell("job " + line_of_counts(detail.value().summary));  // stdout is the command's
  } else if (context.format() == Format::table) {
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
  const bool one_command = is_command && detail.value().spec->tasks == 1;
  return one_command ? code_of_command(detail.value(), verdict.exit_code) : verdict.exit_code;
}

/// From here on the job goes on without us: shows it, waits for it, brings what it leaves.
int accompany(Context& context, std::shared_ptr<client::Connection> connection, base::JobId job,
              const protocol::JobSpec& spec, const std::string& progress, Interrupts& interrupts) {
  if (spec.is_command()) {
    const bool one_document = context.format() == Format::json;
    show_output(context, *connection,
                {.job = job, .tasks = spec.tasks, .beside_document = one_document}, interrupts);
  }
  const auto ended = follow(context, connection, {job}, progress, interrupts);
  if (!ended.ok()) {
    return context.fail(ended.error());
  }
  interrupts.ended(true);
  if (progress == "plain") {
    context.tell("job " + base::to_string(job) + " has ended: bringing its outputs");
  }
  context.refresh(*connection);
  return finish_run(context, *connection, ended.value().front(), interrupts);
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
  const auto id = submit(context, *connection.value(), job.value(), nullptr);
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
  Interrupts interrupts(context, "Interrupted. Nothing was submitted.");
  const auto job = job_from(invocation.job, read_file, is_file);
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
  // Before anything says that it is there.
  interrupts.following(connection.value(), {id.value().id});
  if (invocation.progress != "none") {
    context.tell("job " + base::to_string(id.value().id) + " (" + id.value().spec->name + "), " +
                 std::to_string(invocation.job.tasks) +
                 (invocation.job.tasks == 1 ? " task" : " tasks"));
  }
  return accompany(context, connection.value(), id.value().id, *id.value().spec,
                   invocation.progress, interrupts);
}

int verb_attach(Context& context, const Invocation& invocation) {
  Interrupts interrupts(context, "Interrupted.");
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto target = find_single(context, *connection.value(), {invocation.selectors, {}});
  if (!target.ok()) {
    return context.fail(target.error());
  }
  if (target.value().task) {
    const std::string& text = invocation.selectors.front();
    return context.fail(refuse_task(parse_selector(text).value(), text).error());
  }
  const base::JobId job = target.value().job;
  const auto detail = connection.value()->ask_for<protocol::JobDetail>(protocol::ShowJob{job, 0},
                                                                       context.deadline());
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  interrupts.following(connection.value(), {job});
  return accompany(context, connection.value(), job, *detail.value().spec, invocation.progress,
                   interrupts);
}

}  // namespace fastgpu::cli
