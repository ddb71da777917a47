#include "runtime/session/log_attempts.hpp"

#include <algorithm>
#include <utility>

namespace fastgpu::session {
namespace {

/// A follower of a vast array forgets to hide older attempts rather than to take more memory.
constexpr std::size_t seen_max = 1'000'000;

/// Where an attempt begins or ends to hold a task.
struct Edge {
  std::uint64_t task;
  bool begins;
  std::pair<base::AttemptId, base::NodeId> who;
};

}  // namespace

// From task to task, the newest of the attempts that hold it.
void LogAttempts::update(const std::vector<protocol::AttemptInfo>& attempts) {
  std::vector<Edge> edges;
  nodes_.clear();
  for (const protocol::AttemptInfo& info : attempts) {
    nodes_.insert(info.device.node);
    for (const base::TaskRange& range : info.ranges) {
      edges.push_back({range.first, true, {info.attempt, info.device.node}});
      edges.push_back({range.end(), false, {info.attempt, info.device.node}});
    }
  }
  std::sort(edges.begin(), edges.end(),
            [](const Edge& a, const Edge& b) { return a.task < b.task; });
  parts_.clear();
  newest_nodes_.clear();
  std::multiset<std::pair<base::AttemptId, base::NodeId>> holding;
  for (std::size_t i = 0; i < edges.size();) {
    const std::uint64_t task = edges[i].task;
    for (; i < edges.size() && edges[i].task == task; ++i) {
      if (edges[i].begins) {
        holding.insert(edges[i].who);
      } else {
        holding.erase(holding.find(edges[i].who));
      }
    }
    if (!holding.empty()) {
      parts_.push_back({task, edges[i].task, holding.rbegin()->first, holding.rbegin()->second});
      newest_nodes_.insert(holding.rbegin()->second);
    }
  }
  std::erase_if(seen_, [this](const auto& entry) {
    const Part* part = part_of(entry.first);
    return part != nullptr && part->attempt >= entry.second;
  });
}

void LogAttempts::saw(std::uint32_t task, const base::AttemptId& attempt) {
  const Part* part = part_of(task);
  if (part != nullptr && part->attempt >= attempt) {
    return;
  }
  const auto found = seen_.find(task);
  if (found != seen_.end()) {
    found->second = std::max(found->second, attempt);
  } else if (seen_.size() < seen_max) {
    seen_.emplace(task, attempt);
  }
}

bool LogAttempts::is_superseded(std::uint32_t task, const base::AttemptId& attempt) const {
  const Part* part = part_of(task);
  const auto found = seen_.find(task);
  return (part != nullptr && part->attempt > attempt) ||
         (found != seen_.end() && found->second > attempt);
}

bool LogAttempts::counts(base::NodeId node, std::optional<std::uint32_t> task) const {
  if (!nodes_.contains(node)) {
    return true;
  }
  if (task) {
    const Part* part = part_of(*task);
    return part == nullptr || part->node == node;
  }
  return newest_nodes_.contains(node);
}

std::string LogAttempts::tasks_on(base::NodeId node) const {
  std::uint64_t tasks = 0;
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  for (const Part& part : parts_) {
    if (part.node == node) {
      first = tasks == 0 ? part.first : first;
      tasks += part.end - part.first;
      end = part.end;
    }
  }
  if (tasks == 0) {
    return "this job";
  }
  if (tasks == 1) {
    return "task " + std::to_string(first);
  }
  return end - first == tasks ? "tasks " + std::to_string(first) + "-" + std::to_string(end - 1)
                              : std::to_string(tasks) + " tasks";
}

const LogAttempts::Part* LogAttempts::part_of(std::uint32_t task) const {
  const auto after =
      std::upper_bound(parts_.begin(), parts_.end(), task,
                       [](std::uint32_t value, const Part& part) { return value < part.first; });
  if (after == parts_.begin()) {
    return nullptr;
  }
  const Part& part = *std::prev(after);
  return task < part.end ? &part : nullptr;
}

}  // namespace fastgpu::session
