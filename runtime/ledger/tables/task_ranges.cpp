#include "runtime/ledger/tables/task_ranges.hpp"

#include <algorithm>
#include <utility>

namespace fastgpu::ledger {

namespace {

base::TaskRange from_to(std::uint64_t first, std::uint64_t end) {
  return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)};
}

}  // namespace

void append(TaskRanges& set, base::TaskRange range) {
  if (range.count == 0) {
    return;
  }
  if (!set.empty() && set.back().end() == range.first) {
    set.back().count += range.count;
  } else {
    set.push_back(range);
  }
}

TaskRanges normalized(TaskRanges ranges) {
  std::sort(ranges.begin(), ranges.end());
  TaskRanges set;
  for (const base::TaskRange& range : ranges) {
    if (set.empty() || range.first >= set.back().end()) {
      append(set, range);
    } else if (range.end() > set.back().end()) {
      set.back() = from_to(set.back().first, range.end());
    }
  }
  return set;
}

TaskRanges clipped(const TaskRanges& set, std::uint32_t task_count) {
  return intersection(set, {{0, task_count}});
}

TaskRanges intersection(const TaskRanges& a, const TaskRanges& b) {
  TaskRanges set;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const std::uint64_t first = std::max(a[i].first, b[j].first);
    const std::uint64_t end = std::min(a[i].end(), b[j].end());
    if (first < end) {
      append(set, from_to(first, end));
    }
    if (a[i].end() < b[j].end()) {
      ++i;
    } else {
      ++j;
    }
  }
  return set;
}

TaskRanges difference(const TaskRanges& a, const TaskRanges& b) {
  TaskRanges set;
  std::size_t j = 0;
  for (const base::TaskRange& range : a) {
    std::uint64_t first = range.first;
    while (j < b.size() && b[j].end() <= first) {
      ++j;
    }
    for (std::size_t k = j; k < b.size() && b[k].first < range.end(); ++k) {
      if (b[k].first > first) {
        append(set, from_to(first, b[k].first));
      }
      first = std::max(first, b[k].end());
    }
    if (first < range.end()) {
      append(set, from_to(first, range.end()));
    }
  }
  return set;
}

TaskRanges united(const TaskRanges& a, const TaskRanges& b) {
  TaskRanges all = a;
  all.insert(all.end(), b.begin(), b.end());
  return normalized(std::move(all));
}

std::uint64_t count_tasks(const TaskRanges& set) {
  std::uint64_t count = 0;
  for (const base::TaskRange& range : set) {
    count += range.count;
  }
  return count;
}

}  // namespace fastgpu::ledger
