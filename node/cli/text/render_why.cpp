/// Why a job does not run, or did not end well: what the ledger knows, in sentences for people.

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "client/failure_table.hpp"
#include "node/cli/text/quantities.hpp"
#include "node/cli/text/render.hpp"

namespace fastgpu::cli {
namespace {

using std::chrono::nanoseconds;

/// Tasks that failed for one reason: the first of them stands for all.
struct Failure {
  std::uint32_t first_task{};
  std::uint64_t tasks{};
  const protocol::TaskOutcome* outcome{nullptr};
};

/// By reason and message, those of the most tasks first.
std::vector<Failure> failures_of(const protocol::JobDetail& detail) {
  std::map<std::pair<base::FailureReason, std::string>, Failure> by_cause;
  for (const protocol::TaskReport& report : detail.reports) {
    if (report.outcome.state == protocol::TaskState::succeeded) {
      continue;
    }
    Failure& failure = by_cause[{report.outcome.reason, report.outcome.message}];
    if (failure.outcome == nullptr) {
      failure.first_task = report.range.first;
      failure.outcome = &report.outcome;
    }
    failure.tasks += report.range.count;
  }
  std::vector<Failure> all;
  for (const auto& [cause, failure] : by_cause) {
    all.push_back(failure);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Failure& a, const Failure& b) { return a.tasks > b.tasks; });
  return all;
}

/// Attempts of the task, in their order.
std::vector<protocol::AttemptInfo> attempts_of(const protocol::JobDetail& detail,
                                               std::uint32_t task) {
  std::vector<protocol::AttemptInfo> all;
  for (const protocol::AttemptInfo& attempt : detail.attempts) {
    if (std::any_of(attempt.ranges.begin(), attempt.ranges.end(),
                    [task](const base::TaskRange& range) { return range.contains(task); })) {
      all.push_back(attempt);
    }
  }
  return all;
}

std::string indented(const std::string& text) {
  std::string all = "  ";
  for (const char c : text) {
    all += c;
    all += c == '\n' ? "  " : "";
  }
  return all + "\n";
}

std::string text_of(const Failure& failure, const protocol::JobDetail& detail, const Names& names) {
  const protocol::TaskOutcome& outcome = *failure.outcome;
  std::string text = "Task " + std::to_string(failure.first_task) + " of job " +
                     base::to_string(detail.summary.job) + " " + protocol::to_word(outcome.state);
  if (outcome.device.node) {
    text += " on " + names.of(outcome.device);
  }
  text += ".   reason: " + std::string(base::to_word(outcome.reason));
  if (const std::string code = client::code_text(outcome.reason); !code.empty()) {
    text += " (" + code + ")";
  }
  text += "\n";
  if (failure.tasks > 1) {
    text += "  and " + std::to_string(failure.tasks - 1) + " more tasks for the same reason\n";
  }
  if (!outcome.message.empty()) {
    text += indented(outcome.message);
  }
  const auto attempts = attempts_of(detail, failure.first_task);
  for (std::size_t i = 0; attempts.size() > 1 && i < attempts.size(); ++i) {
    text += "  attempt " + std::to_string(i + 1) + "  " + names.of(attempts[i].device) + "\n";
  }
  if (const client::FailureRow* row = client::find_failure(outcome.reason)) {
    text += "You could: " + std::string(row->remedy) + "\n";
  }
  return text;
}

/// ", unhealthy (why)", ", no commands (why)", or nothing.
std::string unable_text(const protocol::DeviceBooks& books) {
  if (!books.healthy) {
    return ", unhealthy (" + books.unhealthy_why + ")";
  }
  return books.no_commands_why.empty() ? "" : ", no commands (" + books.no_commands_why + ")";
}

std::string waiting_text(const protocol::JobDetail& detail, const protocol::ClusterStatus& status,
                         const Names& names, Stamp stamp) {
  const protocol::JobSummary& job = detail.summary;
  const auto pending = job.counts[static_cast<std::size_t>(protocol::TaskState::pending)];
  std::string text = "Job " + base::to_string(job.job) + " (" + job.name +
                     "): " + std::to_string(pending) + " tasks wait, the job is " +
                     show_duration(nanoseconds((stamp.now_ms - job.submitted_at_ms) * 1'000'000)) +
                     " old.   reason: " + protocol::to_word(job.waiting.code) + "\n";
  if (!job.waiting.sentence.empty()) {
    text += "  " + job.waiting.sentence + "\n";
  }
  if (job.waiting.code == protocol::WaitingCode::dependency) {
    return text;  // no device is asked yet
  }
  text += "As " + names.of(detail.source) + " sees the devices:\n";
  for (const protocol::NodeView& node : status.nodes) {
    for (const protocol::DeviceBooks& books : node.devices) {
      text += "  " + names.of(books.device) + "  " + protocol::to_word(node.state) +
              unable_text(books) + ", " + std::to_string(books.slots_free) + " of " +
              std::to_string(books.slots_total) + " slots free, " +
              std::to_string(books.queued_tasks) + " tasks queued, " +
              show_size(books.memory_bytes_free) + " free\n";
    }
  }
  return text;
}

}  // namespace

std::string text_why(const protocol::JobDetail& detail, const protocol::ClusterStatus& status,
                     const Names& names, Stamp stamp) {
  std::string text;
  if (detail.summary.counts[static_cast<std::size_t>(protocol::TaskState::pending)] != 0) {
    text += waiting_text(detail, status, names, stamp);
  }
  for (const Failure& failure : failures_of(detail)) {
    text += text.empty() ? "" : "\n";
    text += text_of(failure, detail, names);
  }
  return text.empty()
             ? "job " + line_of_counts(detail.summary) + ": nothing waits, nothing failed\n"
             : text;
}

Json json_why(const protocol::JobDetail& detail, const Names& names, Stamp stamp) {
  Json all{{"schema", "fastgpu.why/1"},
           {"as_of", show_time(stamp.now_ms)},
           {"source", names.of(detail.source)},
           {"stale", false},
           {"id", std::to_string(detail.summary.job.value)},
           {"state", protocol::to_word(detail.summary.state)}};
  const protocol::WaitingReason& waiting = detail.summary.waiting;
  all["waiting"] =
      waiting.code == protocol::WaitingCode::none
          ? Json(nullptr)
          : Json{{"reason", protocol::to_word(waiting.code)}, {"message", waiting.sentence}};
  all["failures"] = Json::array();
  for (const Failure& failure : failures_of(detail)) {
    const client::FailureRow* row = client::find_failure(failure.outcome->reason);
    all["failures"].push_back({{"task", failure.first_task},
                               {"tasks", failure.tasks},
                               {"state", protocol::to_word(failure.outcome->state)},
                               {"reason", base::to_word(failure.outcome->reason)},
                               {"code", client::code_text(failure.outcome->reason)},
                               {"message", failure.outcome->message},
                               {"hint", row == nullptr ? "" : row->remedy},
                               {"attempts", attempts_of(detail, failure.first_task).size()}});
  }
  return all;
}

Json json_why(const std::vector<protocol::JobDetail>& details, const Names& names, Stamp stamp) {
  if (details.size() == 1) {
    return json_why(details.front(), names, stamp);
  }
  Json all{{"schema", "fastgpu.why_list/1"},
           {"as_of", show_time(stamp.now_ms)},
           {"source", details.empty() ? std::string() : names.of(details.front().source)},
           {"stale", false},
           {"items", Json::array()}};
  for (const protocol::JobDetail& detail : details) {
    all["items"].push_back(json_why(detail, names, stamp));
  }
  return all;
}

}  // namespace fastgpu::cli
