#include "runtime/link/ready_sockets.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "runtime/base/check.hpp"

namespace fastgpu::link {
namespace {

constexpr ReadySockets::Key wake_key = ReadySockets::key_max + 1;
constexpr std::size_t told_max = 64;  // the others are told by the next wait

bool watch(int epoll_fd, int fd, ReadySockets::Key key) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = key;
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

int descriptor_of(void* socket) {
  int fd = -1;
  std::size_t bytes = sizeof(fd);
  FASTGPU_CHECK(zmq_getsockopt(socket, ZMQ_FD, &fd, &bytes) == 0, "a socket has a descriptor");
  return fd;
}

}  // namespace

ReadySockets::ReadySockets()
    : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  FASTGPU_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0 && watch(epoll_fd_, wake_fd_, wake_key),
                "a link needs two file descriptors");
}

ReadySockets::~ReadySockets() {
  ::close(epoll_fd_);
  ::close(wake_fd_);
}

bool ReadySockets::add(Key key, void* socket) {
  unsure(key);
  return watch(epoll_fd_, descriptor_of(socket), key);
}

void ReadySockets::remove(Key key, void* socket) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, descriptor_of(socket), nullptr);
  unsure_.erase(key);
}

std::vector<ReadySockets::Key> ReadySockets::take_unsure() {
  std::vector<Key> keys(unsure_.begin(), unsure_.end());
  unsure_.clear();
  return keys;
}

std::vector<ReadySockets::Key> ReadySockets::wait(std::chrono::milliseconds timeout) {
  std::array<epoll_event, told_max> events;
  const int timeout_ms = unsure_.empty() ? static_cast<int>(timeout.count()) : 0;
  const int count =
      epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), timeout_ms);
  FASTGPU_CHECK(count >= 0 || errno == EINTR, "descriptors can be waited for");
  std::vector<Key> keys;
  for (int i = 0; i < count; ++i) {
    if (events[static_cast<std::size_t>(i)].data.u64 != wake_key) {
      keys.push_back(events[static_cast<std::size_t>(i)].data.u64);
      continue;
    }
    std::uint64_t wakes = 0;
    FASTGPU_CHECK(read(wake_fd_, &wakes, sizeof(wakes)) >= 0 || errno == EAGAIN,
                  "an eventfd can be read");
  }
  return keys;
}

void ReadySockets::wake() {
  const std::uint64_t one = 1;
  // A full counter means that a wake is pending already.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

}  // namespace fastgpu::link
