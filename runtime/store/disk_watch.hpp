#pragma once

/// Decides when the disk of the ledger is too full for new work. What was accepted must be able to
/// go on (placements, outcomes), so new work leaves a reserve; it is taken again once clearly more
/// than the reserve is free, so that the answer does not change with every compaction.
///
/// Pure; stepped by the store actor with what the store's port says is free. Not a promise: who
/// fills the disk faster than it is looked at meets a store that cannot write, and the process
/// ends. A reserve of 0 watches nothing.

#include <cstdint>
#include <optional>
#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"

namespace fastgpu::store {

class DiskWatch {
 public:
  explicit DiskWatch(std::uint64_t reserve_bytes) : reserve_bytes_(reserve_bytes) {}

  std::uint64_t reserve_bytes() const { return reserve_bytes_; }
  bool low() const { return low_; }
  /// When to look.
  std::optional<base::Time> next_look() const {
    return reserve_bytes_ > 0 ? std::optional(next_look_) : std::nullopt;
  }
  /// The disk has so much free. True: others should be told, since `low` changed or is so.
  bool look(std::uint64_t free_bytes, base::Time now) {
    next_look_ = now + base::limits::disk_look_interval;
    const std::uint64_t margin = low_ ? reserve_bytes_ / 8 : 0;
    const bool was_low = std::exchange(low_, free_bytes < reserve_bytes_ + margin);
    return low_ || was_low;
  }

 private:
  const std::uint64_t reserve_bytes_;
  bool low_{false};
  base::Time next_look_{};
};

}  // namespace fastgpu::store
