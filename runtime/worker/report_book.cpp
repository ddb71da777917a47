#include "runtime/worker/report_book.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fastgpu::worker {

namespace {

using protocol::TaskOutcome;
using protocol::Timings;

std::size_t bytes_of(const TaskOutcome& outcome) {
  std::size_t bytes = 256 + outcome.message.size();
  for (const auto& output : outcome.outputs) {
    const auto* const inline_bytes = std::get_if<base::Bytes>(&output);
    bytes += inline_bytes != nullptr ? inline_bytes->size() + 32 : 64;
  }
  return bytes;
}

bool same_but_for_times(const TaskOutcome& a, const TaskOutcome& b) {
  return a.state == b.state && a.reason == b.reason && a.message == b.message &&
         a.attempt == b.attempt && a.device == b.device && a.outputs == b.outputs;
}

std::int64_t mean(std::int64_t a, std::int64_t a_count, std::int64_t b, std::int64_t b_count) {
  return static_cast<std::int64_t>((static_cast<double>(a) * static_cast<double>(a_count) +
                                    static_cast<double>(b) * static_cast<double>(b_count)) /
                                   static_cast<double>(a_count + b_count));
}

Timings mean_of(const Timings& a, std::uint32_t a_count, const Timings& b, std::uint32_t b_count) {
  return {mean(a.queue_ns, a_count, b.queue_ns, b_count),
          mean(a.compile_ns, a_count, b.compile_ns, b_count),
          mean(a.copy_in_ns, a_count, b.copy_in_ns, b_count),
          mean(a.run_ns, a_count, b.run_ns, b_count),
          mean(a.copy_out_ns, a_count, b.copy_out_ns, b_count),
          a.compile_cached && b.compile_cached};
}

}  // namespace

void ReportBook::count(const Entry& entry, bool in) {
  const std::uint32_t tasks = entry.report.range.count;
  if (entry.told) {
    told_tasks_ = in ? told_tasks_ + tasks : told_tasks_ - tasks;
    return;
  }
  const std::size_t bytes = bytes_of(entry.report.outcome);
  pending_tasks_ = in ? pending_tasks_ + tasks : pending_tasks_ - tasks;
  pending_bytes_ = in ? pending_bytes_ + bytes : pending_bytes_ - bytes;
}

void ReportBook::add(std::uint32_t task, TaskOutcome outcome, std::int64_t device_ns) {
  Entry entry{{{task, 1}, std::move(outcome)}, device_ns, false};
  const auto [place, fresh] = entries_.emplace(task, std::move(entry));
  if (fresh)
    count(place->second, true);
}

void ReportBook::merge_pending() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto next = std::next(it);
    if (next == entries_.end())
      break;
    Entry& left = it->second;
    const Entry& right = next->second;
    if (left.told || right.told || left.report.range.end() != right.report.range.first ||
        !same_but_for_times(left.report.outcome, right.report.outcome)) {
      it = next;
      continue;
    }
    count(left, false);
    count(right, false);
    left.report.outcome.timings = mean_of(left.report.outcome.timings, left.report.range.count,
                                          right.report.outcome.timings, right.report.range.count);
    left.report.range.count += right.report.range.count;
    left.device_ns += right.device_ns;
    entries_.erase(next);
    count(left, true);
  }
}

std::vector<ReportBatch> ReportBook::batches(bool told) const {
  std::vector<ReportBatch> all;
  std::size_t bytes = 0;
  for (const auto& [first, entry] : entries_) {
    if (entry.told != told)
      continue;
    const std::size_t more = bytes_of(entry.report.outcome);
    if (all.empty() || bytes + more > batch_bytes_max) {
      all.emplace_back();
      bytes = 0;
    }
    bytes += more;
    all.back().reports.push_back(entry.report);
    all.back().device_ns += entry.device_ns;
  }
  return all;
}

std::vector<ReportBatch> ReportBook::take_pending() {
  merge_pending();
  auto all = batches(false);
  for (auto& [first, entry] : entries_) {
    if (entry.told)
      continue;
    count(entry, false);
    entry.told = true;
    count(entry, true);
  }
  return all;
}

std::vector<ReportBatch> ReportBook::told() const {
  return batches(true);
}

std::vector<base::TaskRange> ReportBook::settle(base::TaskRange range) {
  std::vector<base::TaskRange> forgotten;
  auto it = entries_.upper_bound(range.first);
  if (it != entries_.begin())
    --it;
  while (it != entries_.end() && it->first < range.end()) {
    const base::TaskRange had = it->second.report.range;
    const std::uint64_t first = std::max(had.first, range.first);
    const std::uint64_t end = std::min(had.end(), range.end());
    if (first >= end) {
      ++it;
      continue;
    }
    Entry cut = std::move(it->second);
    count(cut, false);
    it = entries_.erase(it);
    forgotten.push_back(
        {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(end - first)});
    // What stays on either side keeps its share of the time.
    const auto keep = [&](std::uint64_t from, std::uint64_t to) {
      if (from >= to)
        return;
      Entry part = cut;
      part.report.range = {static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to - from)};
      part.device_ns = cut.device_ns / had.count * part.report.range.count;
      count(part, true);
      it = std::next(entries_.insert_or_assign(part.report.range.first, std::move(part)).first);
    };
    keep(had.first, first);
    keep(end, had.end());
  }
  return forgotten;
}

}  // namespace fastgpu::worker
