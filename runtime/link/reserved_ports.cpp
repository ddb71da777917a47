#include "runtime/link/reserved_ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace fastgpu::link {

base::Result<ReservedPorts> ReservedPorts::take(std::size_t count) {
  ReservedPorts reserved;
  while (reserved.ports_.size() < count) {
    if (const base::Status added = reserved.add(); !added.ok()) {
      return added.error();
    }
  }
  return reserved;
}

base::Status ReservedPorts::add() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) {
    const base::Error error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                            std::string("no free port on the loopback: ") + std::strerror(errno),
                            "end something that holds many connections"};
    if (fd >= 0) {
      ::close(fd);
    }
    return error;
  }
  sockets_.push_back(fd);
  ports_.push_back(ntohs(address.sin_port));
  return {};
}

ReservedPorts::ReservedPorts(ReservedPorts&& other) noexcept {
  *this = std::move(other);
}

ReservedPorts& ReservedPorts::operator=(ReservedPorts&& other) noexcept {
  std::swap(sockets_, other.sockets_);
  std::swap(ports_, other.ports_);
  return *this;
}

ReservedPorts::~ReservedPorts() {
  for (const int fd : sockets_) {
    ::close(fd);
  }
}

}  // namespace fastgpu::link
