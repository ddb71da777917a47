#include "runtime/schedule/device_guess.hpp"

#include <algorithm>

namespace fastgpu::schedule {

namespace {

std::uint32_t held_in(const protocol::DeviceBooks& books) {
  return books.queued_tasks + (books.slots_total - std::min(books.slots_total, books.slots_free));
}

}  // namespace

void DeviceGuess::see(const protocol::DeviceBooks& books, base::Time now) {
  if (known_ && (books.incarnation < books_.incarnation ||
                 (books.incarnation == books_.incarnation && books.version <= books_.version)))
    return;
  if (known_ && books.incarnation > books_.incarnation) {
    const bool reachable = reachable_;
    *this = DeviceGuess{};
    reachable_ = reachable;
  }
  known_ = true;
  books_ = books;
  seen_at_ = now;
  const std::uint32_t held = held_in(books);
  const std::uint32_t confirmed = own_ - unconfirmed_;
  others_ = held - std::min(held, confirmed);
  others_ns_ =
      held == 0 ? 0
                : static_cast<std::int64_t>(static_cast<double>(books.backlog_ns) * others_ / held);
  if (confirmed > held)
    ended(confirmed - held);
}

void DeviceGuess::sent(std::uint32_t tasks, std::int64_t predicted_ns) {
  own_ += tasks;
  unconfirmed_ += tasks;
  own_ns_ += static_cast<double>(predicted_ns);
}

void DeviceGuess::answered(std::uint32_t tasks, bool granted) {
  const std::uint32_t known = std::min(tasks, unconfirmed_);
  unconfirmed_ -= known;
  if (!granted)
    ended(known);
}

void DeviceGuess::ended(std::uint32_t tasks) {
  const std::uint32_t known = std::min(tasks, own_);
  if (known == 0)
    return;
  own_ns_ -= own_ns_ * known / own_;
  own_ -= known;
  unconfirmed_ = std::min(unconfirmed_, own_);
}

void DeviceGuess::avoid(base::Time now) {
  // What was under way with it says the same once more.
  if (avoided(now))
    return;
  avoid_for_ = std::clamp(avoid_for_ * 2, avoid_min, avoid_max);
  avoid_until_ = now + avoid_for_;
}

std::uint32_t DeviceGuess::room() const {
  const std::uint32_t bound = held_in(books_) + books_.queue_room;
  return bound - std::min(bound, held());
}

std::int64_t DeviceGuess::backlog_ns(base::Time now) const {
  const std::int64_t passed = (now - seen_at_).count();
  const std::int64_t guess =
      std::max<std::int64_t>(0, others_ns_ - passed) + static_cast<std::int64_t>(own_ns_);
  return books_.backlog_ns < long_backlog_ns ? guess : std::max(guess, books_.backlog_ns - passed);
}

}  // namespace fastgpu::schedule
