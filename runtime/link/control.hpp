#pragma once

/// What two links say to each other, in frames that are never delivered: the body of a control or
/// credit frame. Each one also carries both sides of the credit account, so that any of them
/// repairs what a lost one would have said. Pure functions; a body that makes no sense is told by
/// nullopt.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/link/link.hpp"

namespace fastgpu::link {

enum class ControlType : std::uint8_t {
  hello = 1,    ///< the dialler names itself
  welcome = 2,  ///< the listener names itself: the channel is open
  alive = 3,    ///< nothing new, or only credit
  bye = 4,      ///< the channel ends here
};

inline constexpr std::size_t control_body_bytes = 24;

struct Control {
  ControlType type{ControlType::alive};
  DownReason reason{DownReason::closed};  ///< of a bye
  std::uint64_t sent_bytes{};   ///< sent by the speaker on this channel so far, headers included
  std::uint64_t limit_bytes{};  ///< the most the listener may have sent on this channel
  bool operator==(const Control&) const = default;
};

std::vector<std::uint8_t> encode_control(const Control& control);
std::optional<Control> decode_control(std::span<const std::uint8_t> body);

}  // namespace fastgpu::link
