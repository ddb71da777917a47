#pragma once

/// Connections and bytes over ZeroMQ, for one LinkMachine: performs its dials and transmits, and
/// says what has come. One ROUTER for all callers, one DEALER per connection that we dial; a DEALER
/// serves one connection only and is thrown away with it, so nothing of an old connection can
/// surface in a new one and the machine alone decides when to dial again.
/// With keys, the ROUTER lets in only whom LinkKeys::who knows, and says of each hello whose it is;
/// a DEALER speaks with the owner of the dialled key only.
/// Used on one thread, ZmqLink's; only `wake` may be called from another.
/// Nothing throws. A connection that fails in any way is told as ChannelBroken.
/// What ZeroMQ will not take yet waits here, at most `backlog_bytes_max` per connection: credits
/// keep it far below, so who exceeds it grants credit without reading and is hung up on.

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/link/address.hpp"
#include "runtime/link/link_keys.hpp"
#include "runtime/link/link_machine_io.hpp"
#include "runtime/link/ready_sockets.hpp"
#include "runtime/link/zap_handler.hpp"
#include "runtime/link/zmq_socket.hpp"

namespace fastgpu::link {

class ZmqTransport {
 public:
  ZmqTransport(const LinkOptions& options, std::optional<LinkKeys> keys);
  ~ZmqTransport();
  ZmqTransport(const ZmqTransport&) = delete;
  ZmqTransport& operator=(const ZmqTransport&) = delete;

  /// Takes callers at `address`; answers with the address taken. At most once. With keys, it has
  /// been tried that a stranger is refused there; else it is an Error.
  base::Result<std::string> bind(const ListenAddress& address);
  void dial(const Dial& dial);
  void transmit(const Transmit& transmit);
  void hang_up(const HangUp& hang_up);

  /// Waits until something has come, `timeout` has passed or `wake` was called; tells what has
  /// come, of each connection in order.
  std::vector<LinkMachineEvent> wait(base::Duration timeout);
  /// From any thread: ends the wait that is in progress, or else the next one.
  void wake() { ready_.wake(); }
  /// What the listening socket says of itself, read from it; -1 where it has none of that. For
  /// tests.
  std::int64_t listening_option(int option) const;
  /// For tests of what happens when nobody can say any more who is known.
  void lose_handler();
  /// Closes all connections; what was transmitted before still leaves, if it can at once. Nothing
  /// but `wake` may be called afterwards.
  void close();

 private:
  struct Backlog {
    std::deque<base::Bytes> frames;
    std::size_t bytes{0};
  };

  /// A connection that we have dialled.
  struct Dialled {
    Socket dealer;
    Socket monitor;
    bool connected{false};
  };

  /// The other end of an accepted connection, by which it is found again to be cut.
  struct Accepted {
    int fd{-1};
    sockaddr_storage peer{};
  };

  enum class Sent : std::uint8_t { yes, later, never };

  Socket make_socket(int type);
  bool open_dealer(Dialled& dialled, const Dial& dial);
  void forget(ChannelId channel, Dialled& dialled);
  Sent send_now(ChannelId channel, const base::Bytes& frame);
  Sent send_on(void* socket, const base::Bytes& frame);
  void retry_backlogs();
  bool retry(ChannelId channel, Backlog& backlog);
  void read(ReadySockets::Key key);
  void read_router();
  void read_dealer(ChannelId channel, Dialled& dialled);
  void read_monitor(ChannelId channel, Dialled& dialled);
  void take(ChannelId channel, Message& message, bool more);
  base::CallerPtr caller_of(ChannelId channel, const Frame& frame, Message& message);
  void cut(ChannelId channel);
  void broken(ChannelId channel, DownReason reason);

  LinkOptions options_;
  std::optional<LinkKeys> keys_;
  ReadySockets ready_;
  Context context_;
  std::unique_ptr<ZapHandler> zap_;  ///< of the context: ends before it
  Socket router_;
  std::map<ChannelId, Dialled> dialled_;
  std::map<ChannelId, Backlog> backlogs_;
  std::map<ChannelId, Accepted> accepted_;  ///< those that said hello, with keys
  std::uint64_t last_monitor_{0};
  std::vector<LinkMachineEvent> events_;
};

}  // namespace fastgpu::link
