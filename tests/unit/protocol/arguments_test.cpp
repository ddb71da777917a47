#include "runtime/protocol/arguments.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace fastgpu::protocol {
namespace {

template <class T>
T value_of(ScalarType type, const char* text) {
  const auto bytes = parse_scalar(type, text);
  EXPECT_TRUE(bytes.ok()) << text;
  T value{};
  if (bytes.ok()) {
    std::memcpy(&value, bytes.value().data(), sizeof(value));
  }
  return value;
}

TEST(Arguments, FillsInTheTaskAndTheNumberOfTasks) {
  EXPECT_EQ(fill_in("x_{}_of_{n}.f32", 17, 200), "x_17_of_200.f32");
  EXPECT_EQ(fill_in("{}{}", 1, 2), "11");
  EXPECT_EQ(fill_in("{ } {m", 1, 2), "{ } {m");
}

TEST(Arguments, FillInTheNumbersThatTheTasksHadInTheJobThatIsDoneAgain) {
  JobSpec spec;
  spec.tasks = 4;
  EXPECT_EQ(fill_in("{} of {n}", spec, 3), "3 of 4");
  spec.items = {{424}, {{3, 1}, {17, 3}}, 200};
  EXPECT_EQ(fill_in("{} of {n}", spec, 0), "3 of 200");
  EXPECT_EQ(fill_in("{} of {n}", spec, 1), "17 of 200");
  EXPECT_EQ(fill_in("{} of {n}", spec, 3), "19 of 200");
}

TEST(Arguments, ParsesEveryTypeAtItsBounds) {
  EXPECT_EQ(value_of<std::int32_t>(ScalarType::i32, "-2147483648"), INT32_MIN);
  EXPECT_EQ(value_of<std::uint32_t>(ScalarType::u32, "4294967295"), UINT32_MAX);
  EXPECT_EQ(value_of<std::int64_t>(ScalarType::i64, "-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(value_of<std::uint64_t>(ScalarType::u64, "18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(value_of<float>(ScalarType::f32, "2.5"), 2.5f);
  EXPECT_EQ(value_of<double>(ScalarType::f64, "-1e-3"), -1e-3);
}

TEST(Arguments, RefusesWhatIsNoValueOfTheType) {
  for (const char* text : {"", " 1", "1 ", "1x", "2147483648", "1.5", "--1"}) {
    const auto bytes = parse_scalar(ScalarType::i32, text);
    ASSERT_FALSE(bytes.ok()) << text;
    EXPECT_EQ(bytes.error().code, base::ErrorCode::bad_argument);
    EXPECT_FALSE(bytes.error().hint.empty());
  }
  EXPECT_FALSE(parse_scalar(ScalarType::u32, "-1").ok());
  EXPECT_FALSE(parse_scalar(ScalarType::f32, "1e99").ok());
}

}  // namespace
}  // namespace fastgpu::protocol
