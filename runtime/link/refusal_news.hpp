#pragma once

/// Who was refused, in sentences for whoever runs the node: the first at once, then at most one in
/// `interval` for each reason, with how many there were. A removed node that still runs calls again
/// and again. Pure; owned by who hears of refusals.

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "runtime/link/link.hpp"

namespace fastgpu::link {

class RefusalNews {
 public:
  static constexpr base::Duration interval = std::chrono::minutes(1);

  /// Nothing while it is too soon.
  std::optional<std::string> hear(const CallerRefused& refused, base::Time now);

 private:
  struct Untold {
    std::uint64_t times{0};
    std::optional<base::Time> told_at;
  };
  std::array<Untold, refused_for_kinds> untold_{};
};

}  // namespace fastgpu::link
