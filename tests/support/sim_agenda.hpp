#pragma once

/// What simulated devices and clients will do, by virtual time; things of the same moment happen in
/// the order in which they were noted. Owned by the harness; one thread.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "runtime/base/time.hpp"

namespace fastgpu::testing {

class SimAgenda {
 public:
  base::Time now() const { return now_; }
  void set_now(base::Time now) { now_ = now; }
  void note(base::Time at, std::function<void()> what) {
    entries_.emplace(std::pair{at, ++last_sequence_}, std::move(what));
  }
  void note_in(base::Duration delay, std::function<void()> what) {
    note(now_ + delay, std::move(what));
  }
  std::optional<base::Time> next_event() const {
    return entries_.empty() ? std::nullopt : std::optional(entries_.begin()->first.first);
  }
  /// Lets one due thing happen; false when none is due.
  bool run_one(base::Time now) {
    set_now(now);
    if (entries_.empty() || entries_.begin()->first.first > now) {
      return false;
    }
    auto entry = entries_.extract(entries_.begin());
    entry.mapped()();
    return true;
  }

 private:
  base::Time now_{};
  std::uint64_t last_sequence_{0};
  std::map<std::pair<base::Time, std::uint64_t>, std::function<void()>> entries_;
};

}  // namespace fastgpu::testing
