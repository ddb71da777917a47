#include "runtime/link/address.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fastgpu::link {
namespace {

TEST(ListenAddress, TakesTheLoopback) {
  for (const std::string& text :
       std::vector<std::string>{"127.0.0.1:7601", "127.8.9.10:1", "[::1]:65535", "127.0.0.1:0"}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(to_string(parsed.value()), text);
  }
}

TEST(ListenAddress, WritesTheLoopbackOfSixInOneWay) {
  const auto parsed = parse_listen_address("[0:0::1]:80");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value(), (ListenAddress{"[::1]", 80}));
}

TEST(ListenAddress, RefusesWhatOthersCanReach) {
  for (const char* text : {"0.0.0.0:7601", "128.0.0.1:7601", "10.0.0.1:1", "[::]:1", "[fe80::1]:1",
                           "[::ffff:127.0.0.1]:1", "*:7601", "localhost:7601"}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::listen_refused) << text;
    EXPECT_NE(parsed.error().hint.find("127.0.0.1:7601"), std::string::npos) << text;
  }
}

TEST(ListenAddress, RefusesWhatIsNoAddress) {
  for (const char* text : {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "127.0.0.1:8x", "[::1:80", "::1:80", "[]:80"}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::bad_argument) << text;
  }
  const std::string hidden("127.0.0.1\0.evil:80", 18);
  const auto parsed = parse_listen_address(hidden);
  EXPECT_TRUE(!parsed.ok() || parsed.value().host == "127.0.0.1");
}

}  // namespace
}  // namespace fastgpu::link
