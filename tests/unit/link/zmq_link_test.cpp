/// What only the real twin can show: killed and frozen processes, and hostile bytes on a socket.

#include "runtime/link/zmq_link.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "runtime/link/control.hpp"
#include "tests/unit/link/link_worlds.hpp"

namespace fastgpu::link::testing {
namespace {

constexpr const char* any_port = "127.0.0.1:0";

/// A node in a process of its own: dials node 1 and waits to be killed.
class NodeProcess {
 public:
  NodeProcess(std::uint64_t incarnation, const std::string& listen_at) {
    int ends[2];
    FASTGPU_CHECK(pipe(ends) == 0, "a pipe");
    FASTGPU_CHECK(pipe(dial_) == 0, "a pipe");
    pid_ = fork();
    FASTGPU_CHECK(pid_ >= 0, "a process");
    if (pid_ == 0) {
      be_the_node(incarnation, listen_at, ends[1]);
    }
    char address[64] = {};
    FASTGPU_CHECK(read(ends[0], address, sizeof(address) - 1) > 0, "the child listens");
    address_ = address;
    close(ends[0]);
    close(ends[1]);
  }
  ~NodeProcess() {
    end(SIGKILL);
    close(dial_[0]);
    close(dial_[1]);
  }
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  const std::string& address() const { return address_; }
  void dial(const std::string& address) {
    FASTGPU_CHECK(write(dial_[1], address.data(), address.size()) > 0, "the child can be told");
  }
  void signal(int number) { kill(pid_, number); }
  void end(int number) {
    if (pid_ > 0) {
      kill(pid_, number);
      waitpid(pid_, nullptr, 0);
      pid_ = 0;
    }
  }

 private:
  [[noreturn]] void be_the_node(std::uint64_t incarnation, const std::string& listen_at,
                                int address_to) {
    ZmqLink link(node_options(2, incarnation), real_now, ZmqLink::Keyless::in_the_clear);
    link.start([](const LinkEvent&) {});
    const auto taken = link.listen(listen_at);
    const std::string address = taken.ok() ? taken.value() : "";
    if (address.empty() || write(address_to, address.data(), address.size()) < 0) {
      _exit(1);
    }
    char dial[64] = {};
    if (read(dial_[0], dial, sizeof(dial) - 1) > 0) {
      link.connect(peer_endpoint({1}), dial);
    }
    for (;;) {
      pause();
    }
  }

