#include "runtime/link/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace fastgpu::link {
namespace {

base::Error not_an_address(const std::string& address) {
  return {
      base::ErrorKind::invalid, base::ErrorCode::bad_argument,
      "\"" + address + "\" is no address to listen at",
      "write an address and a port, as in 127.0.0.1:7601 or [::1]:7601; port 0 picks a free one"};
}

base::Error not_the_loopback(const std::string& address) {
  return {base::ErrorKind::rejected, base::ErrorCode::listen_refused,
          "refusing to listen at " + address +
              ": it can be reached from other hosts and this node has no keys to know them by",
          "listen on the loopback, as in 127.0.0.1:7601 or [::1]:7601"};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || stop != end || error != std::errc{}) {
    return std::nullopt;
  }
  return port;
}

}  // namespace

base::Result<ListenAddress> parse_listen_address(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return not_an_address(address);
  }
  const auto port = parse_port(std::string_view(address).substr(colon + 1));
  if (!port) {
    return not_an_address(address);
  }
  const std::string host = address.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    in6_addr ip{};
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &ip) != 1) {
      return not_an_address(address);
    }
    if (!IN6_IS_ADDR_LOOPBACK(&ip)) {
      return not_the_loopback(address);
    }
    return ListenAddress{"[::1]", *port};
  }
  in_addr ip{};
  if (inet_pton(AF_INET, host.c_str(), &ip) != 1) {
    // A name, "*" or an interface: where it leads is not known here, so it counts as reachable.
    return host.find(':') == std::string::npos ? not_the_loopback(address)
                                               : not_an_address(address);
  }
  if ((ntohl(ip.s_addr) >> 24) != 127) {
    return not_the_loopback(address);
  }
  char canonical[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &ip, canonical, sizeof(canonical));
  return ListenAddress{canonical, *port};
}

std::string to_string(const ListenAddress& address) {
  return address.host + ":" + std::to_string(address.port);
}

}  // namespace fastgpu::link
