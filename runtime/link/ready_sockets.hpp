#pragma once

/// Which of a transport's ZeroMQ sockets have something to read, found without asking each of them:
/// a wait costs what has come, not what is connected. (zmq_poll asks every socket twice, with a
/// system call or more each time; a node of a large cluster has thousands.)
///
/// ZeroMQ shows by a descriptor that something has happened to a socket, and any call on the socket
/// may take that sign away. So whoever is told of a socket reads it until it has nothing more, and
/// names it as `unsure` after it was sent on or was left before that: such a socket may hold what
/// its descriptor does not show, and is to be read before the next wait.
///
/// Does not own the sockets; each leaves by `remove` before it is closed. On one thread, but for
/// `wake`.

#include <chrono>
#include <cstdint>
#include <set>
#include <vector>

namespace fastgpu::link {

class ReadySockets {
 public:
  /// A name for a socket, chosen by the owner.
  using Key = std::uint64_t;
  static constexpr Key key_max = ~Key{0} - 1;

  ReadySockets();
  ~ReadySockets();
  ReadySockets(const ReadySockets&) = delete;
  ReadySockets& operator=(const ReadySockets&) = delete;

  /// False where the host lets no more be waited for.
  [[nodiscard]] bool add(Key key, void* socket);
  void remove(Key key, void* socket);

  void unsure(Key key) { unsure_.insert(key); }
  /// The sockets named as unsure since the last call.
  std::vector<Key> take_unsure();
  /// Waits until a socket shows a sign, `timeout` has passed or `wake` was called; not at all while
  /// a socket is unsure. Which sockets show one, some of them where they are many.
  std::vector<Key> wait(std::chrono::milliseconds timeout);
  /// From any thread: ends the wait that is in progress, or else the next one.
  void wake();

 private:
  int epoll_fd_;
  int wake_fd_;
  std::set<Key> unsure_;
};

}  // namespace fastgpu::link
