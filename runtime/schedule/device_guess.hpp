#pragma once

/// What this scheduler believes of one device: the newest books it has seen, and what it has sent
/// there itself, which those books may not show yet.
///
/// Books are a moment of the past. What this scheduler sent later is added, what it heard to have
/// ended is taken off; only the part of the others is guessed from the books. Newer books correct
/// everything. Owned by the scheduler machine; pure.

#include <chrono>
#include <cstdint>
#include <optional>

#include "runtime/base/time.hpp"
#include "runtime/protocol/cluster.hpp"

namespace fastgpu::schedule {

class DeviceGuess {
 public:
  static constexpr base::Duration avoid_min = std::chrono::milliseconds(20);
  static constexpr base::Duration avoid_max = std::chrono::seconds(5);
  static constexpr std::int64_t long_backlog_ns = 2'000'000'000;

  const protocol::DeviceBooks& books() const { return books_; }
  bool reachable() const { return reachable_; }
  void set_reachable(bool reachable) { reachable_ = reachable; }

  /// Books as the view or an answer shows them; older ones than known change nothing.
  void see(const protocol::DeviceBooks& books, base::Time now);
  void sent(std::uint32_t tasks, std::int64_t predicted_ns);
  /// The worker has answered, or nobody did: then they are not there as far as we know.
  void answered(std::uint32_t tasks, bool granted);
  void ended(std::uint32_t tasks);

  /// Left alone for a while that doubles with each time in a row that it is tried again.
  void avoid(base::Time now);
  void trust() { avoid_for_ = base::Duration::zero(); }
  bool avoided(base::Time now) const { return now < avoid_until_; }
  base::Time avoid_until() const { return avoid_until_; }

  /// Tasks that it holds, as far as we know.
  std::uint32_t held() const { return others_ + own_; }
  /// Tasks that it may still take.
  std::uint32_t room() const;
  /// Predicted time until all that it holds has ended; at least what the device itself says where
  /// that is long: a task of ours may run for longer than we thought.
  std::int64_t backlog_ns(base::Time now) const;

 private:
  protocol::DeviceBooks books_;
  bool known_{false};
  bool reachable_{false};
  base::Time seen_at_;
  std::uint32_t others_{0};
  std::int64_t others_ns_{0};
  std::uint32_t own_{0};          ///< sent by us and not heard to have ended
  std::uint32_t unconfirmed_{0};  ///< of these, not answered: no books can show them yet
  double own_ns_{0};
  base::Time avoid_until_{base::Time::min()};
  base::Duration avoid_for_{0};
};

}  // namespace fastgpu::schedule
