#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "client/results.hpp"
#include "node/cli/follow.hpp"
#include "node/cli/selector.hpp"
#include "node/cli/verbs.hpp"

namespace fastgpu::cli {
namespace {

bool is_json(const Context& context) {
  return context.format() == Format::json || context.format() == Format::jsonl;
}

std::string id_line(base::JobId job) {
  return std::to_string(job.value) + "\n";
}

base::Error no_such_output(const std::string& path, const protocol::JobDetail& detail) {
  std::string has;
  for (const std::string& file : output_files(detail, 0)) {
    has += (has.empty() ? "" : ", ") + file;
  }
  return {
      base::ErrorKind::rejected, base::ErrorCode::not_found,
      "job " + base::to_string(detail.summary.job) + " has no output " + path + " that is finished",
      has.empty() ? "its kernel writes no buffers" : "the outputs of its task 0: " + has};
}

/// The piece of data that the user called `path`.
const protocol::Data* find_output(const protocol::JobDetail& detail, const std::string& path) {
  for (const protocol::TaskReport& report : detail.reports) {
    for (std::uint32_t task = report.range.first; task < report.range.end(); ++task) {
      const std::vector<std::string> files = output_files(detail, task);
      for (std::size_t i = 0; i < files.size() && i < report.outcome.outputs.size(); ++i) {
        if (files[i] == path) {
          return &report.outcome.outputs[i];
        }
      }
    }
  }
  return nullptr;
}

/// Jobs named by selectors of which none may name a task.
base::Result<std::vector<base::JobId>> find_whole_jobs(const Context& context,
                                                       client::Connection& connection,
                                                       const std::vector<std::string>& selectors) {
  for (const std::string& text : selectors) {
    const base::Result<Selector> selector = parse_selector(text);
    if (!selector.ok()) {
      return selector.error();
    }
    if (const base::Status whole = refuse_task(selector.value(), text); !whole.ok()) {
      return whole.error();
    }
  }
  return find_jobs(context, connection, selectors);
}

}  // namespace

int verb_ps(Context& context, const Invocation& invocation) {
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  context.asking();
  const auto list = connection.value()->ask_for<protocol::JobList>(
      protocol::ListJobs{invocation.finished_too}, context.deadline());
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
  std::vector<protocol::JobDetail> details;
  for (const std::string& text : invocation.selectors) {
    const auto selector = parse_selector(text);
    const auto jobs = find_jobs(context, *connection.value(), {text});
    if (!jobs.ok()) {
      return context.fail(jobs.error());
    }
    for (const base::JobId job : jobs.value()) {
      auto detail = client::fetch_detail(*connection.value(), job, context.deadline());
      if (!detail.ok()) {
        return context.fail(detail.error());
      }
      if (const auto task = selector.value().task) {
        if (const base::Status kept = keep_task(detail.value(), *task); !kept.ok()) {
          return context.fail(kept.error());
        }
      }
      if (context.format() == Format::id) {
        context.print(id_line(job));
      } else if (context.format() == Format::table) {
        context.print(table_job(detail.value(), context.names(), context.stamp()));
      } else {
        details.push_back(std::move(detail).value());
      }
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
  const auto jobs = find_whole_jobs(context, *connection.value(), invocation.selectors);
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
  if (is_json(context)) {
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
  const auto jobs = find_whole_jobs(context, *connection.value(), invocation.selectors);
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
  if (is_json(context)) {
    Json document = json_job_list(cancelled, context.names(), context.stamp());
    if (first_error) {
      document["error"] = error_record(*first_error);
    }
    context.print(document);
  }
  return code;
}

int verb_copy(Context& context, const Invocation& invocation) {
  const std::size_t colon = invocation.copy_from.find(':');
  if (colon == std::string::npos) {
    return context.fail({base::ErrorKind::invalid, base::ErrorCode::usage,
                         "'" + invocation.copy_from + "' names no job and file",
                         "write fastgpu cp JOB:PATH DEST, such as 17:y.f32 ./y.f32"});
  }
  const std::string path = invocation.copy_from.substr(colon + 1);
  const auto connection = context.connect();
  if (!connection.ok()) {
    return context.fail(connection.error());
  }
  const auto jobs =
      find_whole_jobs(context, *connection.value(), {invocation.copy_from.substr(0, colon)});
  if (!jobs.ok()) {
    return context.fail(jobs.error());
  }
  const auto detail =
      client::fetch_detail(*connection.value(), jobs.value().front(), context.deadline());
  if (!detail.ok()) {
    return context.fail(detail.error());
  }
  const protocol::Data* output = find_output(detail.value(), path);
  if (output == nullptr) {
    return context.fail(no_such_output(path, detail.value()));
  }
  const auto data = client::fetch_all(*connection.value(), {*output}, context.deadline());
  if (!data.ok()) {
    return context.fail(data.error());
  }
  std::filesystem::path to = invocation.copy_to;
  if (std::filesystem::is_directory(to)) {
    to /= std::filesystem::path(path).filename();
  }
  const std::span<const std::uint8_t> bytes = data.value().front().span();
  if (const base::Status written = write_file(to.string(), bytes); !written.ok()) {
    return context.fail(written.error());
  }
  if (is_json(context)) {
    context.print(json_copied(jobs.value().front(), path, to.string(), bytes.size(),
                              context.names().of(detail.value().source), context.stamp()));
  }
  return 0;
}

}  // namespace fastgpu::cli
