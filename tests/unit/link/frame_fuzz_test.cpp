#include "tests/fuzz/frame_fuzz.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/link/control.hpp"
#include "runtime/link/frame.hpp"

namespace fastgpu::link {
namespace {

std::vector<std::uint8_t> random_bytes(base::Random& random, std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  for (std::uint8_t& byte : data) {
    byte = static_cast<std::uint8_t>(random.next());
  }
  return data;
}

std::vector<std::uint8_t> random_frame(base::Random& random) {
  FrameHeader header;
  header.kind = static_cast<FrameKind>(1 + random.below(5));
  header.flags = static_cast<std::uint8_t>(random.next());
  header.cluster = {random.next(), random.next()};
  header.sender = {static_cast<std::uint32_t>(random.next())};
  header.incarnation = {random.next()};
  header.shard = {static_cast<std::uint32_t>(random.next())};
  header.epoch = {random.next()};
  const auto frame = encode(header, random_bytes(random, random.below(200)));
  return {frame.span().begin(), frame.span().end()};
}

/// One to four changes: a byte, a cut, something added, a stretch moved.
void mutate(std::vector<std::uint8_t>& data, base::Random& random) {
  for (std::uint64_t count = 1 + random.below(4); count > 0 && !data.empty(); --count) {
    const std::size_t at = random.below(data.size());
    switch (random.below(4)) {
      case 0:
        data[at] = static_cast<std::uint8_t>(random.next());
        break;
      case 1:
        data.resize(at);
        break;
      case 2: {
        const auto more = random_bytes(random, 1 + random.below(16));
        data.insert(data.begin() + static_cast<std::ptrdiff_t>(at), more.begin(), more.end());
        break;
      }
      default:
        std::swap(data[at], data[random.below(data.size())]);
        break;
    }
  }
}

TEST(FrameFuzz, SurvivesRandomBytes) {
  base::Random random(1);
  for (int i = 0; i < 30'000; ++i) {
    const auto data = random_bytes(random, random.below(300));
    ASSERT_EQ(LLVMFuzzerTestOneInput(data.data(), data.size()), 0);
  }
}

TEST(FrameFuzz, SurvivesMutatedFramesAndRefusesThem) {
  base::Random random(2);
  for (int i = 0; i < 70'000; ++i) {
    const auto whole = random_frame(random);
    auto data = whole;
    mutate(data, random);
    ASSERT_EQ(LLVMFuzzerTestOneInput(data.data(), data.size()), 0);
    Frame frame;
    const FrameFault fault = parse(data, base::limits::frame_bytes_max, frame);
    EXPECT_EQ(fault == FrameFault::none, data == whole) << "round " << i;
  }
}

TEST(FrameFuzz, SurvivesMutatedControl) {
  base::Random random(3);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Control control;
    control.type = static_cast<ControlType>(1 + random.below(4));
    control.sent_bytes = random.next();
    control.limit_bytes = random.next();
    auto data = encode_control(control);
    mutate(data, random);
    ASSERT_EQ(LLVMFuzzerTestOneInput(data.data(), data.size()), 0);
    accepted += decode_control(data).has_value() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0) << "some mutations leave a control body that makes sense";
}

}  // namespace
}  // namespace fastgpu::link
