#include "node/host/who_listens.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/link/address.hpp"

namespace fastgpu::node {
namespace {

/// A connection under way, or -1.
int begin_to_dial(const std::string& address) {
  const auto parsed = link::parse_listen_address(address, link::Reachable::from_anywhere);
  if (!parsed.ok()) {
    return -1;
  }
  std::string host = parsed.value().host;
  if (host.front() == '[') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(parsed.value().port);
  if (::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) {
    return -1;
  }
  int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket >= 0 && ::connect(socket, found->ai_addr, found->ai_addrlen) != 0 &&
      errno != EINPROGRESS) {
    ::close(socket);
    socket = -1;
  }
  ::freeaddrinfo(found);
  return socket;
}

bool is_connected(int socket) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

}  // namespace

std::set<std::string> who_listens(const std::vector<std::string>& addresses,
                                  std::chrono::milliseconds limit) {
  std::vector<pollfd> dialled;
  std::size_t open = 0;
  for (const std::string& address : addresses) {
    dialled.push_back({begin_to_dial(address), POLLOUT, 0});
    open += dialled.back().fd >= 0 ? 1 : 0;
  }
  std::set<std::string> found;
  const auto end = std::chrono::steady_clock::now() + limit;
  while (open > 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      break;
    }
    if (::poll(dialled.data(), dialled.size(), static_cast<int>(left.count())) < 0) {
      continue;  // a signal came
    }
    open = 0;
    for (std::size_t i = 0; i < dialled.size(); ++i) {
      if (dialled[i].fd >= 0 && dialled[i].revents != 0) {
        if (is_connected(dialled[i].fd)) {
          found.insert(addresses[i]);
        }
        ::close(dialled[i].fd);
        dialled[i].fd = -1;
      }
      open += dialled[i].fd >= 0 ? 1 : 0;
    }
  }
  for (const pollfd& one : dialled) {
    if (one.fd >= 0) {
      ::close(one.fd);
    }
  }
  return found;
}

}  // namespace fastgpu::node
