#include "client/connection.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/process/credentials.hpp"
#include "tests/support/process/process.hpp"

namespace fastgpu::client {
namespace {

// A program that gives up on a submit must not take it for one that surely was not done.
TEST(Connection, SaysUnknownOfWhatIsOpenWhenItIsClosed) {
  const testing::TemporaryFolder folder;
  testing::use_credentials_of_nobody("127.0.0.1:1", folder.file("client.toml"));
  auto connection = Connection::open({{"127.0.0.1:1"}, "test"}).value();
  std::future<Reply> reply = connection->start(protocol::Submit{}, in(std::chrono::minutes(1)));
  connection.reset();
  const auto accepted = Connection::expect<protocol::Accepted>(reply.get());
  ASSERT_FALSE(accepted.ok());
  EXPECT_EQ(accepted.error().kind, base::ErrorKind::unknown);
}

}  // namespace
}  // namespace fastgpu::client
