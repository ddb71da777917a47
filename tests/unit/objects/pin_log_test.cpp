#include "runtime/objects/pins/pin_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/sha256.hpp"
#include "runtime/objects/memory_folder.hpp"

namespace fastgpu::objects {
namespace {

using testing::ElementsAre;

Pin pin(std::uint64_t object, std::uint64_t job) {
  return {base::sha256(base::Bytes::copy_of(std::to_string(object)).span()),
          owner_of({2}, base::JobId{job})};
}

class PinLogTest : public testing::Test {
 protected:
  static constexpr std::size_t entries_min = 10;
  PinLog open() {
    PinLog log(disk_, entries_min);
    EXPECT_TRUE(log.load(disk_.list().value()).ok());
    return log;
  }
  std::uint64_t bytes_on_disk() const {
    std::uint64_t bytes = 0;
    const auto files = disk_.list();
    for (const FileEntry& file : files.value()) {
      bytes += file.size_bytes;
    }
    return bytes;
  }
  MemoryFolder disk_;
};

TEST_F(PinLogTest, RemembersRequestsAndJobsOverARestart) {
  const Pin of_request{pin(1, 1).hash, owner_of(base::RequestId{{7}, 0xfedcba9876543210, 5})};
  const std::vector<Pin> both{of_request, pin(1, 1)};
  auto log = open();
  ASSERT_TRUE(log.add(both));
  ASSERT_TRUE(log.add(both)) << "pinning again is success";
  const auto next = open();
  EXPECT_TRUE(next.has(of_request));
  EXPECT_TRUE(next.has(pin(1, 1)));
  EXPECT_EQ(next.all().size(), 2u);
  EXPECT_EQ(next.owners().size(), 2u);
}

TEST_F(PinLogTest, KeepsAnObjectPinnedUntilItsLastPinGoes) {
  auto log = open();
  ASSERT_TRUE(log.add(std::vector{pin(1, 1), pin(1, 2), pin(2, 2)}));
  log.drop(std::vector{pin(1, 1)});
  EXPECT_TRUE(log.is_pinned(pin(1, 0).hash));
  log.drop(std::vector{pin(1, 2)});
  EXPECT_FALSE(log.is_pinned(pin(1, 0).hash));
  const auto next = open();
  EXPECT_THAT(next.all(), ElementsAre(pin(2, 2)));
  EXPECT_EQ(next.owners().size(), 1u);
}

TEST_F(PinLogTest, CutsATornEndOffAndGoesOnThere) {
  auto log = open();
  ASSERT_TRUE(log.add(std::vector{pin(1, 1)}));
  const std::uint64_t whole = bytes_on_disk();
  ASSERT_TRUE(disk_.write("pin/log", whole, std::vector<std::uint8_t>(70, 0)));
  auto next = open();
  EXPECT_EQ(bytes_on_disk(), whole);
  ASSERT_TRUE(next.add(std::vector{pin(2, 2)}));
  EXPECT_EQ(open().all().size(), 2u);
}

TEST_F(PinLogTest, IsWrittenAnewWhenMostOfItIsPast) {
  auto log = open();
  ASSERT_TRUE(log.add(std::vector{pin(0, 0)}));
  for (std::uint64_t i = 1; i < 200; ++i) {
    ASSERT_TRUE(log.add(std::vector{pin(i, i)}));
    log.drop(std::vector{pin(i, i)});
  }
  EXPECT_LT(bytes_on_disk(), 2 * entries_min * 70);
  EXPECT_THAT(open().all(), ElementsAre(pin(0, 0)));
  EXPECT_EQ(disk_.list().value().size(), 1u);
}

TEST_F(PinLogTest, RemembersTheHomesOfCopiesAndWhatHasBecomeItsOwn) {
  auto log = open();
  ASSERT_TRUE(log.add(std::vector{pin(1, 1), pin(2, 2)}, {7}));
  ASSERT_TRUE(log.add(std::vector{pin(3, 3)}));
  ASSERT_TRUE(log.add(std::vector{pin(3, 3)}, {7})) << "its own stays its own";
  ASSERT_TRUE(log.add(std::vector{pin(2, 2)})) << "made here as well";
  for (std::uint64_t i = 10; i < 100; ++i) {  // until the log was written anew
    auto next = open();
    EXPECT_EQ(next.all().size(), 3u);
    EXPECT_EQ(next.home_of(pin(1, 1)), base::NodeId{7});
    EXPECT_EQ(next.home_of(pin(2, 2)), base::NodeId{});
    EXPECT_EQ(next.home_of(pin(3, 3)), base::NodeId{});
    ASSERT_TRUE(next.add(std::vector{pin(i, i)}, {8}));
    next.drop(std::vector{pin(i, i)});
    EXPECT_EQ(next.home_of(pin(i, i)), base::NodeId{});
  }
}

TEST_F(PinLogTest, CutsATornCopyOffAndGoesOnThere) {
  auto log = open();
  ASSERT_TRUE(log.add(std::vector{pin(1, 1)}));
  const std::uint64_t whole = bytes_on_disk();
  ASSERT_TRUE(log.add(std::vector{pin(2, 2)}, {7}));
  ASSERT_TRUE(disk_.write("pin/log", bytes_on_disk() - 1, {}));
  auto next = open();
  EXPECT_EQ(bytes_on_disk(), whole);
  EXPECT_EQ(next.all().size(), 1u);
  ASSERT_TRUE(next.add(std::vector{pin(2, 2)}, {7}));
  EXPECT_EQ(open().home_of(pin(2, 2)), base::NodeId{7});
}

TEST_F(PinLogTest, PinsNothingOnAFullDisk) {
  auto log = open();
  ASSERT_TRUE(log.add(std::vector{pin(1, 1)}));
  disk_.set_capacity(bytes_on_disk() + 10);
  EXPECT_FALSE(log.add(std::vector{pin(2, 2)}));
  EXPECT_FALSE(log.has(pin(2, 2)));
  log.drop(std::vector{pin(1, 1)});
  EXPECT_FALSE(log.has(pin(1, 1)));
  disk_.set_capacity(10'000);
  ASSERT_TRUE(log.add(std::vector{pin(2, 2)}));
  EXPECT_TRUE(open().has(pin(2, 2)));
}

}  // namespace
}  // namespace fastgpu::objects
