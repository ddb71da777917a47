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
              ": it can be reached from other hosts and this link has no keys to know them by",
          "listen on the loopback, as in 127.0.0.1:7601 or [::1]:7601"};
}

base::Error not_one_place(const std::string& address) {
  return {base::ErrorKind::rejected, base::ErrorCode::listen_refused,
          "refusing to listen at " + address +
              ": the address is also what others dial, and that leads nowhere",
          "give the IP address of this host that the others reach, as in 10.0.0.11:7600"};
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

base::Result<ListenAddress> parse_six(const std::string& address, const std::string& host,
                                      std::uint16_t port, Reachable reachable) {
  in6_addr ip{};
  if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &ip) != 1) {
    return not_an_address(address);
  }
  if (reachable == Reachable::from_here && !IN6_IS_ADDR_LOOPBACK(&ip)) {
    return not_the_loopback(address);
  }
  if (IN6_IS_ADDR_UNSPECIFIED(&ip)) {
    return not_one_place(address);
  }
  char canonical[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &ip, canonical, sizeof(canonical));
  return ListenAddress{"[" + std::string(canonical) + "]", port};
}

base::Result<ListenAddress> parse_four(const std::string& address, const std::string& host,
                                       std::uint16_t port, Reachable reachable) {
  const auto refused = reachable == Reachable::from_here ? not_the_loopback : not_one_place;
  in_addr ip{};
  if (inet_pton(AF_INET, host.c_str(), &ip) != 1) {
    // A name, "*" or an interface: where it leads is not known here.
    return host.find(':') == std::string::npos ? refused(address) : not_an_address(address);
  }
  const std::uint32_t number = ntohl(ip.s_addr);
  if ((reachable == Reachable::from_here && (number >> 24) != 127) || number == 0) {
    return refused(address);
  }
  char canonical[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &ip, canonical, sizeof(canonical));
  return ListenAddress{canonical, port};
}

}  // namespace

base::Result<ListenAddress> parse_listen_address(const std::string& address, Reachable reachable) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return not_an_address(address);
  }
  const auto port = parse_port(std::string_view(address).substr(colon + 1));
  if (!port) {
    return not_an_address(address);
  }
  const std::string host = address.substr(0, colon);
  return host.front() == '[' && host.back() == ']' ? parse_six(address, host, *port, reachable)
                                                   : parse_four(address, host, *port, reachable);
}

std::string to_string(const ListenAddress& address) {
  return address.host + ":" + std::to_string(address.port);
}

}  // namespace fastgpu::link
