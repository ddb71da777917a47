#pragma once

/// The one frame of the wire: a fixed header, then a body that only the codec understands.
/// Every byte that travels between nodes, or between a client and a node, is in such a frame; both
/// twins of the link build and check it here. README.md draws the layout.
/// Pure functions over values, usable from any thread.
/// A frame that is not whole, not ours or not intact is told by a FrameFault and never read
/// further. A frame has at most limits::frame_bytes_max bytes, header included.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/result.hpp"

namespace fastgpu::link {

/// Who speaks to whom in what role. The values are those of the wire.
enum class FrameKind : std::uint8_t {
  peer = 1,            ///< node to node
  client_request = 2,  ///< client to node
  client_reply = 3,    ///< node to client: answers and unasked news
  control = 4,         ///< link to link: hello, welcome, alive, bye; never delivered
  credit = 5,          ///< link to link: what the receiver still takes; never delivered
};

inline constexpr std::size_t frame_header_bytes = 56;
inline constexpr std::size_t frame_body_bytes_max =
    base::limits::frame_bytes_max - frame_header_bytes;

struct FrameHeader {
  std::uint16_t version{base::limits::protocol_version};
  FrameKind kind{FrameKind::peer};
  std::uint8_t flags{0};          ///< for the codec; the link carries it unread
  base::ClusterId cluster;        ///< all zero: a client that takes any cluster
  base::NodeId sender;            ///< 0: a client
  base::Incarnation incarnation;  ///< of the sender; clients draw one as well
  base::ShardId shard;            ///< whom it concerns; 0 also where no shard is concerned
  base::Epoch epoch;              ///< of that shard; 0 where none is concerned
  bool operator==(const FrameHeader&) const = default;
};

struct Frame {
  FrameHeader header;
  base::Bytes body;  ///< its data is aligned for any fundamental type
  bool operator==(const Frame&) const = default;
};

/// Why a frame was refused, in the order in which the checks are made.
enum class FrameFault : std::uint8_t {
  none,
  too_large,  ///< longer than the limit
  truncated,  ///< shorter than a header, or than its header says
  magic,      ///< not a frame of ours
  version,    ///< a protocol version that this program does not speak
  length,     ///< longer than its header says
  crc,        ///< damaged on the way
  kind,       ///< intact, but of no kind that we know
};

std::string_view to_string(FrameFault fault);

/// Header and body as they travel. The size limit is checked where the frame is sent.
base::Bytes encode(const FrameHeader& header, std::span<const std::uint8_t> body);

/// Checks `data` and, when nothing is wrong with it, fills `frame` (the body is copied).
FrameFault parse(std::span<const std::uint8_t> data, std::size_t frame_bytes_max, Frame& frame);

/// The same, for callers who only pass the error on.
base::Result<Frame> decode(std::span<const std::uint8_t> data,
                           std::size_t frame_bytes_max = base::limits::frame_bytes_max);

}  // namespace fastgpu::link
