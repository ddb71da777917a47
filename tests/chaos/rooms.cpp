#include "tests/chaos/rooms.hpp"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::chaos {
namespace {

constexpr const char* own_network = "/proc/thread-self/ns/net";

base::Error no(const std::string& what) {
  return {base::ErrorKind::unavailable, base::ErrorCode::denied, what + ": " + std::strerror(errno),
          "run as root, or where user namespaces are allowed"};
}

bool write_text(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  return static_cast<bool>(file.flush());
}

/// A user namespace in which we are who we were, but may make others.
base::Status become_able() {
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER) != 0) {
    return no("no user namespace");
  }
  if (!write_text("/proc/self/setgroups", "deny") ||
      !write_text("/proc/self/uid_map", user + " " + user + " 1") ||
      !write_text("/proc/self/gid_map", group + " " + group + " 1")) {
    return no("no users in the user namespace");
  }
  return {};
}

bool bring_loopback_up() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = fd >= 0 && ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return up;
}

/// A thread of its own goes there, leaves the door open and ends.
base::Result<int> make_room() {
  base::Result<int> room = no("no network namespace");
  std::thread([&room] {
    if (::unshare(CLONE_NEWNET) != 0 || !bring_loopback_up()) {
      room = no("no network namespace");
      return;
    }
    const int fd = ::open(own_network, O_RDONLY | O_CLOEXEC);
    room = fd >= 0 ? base::Result<int>(fd) : no("no way into the network namespace");
  }).join();
  return room;
}

}  // namespace

base::Status enter_own_namespaces() {
  if (::geteuid() != 0) {
    if (const base::Status able = become_able(); !able.ok()) {
      return able;
    }
  }
  if (::unshare(CLONE_NEWNS) != 0) {
    return no("no mount namespace");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return no("no mounts of our own");
  }
  // Home is a room as well: only into what is ours may one come back without being root.
  if (::unshare(CLONE_NEWNET) != 0 || !bring_loopback_up()) {
    return no("no network namespace");
  }
  return {};
}

base::Result<Rooms> Rooms::make(int count) {
  Rooms rooms;
  for (int i = 0; i < count; ++i) {
    const base::Result<int> room = make_room();
    if (!room.ok()) {
      return room.error();
    }
    rooms.rooms_.push_back(room.value());
  }
  rooms.home_ = ::open(own_network, O_RDONLY | O_CLOEXEC);
  if (!rooms.exist()) {
    return no("no way back from a network namespace");
  }
  return rooms;
}

Rooms::Rooms(Rooms&& other) noexcept {
  *this = std::move(other);
}

Rooms& Rooms::operator=(Rooms&& other) noexcept {
  std::swap(home_, other.home_);
  std::swap(rooms_, other.rooms_);
  return *this;
}

Rooms::~Rooms() {
  for (const int room : rooms_) {
    ::close(room);
  }
  if (home_ >= 0) {
    ::close(home_);
  }
}

Rooms::Inside::Inside(const Rooms& rooms, int room) : rooms_(rooms) {
  if (rooms_.exist()) {
    FASTGPU_CHECK(::setns(rooms_.rooms_.at(static_cast<std::size_t>(room)), CLONE_NEWNET) == 0,
                  "a room that was made can be entered");
  }
}

Rooms::Inside::~Inside() {
  if (rooms_.exist()) {
    FASTGPU_CHECK(::setns(rooms_.home_, CLONE_NEWNET) == 0, "one can go home again");
  }
}

}  // namespace fastgpu::chaos
