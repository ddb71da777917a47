#include "runtime/worker/arguments.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace fastgpu::worker {
namespace {

using protocol::ScalarType;

class NoInputs final : public StagedInputs {
 public:
  base::Bytes bytes_of(const protocol::ObjectRef&) const override { return {}; }
};

template <class Value>
Value value_of(const LaunchScalar& scalar) {
  Value value;
  std::memcpy(&value, scalar.bytes.data(), sizeof value);
  return value;
}

TEST(Arguments, FillsInTheTaskAndTheNumberOfTasks) {
  EXPECT_EQ(fill_in("{}", 7, 300), "7");
  EXPECT_EQ(fill_in("{n}", 7, 300), "300");
  EXPECT_EQ(fill_in("{}{n}{}", 1, 2), "121");
  EXPECT_EQ(fill_in("0.5", 1, 2), "0.5");
}

TEST(Arguments, ParsesEveryScalarType) {
  EXPECT_EQ(value_of<std::int32_t>(parse_scalar(ScalarType::i32, "-5").value()), -5);
  EXPECT_EQ(value_of<std::uint32_t>(parse_scalar(ScalarType::u32, "4294967295").value()),
            4294967295u);
  EXPECT_EQ(value_of<std::int64_t>(parse_scalar(ScalarType::i64, "-5000000000").value()),
            -5000000000);
  EXPECT_EQ(value_of<std::uint64_t>(parse_scalar(ScalarType::u64, "5000000000").value()),
            5000000000u);
  EXPECT_EQ(value_of<float>(parse_scalar(ScalarType::f32, "0.5").value()), 0.5f);
  EXPECT_EQ(value_of<double>(parse_scalar(ScalarType::f64, "-1e300").value()), -1e300);
}

TEST(Arguments, RefusesWhatIsNoNumberOfTheType) {
  for (const char* text : {"", "x", "1x", " 1", "1.5", "2147483648"})
    EXPECT_FALSE(parse_scalar(ScalarType::i32, text).ok()) << text;
  EXPECT_FALSE(parse_scalar(ScalarType::u32, "-1").ok());
  EXPECT_FALSE(parse_scalar(ScalarType::f32, "1e99").ok());
  EXPECT_NE(parse_scalar(ScalarType::i32, "2147483648").error().message.find("range of i32"),
            std::string::npos);
}

TEST(Arguments, NamesTheArgumentThatIsWrong) {
  protocol::JobSpec spec;
  spec.tasks = 4;
  spec.kernel.arguments.emplace_back(protocol::ScalarArgument{ScalarType::i32, "1"});
  spec.kernel.arguments.emplace_back(protocol::ScalarArgument{ScalarType::u32, "{}-"});
  const auto wrong = arguments_of(spec, 2, NoInputs{});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message, "argument 1: '2-' is not a number of type u32");
}

TEST(Arguments, ATaskWithoutDataOfItsOwnIsRefused) {
  protocol::JobSpec spec;
  spec.tasks = 4;
  protocol::BufferArgument buffer;
  buffer.data = {base::Bytes{}, base::Bytes{}};
  spec.kernel.arguments.emplace_back(buffer);
  EXPECT_TRUE(arguments_of(spec, 1, NoInputs{}).ok());
  EXPECT_FALSE(arguments_of(spec, 2, NoInputs{}).ok());
}

TEST(Arguments, OutputsHaveTheSizeOfTheSpecification) {
  protocol::JobSpec spec;
  spec.kernel.arguments.emplace_back(
      protocol::BufferArgument{protocol::BufferUse::out, "y", 4096, {}});
  const auto made = arguments_of(spec, 0, NoInputs{});
  EXPECT_EQ(std::get<LaunchBuffer>(made.value().at(0)).size_bytes, 4096u);
}

}  // namespace
}  // namespace fastgpu::worker
