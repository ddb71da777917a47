#include "tests/chaos/proxy.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/link/reserved_ports.hpp"

namespace fastgpu::chaos {
namespace {

constexpr int patience_ms = 30'000;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void send_text(int fd, const std::string& text) {
  EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

/// So many bytes, waited for; fewer if the connection ends.
std::string receive(int fd, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    char buffer[4096];
    pollfd ready{fd, POLLIN, 0};
    const ssize_t got = ::poll(&ready, 1, patience_ms) == 1
                            ? ::recv(fd, buffer, std::min(sizeof buffer, size - text.size()), 0)
                            : -1;
    if (got <= 0) {
      break;
    }
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

bool has_something(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

/// Two rooms; a server in room 1, and a connection to it from room 0.
class ProxyOfTwoRooms : public ::testing::Test {
 protected:
  void SetUp() override {
    base::Result<Rooms> rooms = Rooms::make(2);
    if (!rooms.ok()) {
      GTEST_SKIP() << rooms.error().message << ": " << rooms.error().hint;
    }
    rooms_ = std::move(rooms).value();
    ports_ = std::move(link::ReservedPorts::take(2)).value();
    proxy_ = std::move(Proxy::start(rooms_, ports_.ports())).value();
    const Rooms::Inside inside(rooms_, 1);
    server_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(ports_.ports()[1]);
    ASSERT_EQ(::bind(server_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(server_, 8), 0);
  }
  void TearDown() override {
    for (const int fd : {server_, here_, there_}) {
      if (fd >= 0) {
        ::close(fd);
      }
    }
  }
  void dial(int from = 0) {
    std::optional<Rooms::Inside> inside;
    if (from != outside) {
      inside.emplace(rooms_, from);
    }
    here_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(ports_.ports()[1]);
    ASSERT_EQ(::connect(here_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  void accept() {
    there_ = ::accept4(server_, nullptr, nullptr, SOCK_CLOEXEC);
    ASSERT_GE(there_, 0);
  }

  Rooms rooms_;
  link::ReservedPorts ports_;
  std::unique_ptr<Proxy> proxy_;
  int server_{-1};
  int here_{-1};
  int there_{-1};
};

TEST_F(ProxyOfTwoRooms, CarriesBothWaysAndFromOutside) {
  for (const int from : {0, outside}) {
    dial(from);
    accept();
    send_text(here_, "question");
    EXPECT_EQ(receive(there_, 8), "question");
    send_text(there_, "answer");
    EXPECT_EQ(receive(here_, 6), "answer");
    ::close(here_);
    EXPECT_EQ(receive(there_, 1), "") << "an end is carried, too";
    ::close(there_);
  }
  here_ = there_ = -1;
}

TEST_F(ProxyOfTwoRooms, HoldsOneDirectionBackAndLosesNothing) {
  dial();
  accept();
  proxy_->set(0, 1, {.held = true});
  send_text(here_, "late");
  send_text(there_, "now");
  EXPECT_EQ(receive(here_, 3), "now");  // so the carrier has looked at all there was
  EXPECT_FALSE(has_something(there_));
  proxy_->open_all();
  EXPECT_EQ(receive(there_, 4), "late");
}

TEST_F(ProxyOfTwoRooms, CutsAmidAMessage) {
  dial();
  accept();
  proxy_->set(0, 1, {.held = true, .passes_bytes = 3});
  send_text(here_, "message");
  EXPECT_EQ(receive(there_, 3), "mes");
  send_text(there_, "now");
  EXPECT_EQ(receive(here_, 3), "now");
  EXPECT_FALSE(has_something(there_));
  proxy_->open_all();
  EXPECT_EQ(receive(there_, 4), "sage");
}

TEST_F(ProxyOfTwoRooms, LetsNobodyInWhileItIsCut) {
  proxy_->set(1, 0, {.held = true});
  dial();
  send_text(here_, "x");
  EXPECT_FALSE(has_something(server_));
  proxy_->open_all();
  accept();
  EXPECT_EQ(receive(there_, 1), "x");
}

TEST_F(ProxyOfTwoRooms, IsLateByAsMuchAsItIsTold) {
  dial();
  accept();
  proxy_->set(0, 1, {.delay_ms = 40});
  const auto start = std::chrono::steady_clock::now();
  send_text(here_, "x");
  EXPECT_EQ(receive(there_, 1), "x");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(40));
}

TEST_F(ProxyOfTwoRooms, BreaksConnectionsOff) {
  dial();
  accept();
  send_text(here_, "x");
  EXPECT_EQ(receive(there_, 1), "x");
  proxy_->reset(1);
  EXPECT_EQ(receive(there_, 1), "");
  EXPECT_EQ(receive(here_, 1), "");
}

TEST_F(ProxyOfTwoRooms, TurnsADiallerAwayWhereNobodyListens) {
  ::close(server_);
  server_ = -1;
  dial();
  EXPECT_EQ(receive(here_, 1), "");
}

}  // namespace
}  // namespace fastgpu::chaos
