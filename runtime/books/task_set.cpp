#include "runtime/books/task_set.hpp"

#include <algorithm>
#include <iterator>

namespace fastgpu::books {

namespace {

base::TaskRange range_of(std::uint64_t first, std::uint64_t end) {
  return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)};
}

}  // namespace

TaskSet::TaskSet(const std::vector<base::TaskRange>& ranges) {
  for (const auto& range : ranges)
    add(range);
}

bool TaskSet::contains(std::uint32_t task) const {
  return intersects({task, 1});
}

bool TaskSet::intersects(base::TaskRange range) const {
  const auto after = ranges_.lower_bound(range.end());
  return range.count != 0 && after != ranges_.begin() && std::prev(after)->second > range.first;
}

std::vector<base::TaskRange> TaskSet::ranges() const {
  std::vector<base::TaskRange> all;
  all.reserve(ranges_.size());
  for (const auto& [first, end] : ranges_)
    all.push_back(range_of(first, end));
  return all;
}

void TaskSet::add(base::TaskRange range) {
  if (range.count == 0)
    return;
  std::uint64_t first = range.first;
  std::uint64_t end = range.end();
  // Everything that overlaps or touches melts into one.
  auto next = ranges_.upper_bound(end);
  while (next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second < first)
      break;
    first = std::min(first, before->first);
    end = std::max(end, before->second);
    size_ -= before->second - before->first;
    next = ranges_.erase(before);
  }
  ranges_.emplace(first, end);
  size_ += end - first;
}

void TaskSet::remove(base::TaskRange range) {
  const std::uint64_t first = range.first;
  const std::uint64_t end = range.end();
  auto next = ranges_.lower_bound(end);
  while (range.count != 0 && next != ranges_.begin()) {
    const auto before = std::prev(next);
    if (before->second <= first)
      break;
    const auto [old_first, old_end] = *before;
    next = ranges_.erase(before);
    size_ -= std::min(old_end, end) - std::max(old_first, first);
    if (old_end > end)
      next = ranges_.emplace(end, old_end).first;
    if (old_first < first)
      next = ranges_.emplace(old_first, first).first;
  }
}

std::vector<base::TaskRange> TaskSet::take(std::uint64_t count) {
  std::vector<base::TaskRange> taken;
  while (count > 0 && !ranges_.empty()) {
    const auto [first, end] = *ranges_.begin();
    const std::uint64_t taken_end = std::min(end, first + count);
    taken.push_back(range_of(first, taken_end));
    count -= taken_end - first;
    size_ -= taken_end - first;
    ranges_.erase(ranges_.begin());
    if (taken_end < end)
      ranges_.emplace_hint(ranges_.begin(), taken_end, end);
  }
  return taken;
}

}  // namespace fastgpu::books
