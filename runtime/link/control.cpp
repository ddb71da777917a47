#include "runtime/link/control.hpp"

#include <string_view>

#include "runtime/base/little_endian.hpp"

namespace fastgpu::link {

std::vector<std::uint8_t> encode_control(const Control& control) {
  std::vector<std::uint8_t> out;
  out.reserve(control_body_bytes);
  base::put_little_endian(out, static_cast<std::uint8_t>(control.type));
  base::put_little_endian(out, static_cast<std::uint8_t>(control.reason));
  base::put_little_endian(out, std::uint16_t{0});
  base::put_little_endian(out, std::uint32_t{0});
  base::put_little_endian(out, control.sent_bytes);
  base::put_little_endian(out, control.limit_bytes);
  return out;
}

std::optional<Control> decode_control(std::span<const std::uint8_t> body) {
  if (body.size() != control_body_bytes) {
    return std::nullopt;
  }
  const std::uint8_t type = body[0];
  const std::uint8_t reason = body[1];
  if (type < static_cast<std::uint8_t>(ControlType::hello) ||
      type > static_cast<std::uint8_t>(ControlType::bye) ||
      reason > static_cast<std::uint8_t>(DownReason::denied) ||
      base::get_little_endian<std::uint16_t>(body.data() + 2) != 0 ||
      base::get_little_endian<std::uint32_t>(body.data() + 4) != 0) {
    return std::nullopt;
  }
  Control control;
  control.type = static_cast<ControlType>(type);
  control.reason = static_cast<DownReason>(reason);
  control.sent_bytes = base::get_little_endian<std::uint64_t>(body.data() + 8);
  control.limit_bytes = base::get_little_endian<std::uint64_t>(body.data() + 16);
  return control;
}

std::string_view to_string(DownReason reason) {
  switch (reason) {
    case DownReason::refused:
      return "refused";
    case DownReason::reset:
      return "reset";
    case DownReason::closed:
      return "closed";
    case DownReason::silent:
      return "silent";
    case DownReason::other_cluster:
      return "other cluster";
    case DownReason::other_node:
      return "other node";
    case DownReason::denied:
      return "denied";
  }
  return "unknown";
}

std::string_view to_string(RefusedFor reason) {
  switch (reason) {
    case RefusedFor::stranger:
      return "an unknown key";
    case RefusedFor::forged:
      return "a name that is not its key's";
    case RefusedFor::revoked:
      return "a key that was withdrawn";
    case RefusedFor::other_cluster:
      return "another cluster";
  }
  return "unknown";
}

}  // namespace fastgpu::link
