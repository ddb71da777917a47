#include "node/cli/selector.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace fastgpu::cli {
namespace {

template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc{} && end == text.data() + text.size();
}

base::Error bad(const std::string& text) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, "'" + text + "' names no job",
          "name jobs like 17, 3-9, last or @name; a task like 17.3"};
}

}  // namespace

base::Result<Selector> parse_selector(const std::string& text) {
  Selector selector;
  if (text == "last") {
    return selector;
  }
  if (text.size() > 1 && text[0] == '@') {
    selector.name = text.substr(1);
    return selector;
  }
  std::string_view rest = text;
  base::JobId first;
  if (const std::size_t dot = rest.find('.'); dot != std::string_view::npos) {
    std::uint32_t task = 0;
    if (!parse_whole(rest.substr(dot + 1), task)) {
      return bad(text);
    }
    selector.task = task;
    rest = rest.substr(0, dot);
  }
  const std::size_t dash = rest.find('-');
  if (!parse_whole(rest.substr(0, dash), first.value)) {
    return bad(text);
  }
  selector.first = selector.last = first;
  if (dash != std::string_view::npos &&
      (selector.task || !parse_whole(rest.substr(dash + 1), selector.last.value) ||
       selector.last < first)) {
    return bad(text);
  }
  return selector;
}

std::vector<base::JobId> matches(const Selector& selector,
                                 const std::vector<protocol::JobSummary>& jobs) {
  std::vector<base::JobId> found;
  const protocol::JobSummary* newest = nullptr;
  for (const protocol::JobSummary& job : jobs) {
    if (selector.first) {
      if (job.job >= *selector.first && job.job <= selector.last) {
        found.push_back(job.job);
      }
    } else if (!selector.name.empty()) {
      if (job.name == selector.name) {
        found.push_back(job.job);
      }
    } else if (newest == nullptr || job.submitted_at_ms >= newest->submitted_at_ms) {
      newest = &job;
    }
  }
  if (newest != nullptr) {
    found.push_back(newest->job);
  }
  return found;
}

base::Status refuse_task(const Selector& selector, const std::string& text) {
  if (!selector.task) {
    return {};
  }
  const std::string job = text.substr(0, text.find('.'));
  return base::Error{base::ErrorKind::invalid, base::ErrorCode::usage,
                     text + " names one task; this command acts on whole jobs",
                     "fastgpu show " + text + " shows the task; " + job + " names its job"};
}

base::Status keep_task(protocol::JobDetail& detail, std::uint32_t task) {
  if (task >= detail.spec->tasks) {
    return base::Error{
        base::ErrorKind::rejected, base::ErrorCode::not_found,
        "job " + base::to_string(detail.summary.job) + " has no task " + std::to_string(task),
        "its tasks are 0 to " + std::to_string(detail.spec->tasks - 1)};
  }
  std::erase_if(detail.reports,
                [&](const protocol::TaskReport& report) { return !report.range.contains(task); });
  for (protocol::TaskReport& report : detail.reports) {
    report.range = {task, 1};
  }
  std::erase_if(detail.attempts, [&](const protocol::AttemptInfo& attempt) {
    return std::none_of(attempt.ranges.begin(), attempt.ranges.end(),
                        [&](const base::TaskRange& range) { return range.contains(task); });
  });
  return {};
}

base::Result<std::vector<base::JobId>> find_jobs(const Context& context,
                                                 client::Connection& connection,
                                                 const std::vector<std::string>& selectors) {
  std::vector<base::JobId> all;
  for (const std::string& text : selectors) {
    const base::Result<Selector> selector = parse_selector(text);
    if (!selector.ok()) {
      return selector.error();
    }
    std::vector<base::JobId> found;
    if (selector.value().first == selector.value().last) {
      found.push_back(selector.value().last);
    } else {
      const auto list =
          connection.ask_for<protocol::JobList>(protocol::ListJobs{true}, context.deadline());
      if (!list.ok()) {
        return list.error();
      }
      found = matches(selector.value(), list.value().jobs);
    }
    if (found.empty()) {
      return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                         "no job is called " + text, "fastgpu ps -a lists all jobs"};
    }
    for (const base::JobId job : found) {
      if (std::find(all.begin(), all.end(), job) == all.end()) {
        all.push_back(job);
      }
    }
  }
  return all;
}

}  // namespace fastgpu::cli
