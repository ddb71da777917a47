#include "runtime/link/reserved_ports.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "runtime/link/zmq_link.hpp"
#include "tests/unit/link/link_worlds.hpp"

namespace fastgpu::link::testing {
namespace {

std::string address_of(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

TEST(ReservedPorts, AreAllDifferent) {
  const auto some = ReservedPorts::take(20);
  const auto more = ReservedPorts::take(20);
  ASSERT_TRUE(some.ok() && more.ok());
  std::set<std::uint16_t> all(some.value().ports().begin(), some.value().ports().end());
  all.insert(more.value().ports().begin(), more.value().ports().end());
  EXPECT_EQ(all.size(), 40u);
}

TEST(ReservedPorts, LetOneLifeAfterTheOtherListen) {
  const auto reserved = ReservedPorts::take(1);
  ASSERT_TRUE(reserved.ok());
  const std::string address = address_of(reserved.value().ports().front());
  for (std::uint64_t incarnation = 1; incarnation <= 3; ++incarnation) {
    ZmqLink link(node_options(1, incarnation), real_now, ZmqLink::Keyless::in_the_clear);
    link.start([](const LinkEvent&) {});
    const auto listens = link.listen(address);
    EXPECT_TRUE(listens.ok()) << listens.error().message;
    link.stop();
  }
}

TEST(ReservedPorts, GiveWayToNoSecondListener) {
  const auto reserved = ReservedPorts::take(1);
  ASSERT_TRUE(reserved.ok());
  const std::string address = address_of(reserved.value().ports().front());
  ZmqLink first(node_options(1), real_now, ZmqLink::Keyless::in_the_clear);
  first.start([](const LinkEvent&) {});
  ASSERT_TRUE(first.listen(address).ok());
  ZmqLink second(node_options(2), real_now, ZmqLink::Keyless::in_the_clear);
  second.start([](const LinkEvent&) {});
  EXPECT_FALSE(second.listen(address).ok());
  first.stop();
  second.stop();
}

}  // namespace
}  // namespace fastgpu::link::testing
