#include "runtime/store/disk_watch.hpp"

#include <gtest/gtest.h>

namespace fastgpu::store {
namespace {

constexpr base::Time start{std::chrono::hours{1}};

TEST(DiskWatch, IsLowBelowTheReserveAndUntilClearlyMoreIsFree) {
  DiskWatch watch(800);
  EXPECT_FALSE(watch.look(800, start)) << "nothing to tell";
  EXPECT_TRUE(watch.look(799, start));
  EXPECT_TRUE(watch.low());
  EXPECT_TRUE(watch.look(899, start));
  EXPECT_TRUE(watch.low()) << "a compaction may take that again";
  EXPECT_TRUE(watch.look(900, start)) << "that it has passed is told";
  EXPECT_FALSE(watch.low());
  EXPECT_FALSE(watch.look(850, start));
}

TEST(DiskWatch, LooksAtOnceAndThenNowAndThen) {
  DiskWatch watch(1);
  EXPECT_LE(watch.next_look().value(), start);
  watch.look(5, start);
  EXPECT_EQ(watch.next_look().value(), start + base::limits::disk_look_interval);
}

TEST(DiskWatch, NeverLooksWithoutAReserve) {
  EXPECT_FALSE(DiskWatch(0).next_look());
}

}  // namespace
}  // namespace fastgpu::store
