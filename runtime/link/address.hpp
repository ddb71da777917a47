#pragma once

/// Where a link may listen. Pure; a refusal says what to write instead.

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"

namespace fastgpu::link {

struct ListenAddress {
  std::string host;  ///< "127.0.0.1", or "[::1]" with its brackets
  std::uint16_t port{};
  bool operator==(const ListenAddress&) const = default;
};

/// Accepts 127.0.0.0/8 and [::1] with a port (0: any free one). A node has no keys yet with which
/// it could tell friend from stranger, so everything else is refused: ErrorCode::listen_refused for
/// an address that others could reach, ErrorCode::bad_argument for what is no address.
base::Result<ListenAddress> parse_listen_address(const std::string& address);

std::string to_string(const ListenAddress& address);

}  // namespace fastgpu::link
