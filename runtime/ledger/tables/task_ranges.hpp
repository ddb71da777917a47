#pragma once

/// Sets of tasks as sorted, disjoint ranges, none empty. Pure helpers; nothing fails. Work on a
/// set takes time in its ranges, never in its tasks.

#include <cstdint>
#include <vector>

#include "runtime/base/ids.hpp"

namespace fastgpu::ledger {

using TaskRanges = std::vector<base::TaskRange>;

/// Any ranges, as a set: sorted, without overlaps, neighbours joined, empty ones left out.
TaskRanges normalized(TaskRanges ranges);
/// The part of `set` below `task_count`.
TaskRanges clipped(const TaskRanges& set, std::uint32_t task_count);
TaskRanges intersection(const TaskRanges& a, const TaskRanges& b);
TaskRanges difference(const TaskRanges& a, const TaskRanges& b);
TaskRanges united(const TaskRanges& a, const TaskRanges& b);
std::uint64_t count_tasks(const TaskRanges& set);
/// Adds `range` to a set that holds nothing at or behind it.
void append(TaskRanges& set, base::TaskRange range);

}  // namespace fastgpu::ledger
