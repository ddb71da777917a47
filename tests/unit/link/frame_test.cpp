#include "runtime/link/frame.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/crc32c.hpp"

namespace fastgpu::link {
namespace {

FrameHeader some_header() {
  FrameHeader header;
  header.kind = FrameKind::client_request;
  header.flags = 0xa5;
  header.cluster = {0x1112131415161718, 0x2122232425262728};
  header.sender = {0x31323334};
  header.incarnation = {0x4142434445464748};
  header.shard = {0x51525354};
  header.epoch = {0x6162636465666768};
  return header;
}

std::vector<std::uint8_t> some_frame(const std::string& body = "seven!!") {
  const auto frame = encode(some_header(), base::Bytes::copy_of(body).span());
  return {frame.span().begin(), frame.span().end()};
}

FrameFault fault_of(const std::vector<std::uint8_t>& data,
                    std::size_t bytes_max = base::limits::frame_bytes_max) {
  Frame frame;
  return parse(data, bytes_max, frame);
}

/// Puts the right checksum on a header that was changed.
void seal(std::vector<std::uint8_t>& data) {
  const std::span<const std::uint8_t> all(data);
  const std::uint32_t crc =
      base::crc32c(all.subspan(frame_header_bytes), base::crc32c(all.first(52)));
  for (std::size_t i = 0; i < 4; ++i) {
    data[52 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
  }
}

TEST(Frame, ComesBackAsItWasSent) {
  for (const std::string& body : {std::string(), std::string("x"), std::string(100'000, 'y')}) {
    const auto decoded = decode(some_frame(body));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded.value().header, some_header());
    EXPECT_EQ(decoded.value().body.text(), body);
  }
}

TEST(Frame, LiesOnTheWireAsTheReadmeSays) {
  const auto data = some_frame("ab");
  ASSERT_EQ(data.size(), 58u);
  const std::vector<std::uint8_t> expected{'F',  'G',  'P',  '1',  0x01, 0x00, 0x02, 0xa5,  //
                                           0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,  //
                                           0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,  //
                                           0x34, 0x33, 0x32, 0x31, 0x54, 0x53, 0x52, 0x51,  //
                                           0x48, 0x47, 0x46, 0x45, 0x44, 0x43, 0x42, 0x41,  //
                                           0x68, 0x67, 0x66, 0x65, 0x64, 0x63, 0x62, 0x61,
                                           0x02, 0x00, 0x00, 0x00};
  EXPECT_EQ(std::vector<std::uint8_t>(data.begin(), data.begin() + 52), expected);
  EXPECT_EQ(data[56], 'a');
  EXPECT_EQ(data[57], 'b');
}

TEST(Frame, RefusesEveryTruncation) {
  const auto whole = some_frame();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + std::ptrdiff_t(bytes));
    EXPECT_EQ(fault_of(cut), FrameFault::truncated) << bytes << " bytes";
  }
}

TEST(Frame, RefusesEveryFlippedBit) {
  const auto whole = some_frame();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_NE(fault_of(flipped), FrameFault::none) << "bit " << bit;
  }
}

TEST(Frame, TellsEachFaultByItsName) {
  auto magic = some_frame();
  magic[0] = 'f';
  EXPECT_EQ(fault_of(magic), FrameFault::magic);

  auto version = some_frame();
  version[4] = 2;
  seal(version);
  EXPECT_EQ(fault_of(version), FrameFault::version);

  auto kind = some_frame();
  kind[6] = 99;
  seal(kind);
  EXPECT_EQ(fault_of(kind), FrameFault::kind);

  auto longer = some_frame();
  longer.push_back(0);
  EXPECT_EQ(fault_of(longer), FrameFault::length);

  auto promises_more = some_frame();
  promises_more[48] += 1;
  EXPECT_EQ(fault_of(promises_more), FrameFault::truncated);

  auto promises_a_lot = some_frame();
  promises_a_lot[51] = 0xff;
  EXPECT_EQ(fault_of(promises_a_lot), FrameFault::truncated);

  auto damaged = some_frame();
  damaged.back() ^= 1;
  EXPECT_EQ(fault_of(damaged), FrameFault::crc);
}

TEST(Frame, IsTooLargeOneByteOverTheLimit) {
  const auto whole = some_frame();
  EXPECT_EQ(fault_of(whole, whole.size()), FrameFault::none);
  EXPECT_EQ(fault_of(whole, whole.size() - 1), FrameFault::too_large);
}

TEST(Frame, RefusalsTellWhatTheReceiverCanDo) {
  const auto whole = some_frame();
  EXPECT_EQ(decode(whole, 10).error().code, base::ErrorCode::too_large);
  auto version = some_frame();
  version[5] = 1;
  EXPECT_EQ(decode(version).error().code, base::ErrorCode::version_skew);
  auto damaged = some_frame();
  damaged.back() ^= 1;
  EXPECT_EQ(decode(damaged).error().code, base::ErrorCode::corrupt);
  EXPECT_NE(decode(damaged).error().message.find("checksum"), std::string::npos);
}

TEST(Frame, LeavesTheTargetAloneWhenRefused) {
  Frame frame;
  frame.header.sender = {7};
  auto damaged = some_frame();
  damaged.back() ^= 1;
  EXPECT_EQ(parse(damaged, base::limits::frame_bytes_max, frame), FrameFault::crc);
  EXPECT_EQ(frame.header.sender, base::NodeId{7});
  EXPECT_TRUE(frame.body.empty());
}

TEST(Frame, BodyIsAlignedForWords) {
  const auto decoded = decode(some_frame("words"));
  ASSERT_TRUE(decoded.ok());
  const auto address = reinterpret_cast<std::uintptr_t>(decoded.value().body.data());
  EXPECT_EQ(address % alignof(std::max_align_t), 0u);
}

}  // namespace
}  // namespace fastgpu::link
