/// What only the real twin can show of keys: ZeroMQ's own options and handshake, plain sockets,
/// replayed bytes, half-open connections.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/link/zmq_transport.hpp"
#include "tests/unit/link/keyed_worlds.hpp"

namespace fastgpu::link::testing {
namespace {

constexpr const char* any_port = "127.0.0.1:0";
constexpr std::chrono::seconds patience{30};

std::uint16_t port_of(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

/// A TCP connection to `address`; -1: none.
int tcp_to(const std::string& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(port_of(address));
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof(there)) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

/// Whether the other side ends the connection before `patience` has passed.
bool is_ended(int fd) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::array<char, 4096> heard{};
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd item{fd, POLLIN, 0};
    if (poll(&item, 1, 1000) > 0 && recv(fd, heard.data(), heard.size(), MSG_DONTWAIT) <= 0) {
      return true;
    }
  }
  return false;
}

TEST(ZmqKeys, SetsEveryLimitOnTheListeningSocket) {
  Keys keys;
  LinkOptions options = node_options(1);
  ZmqTransport transport(options, keys.for_link(keys.of_node(1), true));
  ASSERT_TRUE(transport.bind({"127.0.0.1", 0}).ok());
  EXPECT_EQ(transport.listening_option(ZMQ_MECHANISM), ZMQ_CURVE);
  EXPECT_EQ(transport.listening_option(ZMQ_CURVE_SERVER), 1);
  EXPECT_EQ(transport.listening_option(93), 1) << "ZMQ_ZAP_ENFORCE_DOMAIN";
  EXPECT_EQ(transport.listening_option(ZMQ_MAXMSGSIZE),
            static_cast<std::int64_t>(options.frame_bytes_max) + 64);
  EXPECT_GE(transport.listening_option(ZMQ_HANDSHAKE_IVL), 2000);
  EXPECT_LE(transport.listening_option(ZMQ_HANDSHAKE_IVL), 5000);
  EXPECT_EQ(transport.listening_option(ZMQ_BACKLOG), 1024);
  EXPECT_EQ(transport.listening_option(ZMQ_SNDHWM), 10'000);
  EXPECT_EQ(transport.listening_option(ZMQ_RCVHWM), 10'000);
  EXPECT_EQ(transport.listening_option(ZMQ_HEARTBEAT_IVL), 500);
  EXPECT_EQ(transport.listening_option(ZMQ_HEARTBEAT_TIMEOUT), 2000);
  EXPECT_EQ(transport.listening_option(ZMQ_LINGER), 50);
  transport.close();
}

TEST(ZmqKeys, RefusesToListenWhereAStrangerWouldBeLetIn) {
  const security::KeyPair pair = security::KeyPair::generate();
  LinkKeys keys{pair.public_key(), pair.secret_key(), [](std::string_view key) {
                  return std::make_shared<const base::Caller>(
                      base::Caller{base::CallerKind::client, {}, "anybody", std::string(key)});
                }};
  ZmqLink link(node_options(1), real_now, keys);
  link.start([](const LinkEvent&) {});
  const auto taken = link.listen(any_port);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, base::ErrorCode::listen_refused);
  EXPECT_NE(taken.error().message.find("stranger"), std::string::npos) << taken.error().message;
}

TEST(ZmqKeys, RefusesACallerWhenAskingWhoItIsFails) {
  Keys keys;
  const security::KeyPair& pair = keys.of_node(1);
  LinkKeys failing{pair.public_key(), pair.secret_key(),
                   [](std::string_view) -> base::CallerPtr { throw std::bad_alloc(); }};
  ZmqLink a(node_options(1), real_now, failing);
  a.start([](const LinkEvent&) {});
  const auto taken = a.listen(any_port);
  ASSERT_TRUE(taken.ok());
  Record heard;
  ZmqLink client(client_options(), real_now, keys.for_link(keys.of_client(), false));
  client.start([&](LinkEvent event) { heard.add(std::move(event)); });
  client.connect(dialled_endpoint(1), taken.value(), pair.public_key());
  ASSERT_TRUE(heard.wait([&] { return heard.count<PeerDown>() == 1; }, patience));
  EXPECT_EQ(heard.all<PeerDown>().front().reason, DownReason::denied);
}

TEST(ZmqKeys, LetsNobodyInOnceTheHandlerIsGone) {
  Keys keys;
  ZmqTransport transport(node_options(1), keys.for_link(keys.of_node(1), true));
  const auto taken = transport.bind({"127.0.0.1", 0});
  ASSERT_TRUE(taken.ok());
  transport.lose_handler();
  Record heard;
  ZmqLink client(client_options(), real_now, keys.for_link(keys.of_client(), false));
  client.start([&](LinkEvent event) { heard.add(std::move(event)); });
  client.connect(dialled_endpoint(1), taken.value(), keys.of_node(1).public_key());
  ASSERT_TRUE(heard.wait([&] { return heard.count<PeerDown>() == 1; }, patience));
  EXPECT_EQ(heard.count<PeerUp>(), 0u);
  EXPECT_TRUE(transport.wait({}).empty()) << "nothing of it has arrived";
  transport.close();
}

TEST(ZmqKeys, SpeaksInTheClearWithNobody) {
  Keyed<RealWorld> world;
  Life a = begin_life(world, node_options(1), any_port);
  Record heard;
  ZmqLink plain(client_options(), real_now);
  plain.start([&](LinkEvent event) { heard.add(std::move(event)); });
  plain.connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(heard.wait([&] { return heard.count<PeerDown>() == 1; }, patience));
  EXPECT_EQ(heard.count<PeerUp>(), 0u);
  EXPECT_TRUE(a.record->events().empty());
}

/// Carries one connection to `to`, and keeps what the caller said.
class Recorder {
 public:
  explicit Recorder(std::string to) : to_(std::move(to)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof(here);
    FASTGPU_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof(here)) == 0 &&
                      listen(listener_, 8) == 0 &&
                      getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &bytes) == 0,
                  "a free port");
    address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    thread_ = std::thread([this] { carry(); });
  }
  ~Recorder() {
    finish();
    close(listener_);
  }
  const std::string& address() const { return address_; }
  std::vector<char> finish() {
    done_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
    return said_;
  }

 private:
  void carry() {
    const int caller = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int there = tcp_to(to_);
    std::array<char, 65536> piece{};
    while (!done_) {
      std::array<pollfd, 2> items{{{caller, POLLIN, 0}, {there, POLLIN, 0}}};
      poll(items.data(), items.size(), 20);
      if (items[0].revents != 0) {
        const ssize_t got = recv(caller, piece.data(), piece.size(), MSG_DONTWAIT);
        if (got <= 0 || send(there, piece.data(), std::size_t(got), MSG_NOSIGNAL) != got) {
          break;
        }
        said_.insert(said_.end(), piece.data(), piece.data() + got);
      }
      if (items[1].revents != 0) {
        const ssize_t got = recv(there, piece.data(), piece.size(), MSG_DONTWAIT);
        if (got <= 0 || send(caller, piece.data(), std::size_t(got), MSG_NOSIGNAL) != got) {
          break;
        }
      }
    }
    close(caller);
    close(there);
  }

  std::string to_;
  std::string address_;
  int listener_{-1};
  std::atomic<bool> done_{false};
  std::vector<char> said_;
  std::thread thread_;
};

