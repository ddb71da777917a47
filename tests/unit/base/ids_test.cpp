#include "runtime/base/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <type_traits>

namespace fastgpu::base {
namespace {

AttemptId attempt(std::uint32_t shard, std::uint64_t epoch, std::uint64_t term,
                  std::uint64_t sequence) {
  return {ShardId{shard}, Epoch{epoch}, Term{term}, sequence};
}

TEST(Ids, OfDifferentKindsCannotBeMixed) {
  static_assert(!std::is_convertible_v<NodeId, JobId>);
  static_assert(!std::is_convertible_v<Term, Epoch>);
  static_assert(!std::is_convertible_v<JobId, std::uint64_t>);
  static_assert(!std::is_convertible_v<std::uint64_t, JobId>);
  EXPECT_FALSE(JobId{});
  EXPECT_TRUE(JobId{17});
}

TEST(AttemptId, IsOrderedByEpochThenTermThenSequence) {
  EXPECT_LT(attempt(1, 1, 1, 9), attempt(1, 1, 2, 1));
  EXPECT_LT(attempt(1, 1, 9, 9), attempt(1, 2, 1, 1));
  EXPECT_LT(attempt(1, 2, 3, 4), attempt(1, 2, 3, 5));
  EXPECT_EQ(attempt(1, 2, 3, 4), attempt(1, 2, 3, 4));
}

TEST(TaskRange, ContainsItsTasksAndNoOthers) {
  const TaskRange range{10, 3};
  EXPECT_FALSE(range.contains(9));
  EXPECT_TRUE(range.contains(10));
  EXPECT_TRUE(range.contains(12));
  EXPECT_FALSE(range.contains(13));
  EXPECT_EQ(13u, range.end());
}

TEST(TaskRange, EndsBeyondTheLargestTaskWithoutWrapping) {
  const TaskRange range{0xffffffffu, 1};
  EXPECT_EQ(std::uint64_t{1} << 32, range.end());
  EXPECT_TRUE(range.contains(0xffffffffu));
}

TEST(ShardLayout, GivesEachJobAnIdThatNamesItsShard) {
  const ShardLayout layout{7};
  std::set<JobId> seen;
  for (std::uint32_t shard = 0; shard < 7; ++shard) {
    for (std::uint64_t sequence = 1; sequence <= 20; ++sequence) {
      const JobId job = layout.job_id(ShardId{shard}, sequence);
      EXPECT_EQ(ShardId{shard}, layout.shard_of(job));
      EXPECT_TRUE(seen.insert(job).second) << "job " << job.value << " twice";
    }
  }
}

TEST(Ids, AreWrittenAsPeopleReadThem) {
  EXPECT_EQ("n2", to_string(NodeId{2}));
  EXPECT_EQ("17", to_string(JobId{17}));
  EXPECT_EQ("1.2.3.42", to_string(attempt(1, 2, 3, 42)));
  EXPECT_EQ("n2/1", to_string(DeviceId{NodeId{2}, 1}));
  EXPECT_EQ("000000000000000a00000000000000ff", to_string(ClusterId{10, 255}));
  EXPECT_EQ("3-00000000000000010000000000000002", to_string(RequestId{ShardId{3}, 1, 2}));
  ObjectHash hash;
  hash.bytes[0] = 0xab;
  EXPECT_EQ("ab" + std::string(62, '0'), to_string(hash));
}

}  // namespace
}  // namespace fastgpu::base
