#include <gtest/gtest.h>

#include <array>

#include "client/spec_contents.hpp"
#include "fastgpu/client.hpp"

namespace fastgpu {
namespace {

using Contents = JobSpec::Contents;

std::string scalar_text(const JobSpec& spec, std::size_t position) {
  const auto& scalar = std::get<protocol::ScalarArgument>(spec.contents().arguments[position]);
  return std::string(protocol::to_word(scalar.type)) + ":" + scalar.text;
}

TEST(JobSpecBuilder, TakesTheTypeOfAScalarFromItsValue) {
  JobSpec spec;
  spec.arg(-7).arg(7u).arg(std::int64_t{-1} << 40).arg(UINT64_MAX).arg(2.5f).arg(0.1);
  EXPECT_EQ(scalar_text(spec, 0), "i32:-7");
  EXPECT_EQ(scalar_text(spec, 1), "u32:7");
  EXPECT_EQ(scalar_text(spec, 2), "i64:-1099511627776");
  EXPECT_EQ(scalar_text(spec, 3), "u64:18446744073709551615");
  EXPECT_EQ(scalar_text(spec, 4), "f32:2.5");
  EXPECT_EQ(scalar_text(spec, 5), "f64:0.1");
}

TEST(JobSpecBuilder, TakesBuffersFromVectorsArraysAndSpans) {
  const std::vector<float> x{1, 2, 3};
  const std::array<int, 2> y{4, 5};
  JobSpec spec;
  spec.in(x, "x").inout(y).in(std::span(x).first(1));
  const auto& first = std::get<Contents::Buffer>(spec.contents().arguments[0]);
  EXPECT_EQ(first.name, "x");
  EXPECT_EQ(first.size_bytes, 12u);
  EXPECT_EQ(std::get<Contents::Buffer>(spec.contents().arguments[1]).size_bytes, 8u);
  EXPECT_EQ(std::get<Contents::Buffer>(spec.contents().arguments[2]).size_bytes, 4u);
}

TEST(JobSpecBuilder, SizesABufferByTheLargestDataOfItsTasks) {
  JobSpec spec;
  spec.in_each({Bytes(3), Bytes(10), Bytes(1)});
  EXPECT_EQ(std::get<Contents::Buffer>(spec.contents().arguments[0]).size_bytes, 10u);
}

TEST(JobSpecBuilder, CopiesAreIndependent) {
  JobSpec spec;
  spec.kernel("a").tasks(2);
  JobSpec copy = spec;
  copy.kernel("b");
  EXPECT_EQ(spec.contents().kernel, "a");
  EXPECT_EQ(copy.contents().tasks, 2u);
}

TEST(ExpectedValue, ThrowsItsErrorWhenThereIsNoValue) {
  const Expected<int> nothing = Error{"FG2101", "infeasible", "never", "wait", false};
  EXPECT_FALSE(nothing);
  EXPECT_THROW(nothing.value(), NoValue);
  EXPECT_EQ(nothing.error().text(), "error[FG2101]: never (hint: wait)");
  const Expected<int> seven = 7;
  EXPECT_EQ(*seven, 7);
}

TEST(JobStateWords, AreThoseOfTheLedger) {
  for (std::size_t i = 0; i < protocol::task_state_count; ++i) {
    EXPECT_EQ(to_word(static_cast<JobState>(i)),
              protocol::to_word(static_cast<protocol::TaskState>(i)));
    EXPECT_EQ(is_terminal(static_cast<JobState>(i)),
              protocol::is_terminal(static_cast<protocol::TaskState>(i)));
  }
}

TEST(ClientOpen, SaysDeniedWithoutCredentials) {
  const auto client = Client::open({.credentials = "/nowhere/client.toml"});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, "denied");
}

}  // namespace
}  // namespace fastgpu