TEST(ZmqKeys, TakesNothingFromAReplayedConnection) {
  Keyed<RealWorld> world;
  Life a = begin_life(world, node_options(1), any_port);
  Life b = begin_life(world, node_options(2), any_port);
  Recorder recorder(a.address);
  const std::string key_of_a = world.keys().of_node(1).public_key();
  b.link->connect(peer_endpoint({1}), recorder.address(), key_of_a);
  ASSERT_TRUE(b.record->wait([&] { return b.record->count<PeerUp>() == 1; }, patience));
  const std::string secret = "not to be read on the way";
  b.link->send(peer_endpoint({1}), b.frame(secret));
  ASSERT_TRUE(a.record->wait([&] { return a.record->count<FrameReceived>() == 1; }, patience));
  const std::vector<char> said = recorder.finish();
  EXPECT_EQ(std::string(said.begin(), said.end()).find(secret), std::string::npos);

  const LinkCounters before = a.link->counters();
  const int replay = tcp_to(a.address);
  ASSERT_GE(replay, 0);
  ASSERT_EQ(send(replay, said.data(), said.size(), MSG_NOSIGNAL), ssize_t(said.size()));
  EXPECT_TRUE(is_ended(replay)) << "the handshake fails, so nothing of it is taken";
  close(replay);
  EXPECT_EQ(a.record->count<FrameReceived>(), 1u);
  EXPECT_EQ(a.link->counters().control_received, before.control_received);
}

/// In a process of its own, as it lowers the limit of its descriptors: what the flood did there.
int flooded(int report_to) {
  Keyed<RealWorld> world;
  Life a = begin_life(world, node_options(1), any_port);
  Life b = begin_life(world, node_options(2), any_port);
  b.link->connect(peer_endpoint({1}), a.address);
  Life client = begin_life(world, client_options(), "");
  if (!b.record->wait([&] { return b.record->count<PeerUp>() == 1; }, patience)) {
    return 1;
  }
  FASTGPU_CHECK(write(report_to, a.address.data(), a.address.size()) > 0, "the parent listens");
  const rlimit few{100, 100};
  setrlimit(RLIMIT_NOFILE, &few);
  // The parent floods until it closes its end of the pipe; what was open before goes on meanwhile.
  char end = 0;
  if (read(STDIN_FILENO, &end, 1) < 0) {
    return 2;
  }
  b.link->send(peer_endpoint({1}), b.frame("through the flood"));
  if (!a.record->wait([&] { return a.record->count<FrameReceived>() == 1; }, patience)) {
    return 3;
  }
  // Half-open connections are ended after the handshake's limit, so a new caller comes in.
  client.link->connect(dialled_endpoint(1), a.address);
  return client.record->wait([&] { return client.record->count<PeerUp>() == 1; }, patience) ? 0 : 4;
}

TEST(ZmqKeys, OutlivesAFloodOfHalfOpenConnections) {
  int address_pipe[2];
  int end_pipe[2];
  ASSERT_EQ(pipe(address_pipe), 0);
  ASSERT_EQ(pipe(end_pipe), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    dup2(end_pipe[0], STDIN_FILENO);
    close(end_pipe[1]);
    _exit(flooded(address_pipe[1]));
  }
  std::array<char, 64> address{};
  ASSERT_GT(read(address_pipe[0], address.data(), address.size() - 1), 0);
  std::vector<int> flood;
  for (int i = 0; i < 200; ++i) {
    flood.push_back(tcp_to(address.data()));
  }
  close(end_pipe[0]);
  close(end_pipe[1]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the step of flooded() that failed";
  for (const int fd : flood) {
    close(fd);
  }
  close(address_pipe[0]);
  close(address_pipe[1]);
}

}  // namespace
}  // namespace fastgpu::link::testing
