#include "tests/chaos/recorder.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/history/history_text.hpp"

namespace fastgpu::chaos {

history::Stamp now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

void HistoryFile::add(const history::Entry& entry) {
  add_line(history::to_line(entry));
}

void HistoryFile::add_line(const std::string& line) {
  const std::lock_guard lock(mutex_);
  file_ << line << "\n" << std::flush;
}

base::Result<std::unique_ptr<Recorder>> Recorder::start(const Rooms& rooms, int count,
                                                        std::uint16_t port, HistoryFile& file) {
  std::unique_ptr<Recorder> recorder(new Recorder(file));
  for (int room = 0; room < (rooms.exist() ? count : 1); ++room) {
    const Rooms::Inside inside(rooms, room);
    if (const base::Status listens = recorder->listen(port); !listens.ok()) {
      return listens.error();
    }
  }
  recorder->thread_ = std::thread([it = recorder.get()] { it->record(); });
  return recorder;
}

Recorder::Recorder(HistoryFile& file) : file_(file), wake_(::eventfd(0, EFD_CLOEXEC)) {}

Recorder::~Recorder() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  if (thread_.joinable()) {
    thread_.join();
  }
  for (const int listener : listeners_) {
    ::close(listener);
  }
  for (const Writer& writer : writers_) {
    ::close(writer.fd);
  }
  ::close(wake_);
}

base::Status Recorder::listen(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  listeners_.push_back(fd);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 128) != 0) {
    return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                       std::string("the recorder cannot listen: ") + std::strerror(errno), ""};
  }
  return {};
}

void Recorder::record() {
  for (;;) {
    std::vector<pollfd> fds{{wake_, POLLIN, 0}};
    for (const int listener : listeners_) {
      fds.push_back({listener, POLLIN, 0});
    }
    for (const Writer& writer : writers_) {
      fds.push_back({writer.fd, POLLIN, 0});
    }
    ::poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) {
      return;
    }
    const std::size_t first_writer = 1 + listeners_.size();
    for (std::size_t i = first_writer; i < fds.size(); ++i) {
      Writer& writer = writers_[i - first_writer];
      if (fds[i].revents != 0 && !read(writer)) {
        ::close(writer.fd);
        writer.fd = -1;
      }
    }
    std::erase_if(writers_, [](const Writer& writer) { return writer.fd < 0; });
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (fds[1 + i].revents != 0) {
        const int fd = ::accept4(listeners_[i], nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) {
          writers_.push_back({fd, ""});
        }
      }
    }
  }
}

bool Recorder::read(Writer& writer) {
  char buffer[4096];
  const ssize_t size = ::recv(writer.fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size <= 0) {
    return size < 0 && (errno == EAGAIN || errno == EINTR);
  }
  writer.rest.append(buffer, static_cast<std::size_t>(size));
  for (std::size_t end = writer.rest.find('\n'); end != std::string::npos;
       end = writer.rest.find('\n')) {
    file_.add_line(writer.rest.substr(0, end));
    writer.rest.erase(0, end + 1);
  }
  return true;
}

}  // namespace fastgpu::chaos
