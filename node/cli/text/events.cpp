#include "node/cli/text/events.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "node/cli/text/quantities.hpp"

namespace fastgpu::cli {
namespace {

constexpr std::size_t time_columns = 24;  // of RFC 3339 with milliseconds

bool concerns(const std::vector<base::TaskRange>& ranges, std::optional<std::uint32_t> task) {
  return !task || std::any_of(ranges.begin(), ranges.end(),
                              [&](const base::TaskRange& range) { return range.contains(*task); });
}

/// The part of the range that is not among these, which are ascending.
std::vector<base::TaskRange> without(base::TaskRange range,
                                     const std::vector<base::TaskRange>& these) {
  std::vector<base::TaskRange> left;
  std::uint64_t at = range.first;
  for (const base::TaskRange& known : these) {
    const std::uint64_t end = std::min<std::uint64_t>(known.first, range.end());
    if (at < end) {
      left.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(end - at)});
    }
    at = std::max(at, known.end());
  }
  if (at < range.end()) {
    left.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(range.end() - at)});
  }
  return left;
}

const char* why_again(protocol::PlaceCause cause) {
  switch (cause) {
    case protocol::PlaceCause::first:
      return "";
    case protocol::PlaceCause::user_retry:
      return " again, after a failure of its own";
    case protocol::PlaceCause::node_failure:
      return " again, since its node or device was lost";
    case protocol::PlaceCause::refused:
      return " again, since the device before had no room";
  }
  return "";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string submitted_text(const protocol::JobSummary& job) {
  std::uint64_t tasks = 0;
  for (const std::uint32_t count : job.counts) {
    tasks += count;
  }
  return "submitted: " + job.name + (job.name.empty() ? "" : ", ") + std::to_string(tasks) +
         (tasks == 1 ? " task" : " tasks");
}

/// "ended as failed: 198 succeeded, 2 failed of 200"
std::string ended_text(const protocol::JobSummary& job) {
  const std::string line = line_of_counts(job);
  return std::string("ended as ") + protocol::to_word(job.state) + line.substr(line.find(": "));
}

/// "cpu:0"
std::string device_text(const protocol::DeviceBooks& books) {
  return std::string(protocol::to_word(books.kind)) + ":" + std::to_string(books.device.ordinal);
}

Event waiting_event(const protocol::JobSummary& job) {
  Event event{.what = "waiting", .job = job.job};
  event.reason = protocol::to_word(job.waiting.code);
  event.text = "waits: " + (job.waiting.sentence.empty() ? event.reason : job.waiting.sentence);
  return event;
}

}  // namespace

Event JobEvents::event(const protocol::JobDetail& detail, const char* what,
                       std::string text) const {
  return {.what = what, .job = detail.summary.job, .text = std::move(text)};
}

std::vector<Event> JobEvents::news(const protocol::JobDetail& detail) {
  const protocol::JobSummary& job = detail.summary;
  std::vector<Event> all;
  if (!std::exchange(submitted_, true)) {
    all.push_back(event(detail, "submitted", submitted_text(job)));
    all.back().time_ms = job.submitted_at_ms;
    if (detail.spec && !detail.spec->items.ranges.empty()) {
      all.back().text += " of job " + base::to_string(detail.spec->items.job) + " again";
    }
  }
  add_placements(detail, all);
  add_ends(detail, all);
  if (job.waiting.code != protocol::WaitingCode::none && job.waiting.sentence != waiting_) {
    all.push_back(waiting_event(job));
  }
  waiting_ = job.waiting.sentence;
  if (protocol::is_terminal(job.state) && !std::exchange(ended_, true)) {
    all.push_back(event(detail, "ended", ended_text(job)));
    all.back().time_ms = job.finished_at_ms;
    all.back().reason = protocol::to_word(job.state);
  }
  return all;
}

void JobEvents::add_placements(const protocol::JobDetail& detail, std::vector<Event>& to) {
  for (const protocol::AttemptInfo& attempt : detail.attempts) {
    if (attempt.attempt <= last_attempt_) {
      continue;
    }
    last_attempt_ = attempt.attempt;
    if (attempt.ranges.empty() || !concerns(attempt.ranges, task_)) {
      continue;  // its placement took no effect
    }
    Event placed = event(detail, "placed",
                         "placed on " + names_.of(attempt.device) + why_again(attempt.cause));
    placed.tasks = attempt.ranges;
    placed.attempt = base::to_string(attempt.attempt);
    placed.node = names_.of(attempt.device.node);
    placed.device = attempt.device.ordinal;
    placed.reason =
        attempt.cause == protocol::PlaceCause::first ? "" : protocol::to_word(attempt.cause);
    to.push_back(std::move(placed));
  }
}

