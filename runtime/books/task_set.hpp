#pragma once

/// A set of tasks of one job, kept as disjoint ranges in order: a million tasks are one range.
/// Costs are by ranges touched, never by tasks. Nothing fails; an empty range changes nothing.

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/base/ids.hpp"

namespace fastgpu::books {

class TaskSet {
 public:
  TaskSet() = default;
  explicit TaskSet(const std::vector<base::TaskRange>& ranges);

  bool empty() const { return ranges_.empty(); }
  std::uint64_t size() const { return size_; }
  bool contains(std::uint32_t task) const;
  bool intersects(base::TaskRange range) const;
  std::vector<base::TaskRange> ranges() const;

  void add(base::TaskRange range);
  void remove(base::TaskRange range);
  /// Takes the lowest tasks out, at most `count` of them.
  std::vector<base::TaskRange> take(std::uint64_t count);

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  ///< first to end; neither touch nor overlap
  std::uint64_t size_{0};
};

}  // namespace fastgpu::books
