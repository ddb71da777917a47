#include "client/retry.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fastgpu::client {
namespace {

using protocol::TaskState;

bool is_meant(TaskState state, const RetryChoice& choice) {
  if (choice.all) {
    return true;
  }
  if (choice.failed || choice.lost) {
    return (choice.failed && (state == TaskState::failed || state == TaskState::timed_out)) ||
           (choice.lost && state == TaskState::lost);
  }
  return state != TaskState::succeeded;
}

void append(std::vector<base::TaskRange>& to, base::TaskRange range) {
  if (!to.empty() && to.back().end() == range.first) {
    to.back().count += range.count;
  } else {
    to.push_back(range);
  }
}

/// The numbers by which these tasks go: the job may itself do again tasks of another.
std::vector<base::TaskRange> items_of(const protocol::JobSpec& spec,
                                      const std::vector<base::TaskRange>& tasks) {
  if (spec.items.ranges.empty()) {
    return tasks;
  }
  std::vector<base::TaskRange> items;
  for (const base::TaskRange& range : tasks) {
    std::uint64_t begin = 0;  // of the piece, among the job's tasks
    for (const base::TaskRange& piece : spec.items.ranges) {
      const std::uint64_t first = std::max<std::uint64_t>(range.first, begin);
      const std::uint64_t end = std::min(range.end(), begin + piece.count);
      if (first < end) {
        append(items, {static_cast<std::uint32_t>(piece.first + (first - begin)),
                       static_cast<std::uint32_t>(end - first)});
      }
      begin += piece.count;
    }
  }
  return items;
}

/// Of data for each task, those of these tasks.
void keep_data(std::vector<protocol::Data>& data, std::uint32_t all_tasks,
               const std::vector<base::TaskRange>& tasks) {
  if (all_tasks == 1 || data.size() != all_tasks) {
    return;  // one for all
  }
  std::vector<protocol::Data> kept;
  for (const base::TaskRange& range : tasks) {
    std::move(data.begin() + range.first, data.begin() + static_cast<std::ptrdiff_t>(range.end()),
              std::back_inserter(kept));
  }
  data = std::move(kept);
}

std::uint64_t size_of(const protocol::Data& data) {
  const auto* bytes = std::get_if<base::Bytes>(&data);
  return bytes ? bytes->size() : std::get<protocol::ObjectRef>(data).size_bytes;
}

void keep_tasks(protocol::JobSpec& spec, const std::vector<base::TaskRange>& tasks) {
  for (protocol::Argument& argument : spec.kernel.arguments) {
    auto* buffer = std::get_if<protocol::BufferArgument>(&argument);
    if (buffer == nullptr || buffer->data.empty()) {
      continue;
    }
    keep_data(buffer->data, spec.tasks, tasks);
    std::uint64_t largest = 0;
    for (const protocol::Data& data : buffer->data) {
      largest = std::max(largest, size_of(data));
    }
    spec.request.memory_bytes -= std::min(spec.request.memory_bytes, buffer->size_bytes - largest);
    buffer->size_bytes = largest;
  }
  for (protocol::InputFile& input : spec.command.inputs) {
    keep_data(input.data, spec.tasks, tasks);
  }
}

std::string counted(std::uint64_t tasks, const char* state) {
  return std::to_string(tasks) + " " + state;
}

base::Error nothing_again(const protocol::JobDetail& detail, const RetryChoice& choice) {
  const std::string id = base::to_string(detail.summary.job);
  std::string states;
  for (std::size_t i = 0; i < protocol::task_state_count; ++i) {
    if (detail.summary.counts[i] != 0) {
      states += (states.empty() ? "" : ", ") +
                counted(detail.summary.counts[i], to_word(static_cast<TaskState>(i)));
    }
  }
  const bool live = !protocol::is_terminal(detail.summary.state);
  const std::string who = choice.tasks.empty() ? "no task" : "none of the named tasks";
  return {base::ErrorKind::rejected, base::ErrorCode::conflict,
          who + " of job " + id + " is to be done again: " + states,
          live ? "fastgpu wait " + id + " waits for the others"
               : "fastgpu retry " + id + " --all does all of them again"};
}

}  // namespace

std::vector<base::TaskRange> tasks_again(const protocol::JobDetail& detail,
                                         const RetryChoice& choice) {
  std::vector<std::uint32_t> named = choice.tasks;
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  std::vector<base::TaskRange> again;
  for (const protocol::TaskReport& report : detail.reports) {
    if (!is_meant(report.outcome.state, choice)) {
      continue;
    }
    if (choice.tasks.empty()) {
      append(again, report.range);
    }
    for (const std::uint32_t task : named) {
      if (report.range.contains(task)) {
        append(again, {task, 1});
      }
    }
  }
  return again;
}

base::Result<protocol::JobSpec> spec_again(const protocol::JobDetail& detail,
                                           const RetryChoice& choice) {
  const std::string id = base::to_string(detail.summary.job);
  if (!detail.spec) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                       "the ledger keeps no description of job " + id + " any more",
                       "submit it again"};
  }
  const std::vector<base::TaskRange> tasks = tasks_again(detail, choice);
  if (tasks.empty()) {
    return nothing_again(detail, choice);
  }
  protocol::JobSpec spec = *detail.spec;
  keep_tasks(spec, tasks);
  spec.items = {detail.summary.job, items_of(*detail.spec, tasks), detail.spec->item_count()};
  spec.tasks = 0;
  for (const base::TaskRange& range : tasks) {
    spec.tasks += range.count;
  }
  if (!detail.attempts.empty()) {
    spec.after.clear();
  }
  return spec;
}

}  // namespace fastgpu::client
