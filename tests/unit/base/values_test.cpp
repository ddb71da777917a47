#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/base/check.hpp"
#include "runtime/base/failure.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::base {
namespace {

Error refusal() {
  return {ErrorKind::rejected, ErrorCode::conflict, "another change came first", ""};
}

TEST(Result, HoldsEitherTheValueOrTheError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(7, good.value());
  const Result<int> bad = refusal();
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(ErrorCode::conflict, bad.error().code);
}

TEST(ResultDeathTest, AbortsWhenAskedForWhatIsNotThere) {
  const Result<int> bad = refusal();
  EXPECT_DEATH((void)bad.value(), "value\\(\\) of an error");
  const Status good;
  EXPECT_DEATH((void)good.error(), "error\\(\\) of success");
}

TEST(CheckDeathTest, NamesTheBrokenPromiseAndItsPlace) {
  EXPECT_DEATH(FASTGPU_CHECK(1 + 1 == 3, "sums are kept"), "values_test.cpp.*sums are kept");
}

TEST(Bytes, AreComparedByWhatTheyHold) {
  EXPECT_EQ(Bytes::copy_of("abc"), Bytes::copy_of("abc"));
  EXPECT_FALSE(Bytes::copy_of("abc") == Bytes::copy_of("abd"));
  EXPECT_FALSE(Bytes::copy_of("abc") == Bytes::copy_of("abcd"));
  EXPECT_EQ(Bytes(), Bytes::copy_of(""));
  EXPECT_EQ("abc", Bytes::copy_of("abc").text());
}

TEST(Bytes, AreSharedWhenCopied) {
  const Bytes first = Bytes::copy_of("abc");
  const Bytes second = first;
  EXPECT_EQ(first.data(), second.data());
}

TEST(Random, GivesTheSameNumbersForTheSameSeed) {
  Random first(42);
  Random second(42);
  Random other(43);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t number = first.next();
    EXPECT_EQ(number, second.next());
    equal += number == other.next() ? 1 : 0;
  }
  EXPECT_EQ(0, equal);
}

TEST(Random, FillsItsRangeEvenly) {
  Random random(1);
  std::array<int, 10> counts{};
  for (int i = 0; i < 10'000; ++i) {
    ++counts[random.below(10)];
  }
  for (int count : counts) {
    EXPECT_NEAR(1000, count, 150);
  }
}

TEST(Random, TakesAChanceAsOftenAsSaid) {
  Random random(1);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1'000'000));
    taken += random.chance(250'000) ? 1 : 0;
  }
  EXPECT_NEAR(2500, taken, 200);
}

TEST(FailureReason, HasAWordOfItsOwnForEachReason) {
  std::set<std::string> words;
  const int last = static_cast<int>(failure_reason_last);
  for (int value = 0; value <= last; ++value) {
    words.insert(to_word(static_cast<FailureReason>(value)));
  }
  EXPECT_EQ(static_cast<std::size_t>(last) + 1, words.size());
  EXPECT_FALSE(words.contains("unknown"));
}

TEST(FailureReason, OfTheClusterIsNotTheJobsOwn) {
  EXPECT_TRUE(is_infrastructure(FailureReason::node_lost));
  EXPECT_TRUE(is_infrastructure(FailureReason::device_lost));
  EXPECT_FALSE(is_infrastructure(FailureReason::out_of_bounds));
  EXPECT_FALSE(is_infrastructure(FailureReason::executor_crash));
}

}  // namespace
}  // namespace fastgpu::base
