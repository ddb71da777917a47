#include "tests/chaos/proxy.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

namespace fastgpu::chaos {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t buffer_bytes_max = 256u << 10;
constexpr std::size_t read_bytes = 64u << 10;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int tcp_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// The other end is told of a broken connection, not of an end.
void break_off(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd);
}

struct Piece {
  Clock::time_point due;
  std::vector<char> bytes;
  std::size_t sent{0};
};

/// One direction of a connection.
struct Stream {
  int from{};
  int to{};
  std::deque<Piece> pieces;
  std::size_t buffered{0};
  std::int64_t passes_bytes{0};  ///< while its flow is held
  bool ended{false};

  bool is_drained() const { return ended && pieces.empty(); }
};

struct Connection {
  int dialler_fd{-1};
  int target_fd{-1};  ///< -1 until both flows are open
  bool connected{false};
  Stream there;
  Stream back;
};

struct Listener {
  int fd{};
  int where{};
  int target{};
};

}  // namespace

class Proxy::Carrier {
 public:
  Carrier(const Rooms& rooms, std::vector<std::uint16_t> ports)
      : rooms_(rooms), ports_(std::move(ports)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Carrier() {
    stop_ = true;
    wake();
    if (thread_.joinable()) {
      thread_.join();
    }
    for (const Listener& listener : listeners_) {
      ::close(listener.fd);
    }
    for (const Connection& connection : connections_) {
      close(connection);
    }
    ::close(wake_);
  }

  base::Status open() {
    const int nodes = static_cast<int>(ports_.size());
    for (int where = outside; where < nodes; ++where) {
      for (int target = 0; target < nodes; ++target) {
        if (where == target) {
          continue;
        }
        std::optional<Rooms::Inside> inside;
        if (where != outside) {
          inside.emplace(rooms_, where);
        }
        const int fd = tcp_socket();
        const sockaddr_in address = loopback(ports_[static_cast<std::size_t>(target)]);
        listeners_.push_back({fd, where, target});
        if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(fd, 128) != 0) {
          return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                             std::string("a proxy cannot listen: ") + std::strerror(errno), ""};
        }
      }
    }
    thread_ = std::thread([this] { carry(); });
    return {};
  }

  void set(int from, int to, Flow flow) {
    {
      const std::lock_guard lock(mutex_);
      flows_[{from, to}] = flow;
      for (Connection& connection : connections_) {
        for (Stream* stream : {&connection.there, &connection.back}) {
          if (stream->from == from && stream->to == to) {
            stream->passes_bytes = flow.passes_bytes;
          }
        }
      }
    }
    wake();
  }
  void open_all() {
    const std::lock_guard lock(mutex_);
    flows_.clear();
    wake();
  }
  void reset(int node) {
    const std::lock_guard lock(mutex_);
    connections_.remove_if([node](const Connection& it) {
      const bool is_meant =
          it.there.from != outside && (it.there.from == node || it.there.to == node);
      if (is_meant) {
        break_off(it.dialler_fd);
        if (it.target_fd >= 0) {
          break_off(it.target_fd);
        }
      }
      return is_meant;
    });
    wake();
  }
  std::uint64_t bytes_carried() const { return bytes_; }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }
  Flow flow_of(const Stream& stream) const {
    const auto found = flows_.find({stream.from, stream.to});
    return found == flows_.end() ? Flow{} : found->second;
  }
  bool may_read(const Stream& stream) const {
    return !stream.ended && stream.buffered < buffer_bytes_max &&
           (!flow_of(stream).held || stream.passes_bytes > 0);
  }
  static void close(const Connection& connection) {
    ::close(connection.dialler_fd);
    if (connection.target_fd >= 0) {
      ::close(connection.target_fd);
    }
  }

  void carry() {
    while (!stop_) {
      std::vector<pollfd> fds;
      int wait_ms = 1000;
      {
        const std::lock_guard lock(mutex_);
        list(fds, wait_ms);
      }
      ::poll(fds.data(), fds.size(), wait_ms);
      std::uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t read = ::read(wake_, &ignored, sizeof ignored);
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < listeners_.size(); ++i) {
        if (fds[1 + i].revents != 0) {
          accept(listeners_[i]);
        }
      }
      // Every connection is looked at, whatever poll said: nothing here blocks, and flows change.
      connections_.remove_if([this](Connection& connection) { return !move(connection); });
    }
  }
  void list(std::vector<pollfd>& fds, int& wait_ms) const {
    fds.push_back({wake_, POLLIN, 0});
    for (const Listener& listener : listeners_) {
      fds.push_back({listener.fd, POLLIN, 0});
    }
    const Clock::time_point now = Clock::now();
    const auto add = [&](int fd, const Stream& in, const Stream& out, bool connected) {
      short events = connected && may_read(in) ? POLLIN : 0;
      if (!out.pieces.empty()) {
        const auto late =
            std::chrono::ceil<std::chrono::milliseconds>(out.pieces.front().due - now);
        if (late.count() <= 0) {
          events |= POLLOUT;
        } else {
          wait_ms = std::min(wait_ms, static_cast<int>(late.count()));
        }
      }
      // A connection that is hung up would be told again and again: look only where there is a use.
      fds.push_back({events == 0 ? -1 : fd, events, 0});
    };
    for (const Connection& it : connections_) {
      add(it.dialler_fd, it.there, it.back, it.connected);
      if (it.target_fd >= 0 && !it.connected) {
        fds.push_back({it.target_fd, POLLOUT, 0});
      } else {
        add(it.target_fd, it.back, it.there, it.connected);
      }
    }
  }
  void accept(const Listener& listener) {
    const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
      return;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection connection;
    connection.dialler_fd = fd;
    connection.there = {listener.where, listener.target, {}, 0, 0, false};
    connection.back = {listener.target, listener.where, {}, 0, 0, false};
    connections_.push_back(std::move(connection));
  }

  /// Whatever can be done for it now; false once it is over.
  bool move(Connection& it) {
    if (!it.connected && !connect(it)) {
      return false;
    }
    if (!it.connected) {
      return true;
    }
    const bool whole = read(it.there, it.dialler_fd) && read(it.back, it.target_fd) &&
                       write(it.there, it.target_fd) && write(it.back, it.dialler_fd);
    if (!whole) {
      break_off(it.dialler_fd);
      break_off(it.target_fd);
      return false;
    }
    if (it.there.is_drained() || it.back.is_drained()) {
      close(it);
      return false;
    }
    return true;
  }
  /// Goes on with the way to the target; false if nobody listens there.
  bool connect(Connection& it) {
    if (it.target_fd < 0) {
      if (flow_of(it.there).held || flow_of(it.back).held) {
        return true;  // as if nothing had arrived
      }
      const Rooms::Inside inside(rooms_, it.there.to);
      it.target_fd = tcp_socket();
      const sockaddr_in address = loopback(ports_[static_cast<std::size_t>(it.there.to)]);
      if (::connect(it.target_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
              0 &&
          errno != EINPROGRESS) {
        return refuse(it);
      }
    }
    pollfd ready{it.target_fd, POLLOUT, 0};
    if (::poll(&ready, 1, 0) == 0) {
      return true;
    }
    int failed = 0;
    socklen_t size = sizeof failed;
    ::getsockopt(it.target_fd, SOL_SOCKET, SO_ERROR, &failed, &size);
    it.connected = failed == 0;
    return it.connected || refuse(it);
  }
  static bool refuse(const Connection& it) {
    break_off(it.dialler_fd);
    ::close(it.target_fd);
    return false;
  }
  /// False when the connection broke.
  bool read(Stream& stream, int fd) {
    while (may_read(stream)) {
      std::vector<char> bytes(read_bytes);
      const Flow flow = flow_of(stream);
      const std::size_t most =
          flow.held
              ? std::min<std::size_t>(read_bytes, static_cast<std::size_t>(stream.passes_bytes))
              : read_bytes;
      const ssize_t size = ::recv(fd, bytes.data(), most, 0);
      if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
      }
      if (size == 0) {
        stream.ended = true;
        return true;
      }
      bytes.resize(static_cast<std::size_t>(size));
      stream.buffered += bytes.size();
      stream.passes_bytes -= flow.held ? size : 0;
      bytes_ += bytes.size();
      stream.pieces.push_back(
          {Clock::now() + std::chrono::milliseconds(flow.delay_ms), std::move(bytes)});
    }
    return true;
  }
  static bool write(Stream& stream, int fd) {
    while (!stream.pieces.empty() && stream.pieces.front().due <= Clock::now()) {
      Piece& piece = stream.pieces.front();
      const ssize_t size = ::send(fd, piece.bytes.data() + piece.sent,
                                  piece.bytes.size() - piece.sent, MSG_NOSIGNAL);
      if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
      }
      piece.sent += static_cast<std::size_t>(size);
      stream.buffered -= static_cast<std::size_t>(size);
      if (piece.sent == piece.bytes.size()) {
        stream.pieces.pop_front();
      }
    }
    return true;
  }

  const Rooms& rooms_;
  const std::vector<std::uint16_t> ports_;
  const int wake_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> bytes_{0};
  std::vector<Listener> listeners_;
  std::mutex mutex_;  ///< guards all below
  std::map<std::pair<int, int>, Flow> flows_;
  std::list<Connection> connections_;
  std::thread thread_;
};

base::Result<std::unique_ptr<Proxy>> Proxy::start(const Rooms& rooms,
                                                  const std::vector<std::uint16_t>& ports) {
  auto carrier = std::make_unique<Carrier>(rooms, ports);
  if (const base::Status opened = carrier->open(); !opened.ok()) {
    return opened.error();
  }
  return std::unique_ptr<Proxy>(new Proxy(std::move(carrier)));
}

Proxy::Proxy(std::unique_ptr<Carrier> carrier) : carrier_(std::move(carrier)) {}
Proxy::~Proxy() = default;

void Proxy::set(int from, int to, Flow flow) {
  carrier_->set(from, to, flow);
}
void Proxy::open_all() {
  carrier_->open_all();
}
void Proxy::reset(int node) {
  carrier_->reset(node);
}
std::uint64_t Proxy::bytes_carried() const {
  return carrier_->bytes_carried();
}

}  // namespace fastgpu::chaos