void JobEvents::add_ends(const protocol::JobDetail& detail, std::vector<Event>& to) {
  std::vector<base::TaskRange> told;
  for (const protocol::TaskReport& report : detail.reports) {
    told.push_back(report.range);
    if (!concerns({report.range}, task_)) {
      continue;
    }
    const protocol::TaskOutcome& outcome = report.outcome;
    Event end = event(detail, protocol::to_word(outcome.state), protocol::to_word(outcome.state));
    end.tasks = task_ ? without({*task_, 1}, ended_tasks_) : without(report.range, ended_tasks_);
    if (end.tasks.empty()) {
      continue;
    }
    if (outcome.device.node) {
      end.text += " on " + names_.of(outcome.device);
      end.node = names_.of(outcome.device.node);
      end.device = outcome.device.ordinal;
    }
    if (outcome.reason != base::FailureReason::none) {
      end.reason = base::to_word(outcome.reason);
      end.text +=
          ": " + end.reason + (outcome.message.empty() ? "" : ": ") + first_line(outcome.message);
    }
    end.attempt = outcome.attempt ? base::to_string(outcome.attempt) : "";
    to.push_back(std::move(end));
  }
  ended_tasks_ = std::move(told);
}

std::vector<Event> events_of(const protocol::JobList& list, std::size_t count) {
  std::vector<Event> past;
  std::vector<Event> now;
  for (const protocol::JobSummary& job : list.jobs) {
    past.push_back({.what = "submitted",
                    .time_ms = job.submitted_at_ms,
                    .job = job.job,
                    .text = submitted_text(job)});
    if (protocol::is_terminal(job.state)) {
      past.push_back({.what = "ended",
                      .time_ms = job.finished_at_ms,
                      .job = job.job,
                      .text = ended_text(job),
                      .reason = protocol::to_word(job.state)});
    } else if (job.waiting.code != protocol::WaitingCode::none) {
      now.push_back(waiting_event(job));
    }
  }
  std::stable_sort(past.begin(), past.end(),
                   [](const Event& a, const Event& b) { return a.time_ms < b.time_ms; });
  if (past.size() > count) {
    past.erase(past.begin(), past.end() - static_cast<std::ptrdiff_t>(count));
  }
  if (now.size() > count) {
    now.erase(now.begin(), now.end() - static_cast<std::ptrdiff_t>(count));
  }
  past.insert(past.end(), now.begin(), now.end());
  return past;
}

std::vector<Event> events_of(const protocol::ClusterStatus& status) {
  std::vector<Event> all;
  for (const protocol::NodeView& node : status.nodes) {
    const std::string state = protocol::to_word(node.state);
    Event event{.what = "node_" + state, .text = "is " + state, .node = node.info.name};
    if (node.state != protocol::NodeState::up) {
      event.text += ", last heard " + show_duration(std::chrono::nanoseconds(node.age_ns)) + " ago";
    }
    all.push_back(std::move(event));
    for (const protocol::DeviceBooks& books : node.devices) {
      if (books.healthy || node.state != protocol::NodeState::up) {
        continue;
      }
      all.push_back({.what = "device_unhealthy",
                     .text = device_text(books) + " is unhealthy: " + books.unhealthy_why,
                     .node = node.info.name,
                     .device = books.device.ordinal});
    }
  }
  return all;
}

std::vector<Event> ClusterEvents::news(const std::vector<Event>& seen) {
  std::map<std::string, Event> now;
  std::vector<Event> fresh;
  std::set<std::pair<std::string, std::uint32_t>> unhealthy;
  for (const Event& event : seen) {
    // A node's age is no news.
    const std::string key =
        event.job || event.device ? line_of(event) : event.what + " " + event.node;
    now.emplace(key, event);
    if (!told_.contains(key)) {
      fresh.push_back(event);
    }
    if (event.device) {
      unhealthy.emplace(event.node, *event.device);
    }
  }
  for (const auto& [key, event] : told_) {
    if (event.what == "device_unhealthy" && !unhealthy.contains({event.node, *event.device})) {
      Event healthy = event;
      healthy.what = "device_healthy";
      healthy.text = event.text.substr(0, event.text.find(' ')) + " is healthy again";
      fresh.push_back(std::move(healthy));
    }
  }
  told_ = std::move(now);
  return fresh;
}

std::string line_of(const Event& event) {
  std::string line = event.time_ms != 0 ? show_time(event.time_ms) : std::string("-");
  line.resize(std::max(line.size(), time_columns), ' ');
  line += event.job ? "  job " + base::to_string(*event.job) : "  node " + event.node;
  if (!event.tasks.empty()) {
    line += "  task " + ranges_text(event.tasks);
  }
  return line + "  " + event.text + "\n";
}

Json json_event(const Event& event) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  Json record{{"time", event.time_ms != 0 ? Json(show_time(event.time_ms)) : Json(nullptr)},
              {"event", event.what},
              {"id", event.job ? Json(std::to_string(event.job->value)) : Json(nullptr)},
              {"tasks", Json::array()},
              {"text", event.text},
              {"reason", text_or_null(event.reason)},
              {"attempt", text_or_null(event.attempt)},
              {"node", text_or_null(event.node)},
              {"device", event.device ? Json(*event.device) : Json(nullptr)}};
  for (const base::TaskRange& range : event.tasks) {
    record["tasks"].push_back({{"first", range.first}, {"count", range.count}});
  }
  return record;
}

Json json_events(const std::vector<Event>& events, const std::string& source, Stamp stamp) {
  Json all{{"schema", "fastgpu.events/1"},
           {"as_of", show_time(stamp.now_ms - stamp.age_ms)},
           {"source", source},
           {"stale", false},
           {"items", Json::array()}};
  for (const Event& event : events) {
    all["items"].push_back(json_event(event));
  }
  return all;
}

}  // namespace fastgpu::cli
