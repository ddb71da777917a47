#include "runtime/worker/arguments.hpp"

#include <gtest/gtest.h>

namespace fastgpu::worker {
namespace {

using protocol::ScalarType;

class NoInputs final : public StagedInputs {
 public:
  base::Bytes bytes_of(const protocol::ObjectRef&) const override { return {}; }
};

TEST(Arguments, NamesTheArgumentThatIsWrong) {
  protocol::JobSpec spec;
  spec.tasks = 4;
  spec.kernel.arguments.emplace_back(protocol::ScalarArgument{ScalarType::i32, "1"});
  spec.kernel.arguments.emplace_back(protocol::ScalarArgument{ScalarType::u32, "{}-"});
  const auto wrong = arguments_of(spec, 2, NoInputs{});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message.find("argument 1: '2-' is not a value of type u32"), 0u)
      << wrong.error().message;
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
