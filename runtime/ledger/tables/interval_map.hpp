#pragma once

/// A map from task numbers to values that keeps alike neighbours as one segment: a million tasks in
/// the same state take the memory of one. Work is O(log segments) plus the segments touched.
/// Rejected: a value per task (10 million tasks would take gigabytes), and a sorted vector (a
/// change in the middle moves everything behind it).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>

#include "runtime/base/ids.hpp"

namespace fastgpu::ledger {

/// `Value` is copied on splits and compared on joins. Tasks that were never set have no value.
template <class Value>
class IntervalMap {
 public:
  std::size_t segment_count() const { return segments_.size(); }
  bool empty() const { return segments_.empty(); }
  void clear() { segments_.clear(); }

  /// The value of a task; null where there is none.
  const Value* find(std::uint32_t task) const {
    const auto at = covering(task);
    return at == segments_.end() ? nullptr : &at->second.value;
  }

  /// `visit(TaskRange, const Value&)` for every segment, ascending.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [first, segment] : segments_) {
      visit(base::TaskRange{first, segment.count}, segment.value);
    }
  }

  /// The same for the parts of segments that lie in `range`.
  template <class Visit>
  void for_each_in(base::TaskRange range, Visit visit) const {
    auto at = segments_.upper_bound(range.first);
    if (at != segments_.begin()) {
      --at;
    }
    for (; at != segments_.end() && at->first < range.end(); ++at) {
      const std::uint64_t first = std::max(at->first, range.first);
      const std::uint64_t end = std::min(std::uint64_t{at->first} + at->second.count, range.end());
      if (first < end) {
        visit(base::TaskRange{static_cast<std::uint32_t>(first),
                              static_cast<std::uint32_t>(end - first)},
              at->second.value);
      }
    }
  }

  /// Sets all of `range`, whatever was there.
  void assign(base::TaskRange range, Value value) {
    if (range.count == 0) {
      return;
    }
    erase(range);
    segments_.emplace(range.first, Segment{range.count, std::move(value)});
    join_around(range);
  }

  void erase(base::TaskRange range) {
    if (range.count == 0) {
      return;
    }
    split_at(range.first);
    split_at(range.end());
    segments_.erase(segments_.lower_bound(range.first), lower_bound(range.end()));
  }

  /// `change(TaskRange, Value&)` for the parts of segments in `range`; may change the value.
  template <class Change>
  void update(base::TaskRange range, Change change) {
    if (range.count == 0) {
      return;
    }
    split_at(range.first);
    split_at(range.end());
    const auto end = lower_bound(range.end());
    for (auto at = segments_.lower_bound(range.first); at != end; ++at) {
      change(base::TaskRange{at->first, at->second.count}, at->second.value);
    }
    join_around(range);
  }

  bool operator==(const IntervalMap&) const = default;

 private:
  struct Segment {
    std::uint32_t count{};
    Value value;
    bool operator==(const Segment&) const = default;
  };
  using Segments = std::map<std::uint32_t, Segment>;

  typename Segments::const_iterator covering(std::uint32_t task) const {
    auto at = segments_.upper_bound(task);
    if (at == segments_.begin()) {
      return segments_.end();
    }
    --at;
    return task < std::uint64_t{at->first} + at->second.count ? at : segments_.end();
  }

  /// Positions may be 2^32, one behind the last task number.
  typename Segments::iterator lower_bound(std::uint64_t position) {
    return position > UINT32_MAX ? segments_.end()
                                 : segments_.lower_bound(static_cast<std::uint32_t>(position));
  }

  void split_at(std::uint64_t position) {
    if (position == 0 || position > UINT32_MAX) {
      return;
    }
    const auto at = segments_.lower_bound(static_cast<std::uint32_t>(position));
    if (at == segments_.begin()) {
      return;
    }
    const auto before = std::prev(at);
    const std::uint64_t end = std::uint64_t{before->first} + before->second.count;
    if (end <= position) {
      return;
    }
    const auto kept = static_cast<std::uint32_t>(position - before->first);
    Segment tail{before->second.count - kept, before->second.value};
    before->second.count = kept;
    segments_.emplace_hint(at, static_cast<std::uint32_t>(position), std::move(tail));
  }

  /// Joins alike neighbours from just before `range` to just behind it.
  void join_around(base::TaskRange range) {
    auto at = segments_.lower_bound(range.first);
    if (at != segments_.begin()) {
      --at;
    }
    while (at != segments_.end() && at->first <= range.end()) {
      const auto next = std::next(at);
      if (next == segments_.end()) {
        return;
      }
      if (std::uint64_t{at->first} + at->second.count == next->first &&
          at->second.value == next->second.value) {
        at->second.count += next->second.count;
        segments_.erase(next);
      } else {
        ++at;
      }
    }
  }

  Segments segments_;
};

}  // namespace fastgpu::ledger