  pid_t pid_{0};
  int dial_[2]{-1, -1};
  std::string address_;
};

template <class Kind>
bool wait_for(Life& life, std::size_t count) {
  return life.record->wait([&] { return life.record->count<Kind>() >= count; },
                           std::chrono::seconds(30));
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

TEST(ZmqLink, NoticesAKilledProcessAndItsNextLife) {
  NodeProcess first(1, any_port);  // made before any thread of ours
  NodeProcess standby(2, any_port);
  RealWorld world;
  Life a = begin_life(world, node_options(1), any_port);
  a.link->connect(peer_endpoint({2}), first.address());
  ASSERT_TRUE(wait_for<PeerUp>(a, 1));

  auto start = std::chrono::steady_clock::now();
  first.end(SIGKILL);
  ASSERT_TRUE(wait_for<PeerDown>(a, 1));
  RecordProperty("down_ms", std::to_string(milliseconds_since(start)));
  EXPECT_EQ(a.record->all<PeerDown>().front().reason, DownReason::reset);

  start = std::chrono::steady_clock::now();
  standby.dial(a.address);
  a.link->connect(peer_endpoint({2}), standby.address());
  ASSERT_TRUE(wait_for<PeerUp>(a, 2));
  RecordProperty("up_ms", std::to_string(milliseconds_since(start)));
  EXPECT_EQ(a.record->all<PeerUp>().back().incarnation, base::Incarnation{2});
}

TEST(ZmqLink, NoticesAFrozenProcess) {
  NodeProcess other(1, any_port);
  RealWorld world;
  LinkOptions options = node_options(1);
  options.silent_after = std::chrono::milliseconds(300);
  options.alive_interval = std::chrono::milliseconds(50);
  Life a = begin_life(world, options, any_port);
  a.link->connect(peer_endpoint({2}), other.address());
  ASSERT_TRUE(wait_for<PeerUp>(a, 1));
  other.signal(SIGSTOP);
  ASSERT_TRUE(wait_for<PeerDown>(a, 1));
  EXPECT_EQ(a.record->all<PeerDown>().front().reason, DownReason::silent);
  other.signal(SIGCONT);
  EXPECT_TRUE(wait_for<PeerUp>(a, 2));
}

/// A socket that says what it likes.
class Stranger {
 public:
  explicit Stranger(const std::string& address, const std::string& routing_id = "") {
    const int linger = 0;
    const int patience_ms = 20'000;
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger, sizeof(linger));
    zmq_setsockopt(socket_, ZMQ_RCVTIMEO, &patience_ms, sizeof(patience_ms));
    if (!routing_id.empty()) {
      zmq_setsockopt(socket_, ZMQ_ROUTING_ID, routing_id.data(), routing_id.size());
    }
    FASTGPU_CHECK(zmq_connect(socket_, ("tcp://" + address).c_str()) == 0, "the link listens");
  }
  ~Stranger() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  void say(std::span<const std::uint8_t> data, bool more = false) {
    zmq_send(socket_, data.data(), data.size(), more ? ZMQ_SNDMORE : 0);
  }
  void say(const base::Bytes& data, bool more = false) { say(data.span(), more); }
  void say_hello() {
    const Control hello{ControlType::hello, DownReason::closed, 0, 1u << 20};
    say(encode(header_from(client_options().identity, FrameKind::control), encode_control(hello)));
  }
  /// The next control frame; nullopt when none comes.
  std::optional<Control> hear() {
    std::vector<std::uint8_t> data(1u << 20);
    const int bytes = zmq_recv(socket_, data.data(), data.size(), 0);
    if (bytes < 0) {
      return std::nullopt;
    }
    data.resize(static_cast<std::size_t>(bytes));
    const auto frame = decode(data);
    return frame.ok() ? decode_control(frame.value().body.span()) : std::nullopt;
  }

 private:
  void* context_ = zmq_ctx_new();
  void* socket_ = zmq_socket(context_, ZMQ_DEALER);
};

base::Bytes request(const std::string& text) {
  return encode(header_from(client_options().identity, FrameKind::client_request),
                base::Bytes::copy_of(text).span());
}

TEST(ZmqLink, CountsAndDropsHostileBytes) {
  RealWorld world;
  Life a = begin_life(world, node_options(1), any_port);
  Stranger stranger(a.address);
  const base::Bytes good = request("good");
  std::vector<std::uint8_t> damaged(good.span().begin(), good.span().end());
  damaged.back() ^= 1;
  stranger.say(base::Bytes::copy_of("junk"));
  stranger.say(base::Bytes());
  stranger.say(damaged);
  stranger.say(base::Bytes(std::vector<std::uint8_t>(1000, 0)));
  stranger.say(good, true);  // in two parts
  stranger.say(good);
  stranger.say_hello();
  ASSERT_EQ(stranger.hear().value().type, ControlType::welcome);
  stranger.say(good);
  ASSERT_TRUE(wait_for<FrameReceived>(a, 1));
  EXPECT_EQ(a.texts(), std::vector<std::string>{"good"});
  const LinkCounters counters = a.link->counters();
  EXPECT_EQ(counters.dropped_truncated, 2u);
  EXPECT_EQ(counters.dropped_crc, 1u);
  EXPECT_EQ(counters.dropped_magic, 1u);
  EXPECT_EQ(counters.dropped_length, 1u);
}

TEST(ZmqLink, AnswersAStrangerWithoutHelloByBye) {
  RealWorld world;
  Life a = begin_life(world, node_options(1), any_port);
  Stranger stranger(a.address);
  stranger.say(request("early"));
  EXPECT_EQ(stranger.hear().value().type, ControlType::bye);
  EXPECT_EQ(a.link->counters().dropped_no_hello, 1u);
  EXPECT_TRUE(a.texts().empty());
}

TEST(ZmqLink, NeverTakesInWhatIsOverTheLimit) {
  RealWorld world;
  LinkOptions options = node_options(1);
  options.frame_bytes_max = 10'000;
  Life a = begin_life(world, options, any_port);
  {
    Stranger stranger(a.address);
    stranger.say_hello();
    ASSERT_EQ(stranger.hear().value().type, ControlType::welcome);
    stranger.say(request(std::string(20'000, 'x')));
    ASSERT_TRUE(wait_for<SessionClosed>(a, 1)) << "its connection is ended";
  }
  Stranger another(a.address);
  another.say_hello();
  ASSERT_EQ(another.hear().value().type, ControlType::welcome);
  another.say(request(std::string(9'000, 'y')));
  ASSERT_TRUE(wait_for<FrameReceived>(a, 1));
  EXPECT_EQ(a.texts().front().front(), 'y');
}

TEST(ZmqLink, IgnoresWhoNamesHisOwnRoute) {
  RealWorld world;
  Life a = begin_life(world, node_options(1), any_port);
  Stranger named(a.address, "I am node 2");
  named.say_hello();
  Stranger unnamed(a.address);
  unnamed.say_hello();
  ASSERT_EQ(unnamed.hear().value().type, ControlType::welcome);
  // The two connections are not ordered: go on until the other one has been heard.
  for (std::size_t count = 1; a.link->counters().dropped_magic == 0 && count < 10'000; ++count) {
    unnamed.say(request("tick"));
    ASSERT_TRUE(wait_for<FrameReceived>(a, count));
  }
  EXPECT_EQ(a.link->counters().dropped_magic, 1u);
  ASSERT_TRUE(wait_for<SessionOpened>(a, 1));
  EXPECT_EQ(a.record->all<SessionOpened>().size(), 1u);
}

TEST(ZmqLink, SpeaksOverTheLoopbackOfSixWhereThereIsOne) {
  RealWorld world;
  Life a = begin_life(world, node_options(1), "");
  const auto taken = a.link->listen("[::1]:0");
  if (!taken.ok()) {
    GTEST_SKIP() << "this host has no IPv6: " << taken.error().message;
  }
  Life b = begin_life(world, node_options(2), any_port);
  b.link->connect(peer_endpoint({1}), taken.value());
  EXPECT_TRUE(wait_for<PeerUp>(b, 1)) << taken.value();
}

TEST(ZmqLink, TakesFramesFromManyThreads) {
  RealWorld world;
  Life a = begin_life(world, node_options(1), any_port);
  Life b = begin_life(world, node_options(2), any_port);
  a.link->connect(peer_endpoint({2}), b.address);
  ASSERT_TRUE(wait_for<PeerUp>(a, 1));
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&a, sender] {
      for (int i = 0; i < 1000; ++i) {
        const std::string text = std::to_string(sender) + " " + std::to_string(i);
        EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame(text)), SendResult::queued);
      }
    });
  }
  for (std::thread& sender : senders) {
    sender.join();
  }
  ASSERT_TRUE(wait_for<FrameReceived>(b, 4000));
  std::vector<int> next(4, 0);
  for (const std::string& text : b.texts()) {
    const int sender = std::stoi(text);
    EXPECT_EQ(text, std::to_string(sender) + " " + std::to_string(next[std::size_t(sender)]++));
  }
}

TEST(ZmqLink, LetsTheSinkAnswerAtOnce) {
  RealWorld world;
  Life a = begin_life(world, node_options(1), any_port);
  Record heard;
  LinkOptions options = client_options();
  ZmqLink client(options, real_now, ZmqLink::Keyless::in_the_clear);
  int left = 100;
  const base::Bytes ping = request("ping");
  client.start([&](LinkEvent event) {
    const bool speaks =
        std::holds_alternative<PeerUp>(event) || std::holds_alternative<FrameReceived>(event);
    if (speaks && left-- > 0) {
      client.send(dialled_endpoint(1), ping);
    }
    heard.add(std::move(event));
  });
  client.connect(dialled_endpoint(1), a.address);
  std::size_t answered = 0;
  ASSERT_TRUE(a.record->wait(
      [&] {
        const auto asked = a.record->all<FrameReceived>();
        for (; answered < asked.size(); ++answered) {
          a.link->send(asked[answered].from, a.frame("pong", FrameKind::client_reply));
        }
        return answered == 100;
      },
      std::chrono::seconds(30)));
  EXPECT_TRUE(
      heard.wait([&] { return heard.count<FrameReceived>() == 100; }, std::chrono::seconds(30)));
}

}  // namespace
}  // namespace fastgpu::link::testing
