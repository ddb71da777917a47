#pragma once

/// Where a link may listen. Pure; a refusal says what to write instead.

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace fastgpu::link {

struct ListenAddress {
  std::string host;  ///< "10.0.0.11", or "[::1]" with its brackets
  std::uint16_t port{};
  bool operator==(const ListenAddress&) const = default;
};

/// Who may be able to reach it: without keys, programs of this host only.
enum class Reachable : std::uint8_t { from_here, from_anywhere };

/// Accepts an IP address of this host with a port (0: any free one); `from_here`, 127.0.0.0/8 and
/// [::1] only. What is given is also what others dial, so 0.0.0.0, [::] and names are refused:
/// ErrorCode::listen_refused for an address that is not to be listened at,
/// ErrorCode::bad_argument for what is no address.
base::Result<ListenAddress> parse_listen_address(const std::string& address,
                                                 Reachable reachable = Reachable::from_here);

std::string to_string(const ListenAddress& address);

}  // namespace fastgpu::link
