#include "runtime/link/ready_sockets.hpp"

#include <gmock/gmock.h>
#include <zmq.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "runtime/link/zmq_socket.hpp"

namespace fastgpu::link::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr ReadySockets::Key here_key = 7;
constexpr std::chrono::milliseconds endless{30'000};

/// The wait ends long before its time.
std::vector<ReadySockets::Key> wait_shortly(ReadySockets& ready) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<ReadySockets::Key> keys = ready.wait(endless);
  EXPECT_LT(std::chrono::steady_clock::now() - start, endless / 2);
  return keys;
}

/// Two ends of one connection inside this process; ours is waited for.
struct Pair {
  Context context{zmq_ctx_new()};
  Socket here{zmq_socket(context.get(), ZMQ_PAIR)};
  Socket there{zmq_socket(context.get(), ZMQ_PAIR)};

  Pair() {
    EXPECT_EQ(zmq_bind(here.get(), "inproc://pair"), 0);
    EXPECT_EQ(zmq_connect(there.get(), "inproc://pair"), 0);
  }
  static void say(const Socket& socket, const std::string& text) {
    EXPECT_EQ(zmq_send(socket.get(), text.data(), text.size(), ZMQ_DONTWAIT),
              static_cast<int>(text.size()));
  }
  /// All that can be read at our end now.
  std::vector<std::string> read() const {
    std::vector<std::string> texts;
    for (Message message; message.receive(here.get());) {
      texts.emplace_back(message.text());
    }
    return texts;
  }
};

struct ReadySocketsTest : ::testing::Test {
  Pair pair;
  ReadySockets ready;

  void SetUp() override {
    ASSERT_TRUE(ready.add(here_key, pair.here.get()));
    EXPECT_THAT(ready.take_unsure(), ElementsAre(here_key)) << "what came before it was waited for";
    EXPECT_THAT(pair.read(), IsEmpty());
  }
};

TEST_F(ReadySocketsTest, ASocketToWhichSomethingCameIsTold) {
  Pair::say(pair.there, "one");
  EXPECT_THAT(wait_shortly(ready), ElementsAre(here_key));
  EXPECT_THAT(pair.read(), ElementsAre("one"));
  EXPECT_THAT(ready.wait(0ms), IsEmpty()) << "and told once, when it was read to its end";
}

TEST_F(ReadySocketsTest, WhatACallOnTheSocketHidFromItsDescriptorIsFoundAsUnsure) {
  Pair::say(pair.there, "one");
  int events = 0;
  std::size_t bytes = sizeof(events);
  ASSERT_EQ(zmq_getsockopt(pair.here.get(), ZMQ_EVENTS, &events, &bytes), 0);
  ASSERT_THAT(ready.wait(0ms), IsEmpty()) << "the call has taken the sign away";
  ready.unsure(here_key);
  EXPECT_THAT(wait_shortly(ready), IsEmpty()) << "does not wait while one is unsure";
  EXPECT_THAT(ready.take_unsure(), ElementsAre(here_key));
  EXPECT_THAT(pair.read(), ElementsAre("one"));
}

TEST_F(ReadySocketsTest, ARemovedSocketIsToldNoMore) {
  Pair::say(pair.there, "one");
  ready.unsure(here_key);
  ready.remove(here_key, pair.here.get());
  EXPECT_THAT(ready.take_unsure(), IsEmpty());
  EXPECT_THAT(ready.wait(0ms), IsEmpty());
}

TEST_F(ReadySocketsTest, AWakeEndsTheWaitInProgressOrTheNextOne) {
  ready.wake();
  EXPECT_THAT(wait_shortly(ready), IsEmpty()) << "the next one";
  std::thread waker([this] { ready.wake(); });
  EXPECT_THAT(wait_shortly(ready), IsEmpty()) << "the one in progress, or else the next";
  waker.join();
  EXPECT_THAT(ready.wait(0ms), IsEmpty());
}

}  // namespace
}  // namespace fastgpu::link::testing
