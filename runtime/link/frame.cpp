#include "runtime/link/frame.hpp"

#include <string>
#include <utility>
#include <vector>

#include "runtime/base/check.hpp"
#include "runtime/base/crc32c.hpp"
#include "runtime/base/little_endian.hpp"

namespace fastgpu::link {
namespace {

constexpr std::uint32_t frame_magic = 0x31504746;  // "FGP1" as it lies on the wire

constexpr std::size_t version_at = 4;
constexpr std::size_t kind_at = 6;
constexpr std::size_t flags_at = 7;
constexpr std::size_t cluster_at = 8;
constexpr std::size_t sender_at = 24;
constexpr std::size_t shard_at = 28;
constexpr std::size_t incarnation_at = 32;
constexpr std::size_t epoch_at = 40;
constexpr std::size_t length_at = 48;
constexpr std::size_t crc_at = 52;
static_assert(crc_at + sizeof(std::uint32_t) == frame_header_bytes);

/// Over the header up to the checksum, then the body: as if the checksum were not there.
std::uint32_t checksum(std::span<const std::uint8_t> frame) {
  return base::crc32c(frame.subspan(frame_header_bytes), base::crc32c(frame.first(crc_at)));
}

bool known(FrameKind kind) {
  switch (kind) {
    case FrameKind::peer:
    case FrameKind::client_request:
    case FrameKind::client_reply:
    case FrameKind::control:
    case FrameKind::credit:
      return true;
  }
  return false;
}

FrameHeader read_header(const std::uint8_t* data) {
  FrameHeader header;
  header.version = base::get_little_endian<std::uint16_t>(data + version_at);
  header.kind = static_cast<FrameKind>(data[kind_at]);
  header.flags = data[flags_at];
  header.cluster.high = base::get_little_endian<std::uint64_t>(data + cluster_at);
  header.cluster.low = base::get_little_endian<std::uint64_t>(data + cluster_at + 8);
  header.sender.value = base::get_little_endian<std::uint32_t>(data + sender_at);
  header.shard.value = base::get_little_endian<std::uint32_t>(data + shard_at);
  header.incarnation.value = base::get_little_endian<std::uint64_t>(data + incarnation_at);
  header.epoch.value = base::get_little_endian<std::uint64_t>(data + epoch_at);
  return header;
}

}  // namespace

base::Bytes encode(const FrameHeader& header, std::span<const std::uint8_t> body) {
  FASTGPU_CHECK(body.size() <= UINT32_MAX, "a frame body has a 32-bit length");
  std::vector<std::uint8_t> out;
  out.reserve(frame_header_bytes + body.size());
  base::put_little_endian(out, frame_magic);
  base::put_little_endian(out, header.version);
  base::put_little_endian(out, static_cast<std::uint8_t>(header.kind));
  base::put_little_endian(out, header.flags);
  base::put_little_endian(out, header.cluster.high);
  base::put_little_endian(out, header.cluster.low);
  base::put_little_endian(out, header.sender.value);
  base::put_little_endian(out, header.shard.value);
  base::put_little_endian(out, header.incarnation.value);
  base::put_little_endian(out, header.epoch.value);
  base::put_little_endian(out, static_cast<std::uint32_t>(body.size()));
  base::put_little_endian(out, std::uint32_t{0});
  out.insert(out.end(), body.begin(), body.end());
  const std::uint32_t crc = checksum(out);
  for (std::size_t i = 0; i < sizeof(crc); ++i) {
    out[crc_at + i] = static_cast<std::uint8_t>(crc >> (8 * i));
  }
  return base::Bytes(std::move(out));
}

FrameFault parse(std::span<const std::uint8_t> data, std::size_t frame_bytes_max, Frame& frame) {
  if (data.size() > frame_bytes_max) {
    return FrameFault::too_large;
  }
  if (data.size() < frame_header_bytes) {
    return FrameFault::truncated;
  }
  if (base::get_little_endian<std::uint32_t>(data.data()) != frame_magic) {
    return FrameFault::magic;
  }
  const FrameHeader header = read_header(data.data());
  if (header.version != base::limits::protocol_version) {
    return FrameFault::version;
  }
  const std::uint64_t body_bytes = base::get_little_endian<std::uint32_t>(data.data() + length_at);
  const std::uint64_t present_bytes = data.size() - frame_header_bytes;
  if (present_bytes < body_bytes) {
    return FrameFault::truncated;
  }
  if (present_bytes > body_bytes) {
    return FrameFault::length;
  }
  if (base::get_little_endian<std::uint32_t>(data.data() + crc_at) != checksum(data)) {
    return FrameFault::crc;
  }
  if (!known(header.kind)) {
    return FrameFault::kind;
  }
  frame.header = header;
  frame.body = base::Bytes::copy_of(data.subspan(frame_header_bytes));
  return FrameFault::none;
}

base::Result<Frame> decode(std::span<const std::uint8_t> data, std::size_t frame_bytes_max) {
  Frame frame;
  const FrameFault fault = parse(data, frame_bytes_max, frame);
  if (fault == FrameFault::none) {
    return frame;
  }
  base::ErrorCode code = base::ErrorCode::corrupt;
  if (fault == FrameFault::too_large) {
    code = base::ErrorCode::too_large;
  } else if (fault == FrameFault::version) {
    code = base::ErrorCode::version_skew;
  }
  return base::Error{base::ErrorKind::invalid, code,
                     "frame of " + std::to_string(data.size()) +
                         " bytes refused: " + std::string(to_string(fault)),
                     ""};
}

std::string_view to_string(FrameFault fault) {
  switch (fault) {
    case FrameFault::none:
      return "whole";
    case FrameFault::too_large:
      return "over the size limit";
    case FrameFault::truncated:
      return "truncated";
    case FrameFault::magic:
      return "not a FastGPU frame";
    case FrameFault::version:
      return "unknown protocol version";
    case FrameFault::length:
      return "longer than its header says";
    case FrameFault::crc:
      return "checksum mismatch";
    case FrameFault::kind:
      return "unknown kind";
  }
  return "unknown";
}

}  // namespace fastgpu::link
