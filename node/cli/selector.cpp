#include "node/cli/selector.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "client/results.hpp"
#include "node/cli/flags/command_flags.hpp"
#include "runtime/base/limits.hpp"

namespace fastgpu::cli {
namespace {

template <class Number>
bool parse_whole(std::string_view text, Number& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc{} && end == text.data() + text.size();
}

base::Error bad(const std::string& text) {
  return {base::ErrorKind::invalid, base::ErrorCode::usage, "'" + text + "' names no job",
          "name jobs like 17, 3-9, 1-3,7, last or @name; a task like 17.3"};
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

std::optional<JobPath> parse_job_path(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || !parse_selector(text.substr(0, colon)).ok()) {
    return std::nullopt;
  }
  return JobPath{text.substr(0, colon), text.substr(colon + 1)};
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

std::vector<std::string> split_selector(const std::string& text) {
  if (text.starts_with('@')) {
    return {text};
  }
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return parts;
}

namespace {

/// Jobs as the cluster lists them, asked for once, when they are needed.
class Listing {
 public:
  Listing(const Context& context, client::Connection& connection, protocol::ListJobs request)
      : context_(context), connection_(connection), request_(std::move(request)) {}

  base::Result<std::vector<protocol::JobSummary>> jobs() {
    if (!jobs_) {
      auto list = connection_.ask_for<protocol::JobList>(request_, context_.deadline());
      if (!list.ok()) {
        return list.error();
      }
      // A choice from a part of the jobs could be another one than was meant.
      if (list.value().shards_unanswered != 0) {
        return base::Error{base::ErrorKind::unavailable, base::ErrorCode::shard_unavailable,
                           std::to_string(list.value().shards_unanswered) +
                               " parts of the ledger did not answer, so that it is not known which "
                               "jobs are meant",
                           "name the jobs by their numbers, or try again"};
      }
      cut_ = request_.finished_too && list.value().finished_hidden != 0;
      jobs_ = std::move(list.value().jobs);
    }
    return *jobs_;
  }
  /// Only the newest ended jobs are listed. Valid after jobs().
  bool cut() const { return cut_; }

 private:
  const Context& context_;
  client::Connection& connection_;
  protocol::ListJobs request_;
  std::optional<std::vector<protocol::JobSummary>> jobs_;
  bool cut_{false};
};

base::Error too_many_to_list(const std::string& text) {
  return {base::ErrorKind::rejected, base::ErrorCode::too_large,
          text + " may name ended jobs beyond the " +
              std::to_string(base::limits::listed_jobs_max) +
              " newest, which are all that is listed",
          "name the jobs by their numbers, some at a time: 17,18,19"};
}

/// `always`: look whether the job is there, also where its number says which it is.
base::Result<std::vector<Target>> find_one(const std::string& text, Listing& listing, bool always) {
  const base::Result<Selector> parsed = parse_selector(text);
  if (!parsed.ok()) {
    return parsed.error();
  }
  const Selector& selector = parsed.value();
  if (!always && selector.first && *selector.first == selector.last) {
    return std::vector<Target>{{selector.last, selector.task}};
  }
  const auto jobs = listing.jobs();
  if (!jobs.ok()) {
    return jobs.error();
  }
  const bool newest_alone = !selector.first && selector.name.empty();
  if (listing.cut() && !newest_alone) {
    return too_many_to_list(text);
  }
  std::vector<Target> found;
  for (const base::JobId job : matches(selector, jobs.value())) {
    found.push_back({job, selector.task});
  }
  if (found.empty()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "no job is called " + text + (always ? " and has these labels" : ""),
                       "fastgpu ps -a lists all jobs"};
  }
  return found;
}

base::Result<std::vector<Target>> find_labelled(const std::vector<std::string>& labels,
                                                Listing& listing) {
  const auto jobs = listing.jobs();
  if (!jobs.ok()) {
    return jobs.error();
  }
  if (listing.cut()) {
    return too_many_to_list("--label " + labels.front());
  }
  std::vector<Target> found;
  for (const protocol::JobSummary& job : jobs.value()) {
    found.push_back({job.job, {}});
  }
  if (found.empty()) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "no job to act on has the label " + labels.front() +
                           (labels.size() > 1 ? " and the others" : ""),
                       "fastgpu ps -a --label " + labels.front() + " lists those that have it"};
  }
  return found;
}

}  // namespace

base::Result<protocol::JobDetail> fetch_target(const Context& context,
                                               client::Connection& connection,
                                               const Target& target) {
  auto detail = client::fetch_detail(connection, target.job, context.deadline());
  if (detail.ok() && target.task) {
    if (const base::Status kept = keep_task(detail.value(), *target.task); !kept.ok()) {
      return kept.error();
    }
  }
  return detail;
}

base::Result<std::vector<Target>> find_targets(const Context& context,
                                               client::Connection& connection,
                                               const Choice& choice) {
  const auto labels = parse_labels(choice.labels);
  if (!labels.ok()) {
    return labels.error();
  }
  const bool by_labels_alone = choice.selectors.empty();
  Listing listing(context, connection, {!(by_labels_alone && choice.live_only), labels.value()});
  if (by_labels_alone) {
    return find_labelled(choice.labels, listing);
  }
  std::vector<Target> all;
  for (const std::string& typed : choice.selectors) {
    for (const std::string& text : split_selector(typed)) {
      const auto found = find_one(text, listing, !choice.labels.empty());
      if (!found.ok()) {
        return found.error();
      }
      for (const Target& target : found.value()) {
        if (std::find(all.begin(), all.end(), target) == all.end()) {
          all.push_back(target);
        }
      }
    }
  }
  return all;
}

base::Result<Target> find_single(const Context& context, client::Connection& connection,
                                 const Choice& choice) {
  const auto targets = find_targets(context, connection, choice);
  if (!targets.ok()) {
    return targets.error();
  }
  if (targets.value().size() > 1) {
    return base::Error{
        base::ErrorKind::invalid, base::ErrorCode::usage,
        std::to_string(targets.value().size()) + " jobs or tasks are meant; this command shows one",
        "the first is " + base::to_string(targets.value().front().job) + ", the last " +
            base::to_string(targets.value().back().job)};
  }
  return targets.value().front();
}

base::Result<std::vector<base::JobId>> find_jobs(const Context& context,
                                                 client::Connection& connection,
                                                 const Choice& choice) {
  for (const std::string& typed : choice.selectors) {
    for (const std::string& text : split_selector(typed)) {
      const base::Result<Selector> selector = parse_selector(text);
      if (!selector.ok()) {
        return selector.error();
      }
      if (const base::Status whole = refuse_task(selector.value(), text); !whole.ok()) {
        return whole.error();
      }
    }
  }
  const auto targets = find_targets(context, connection, choice);
  if (!targets.ok()) {
    return targets.error();
  }
  std::vector<base::JobId> jobs;
  for (const Target& target : targets.value()) {
    jobs.push_back(target.job);
  }
  return jobs;
}

}  // namespace fastgpu::cli
