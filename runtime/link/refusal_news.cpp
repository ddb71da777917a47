#include "runtime/link/refusal_news.hpp"

#include <utility>

namespace fastgpu::link {

std::optional<std::string> RefusalNews::hear(const CallerRefused& refused, base::Time now) {
  Untold& untold = untold_.at(static_cast<std::size_t>(refused.reason));
  untold.times += refused.times;
  if (untold.told_at && now < *untold.told_at + interval) {
    return std::nullopt;
  }
  untold.told_at = now;
  const std::uint64_t times = std::exchange(untold.times, 0);
  return "refused " + refused.who +
         (refused.said ? ", who said it was " + to_string(refused.said) : "") + ": it came with " +
         std::string(to_string(refused.reason)) +
         (times == 1 ? "" : "; " + std::to_string(times) + " such calls were refused");
}

}  // namespace fastgpu::link
