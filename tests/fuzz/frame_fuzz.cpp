/// Feeds arbitrary bytes to what reads the wire first. Built by a fuzzing compiler as
///   clang++ -std=c++20 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/frame_fuzz.cpp
///     runtime/link/frame.cpp runtime/link/control.cpp runtime/base/crc32c.cpp
///     runtime/base/check.cpp
/// and by the unit tests of the link, which call it with seeded bytes.

#include "tests/fuzz/frame_fuzz.hpp"

#include <cstdlib>
#include <span>

#include "runtime/link/control.hpp"
#include "runtime/link/frame.hpp"

namespace wire = fastgpu::link;

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

/// What is let in is exactly what `encode` makes of it; what is refused stays unread.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  wire::Frame frame;
  const wire::FrameFault fault = wire::parse(bytes, fastgpu::base::limits::frame_bytes_max, frame);
  require(wire::decode(bytes).ok() == (fault == wire::FrameFault::none));
  if (fault == wire::FrameFault::none) {
    require(wire::encode(frame.header, frame.body.span()) == fastgpu::base::Bytes::copy_of(bytes));
  }
  if (const auto control = wire::decode_control(bytes)) {
    const auto again = wire::encode_control(*control);
    require(fastgpu::base::Bytes::copy_of(bytes) == fastgpu::base::Bytes::copy_of(again));
  }
  return 0;
}
