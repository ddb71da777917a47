#pragma once

/// How records lie in a segment; pure.
///
///     length  u32   of what follows the checksum
///     crc     u32   CRC-32C of what follows
///     stream u8, task u32, shard u32, epoch u64, term u64, sequence u64, time u64, then the bytes
///
/// Integers are little endian. The job is in the file's name.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/base/log_record.hpp"

namespace fastgpu::logs {

inline constexpr std::size_t record_head_bytes = 8 + 1 + 4 + 4 + 8 + 8 + 8 + 8;

constexpr std::size_t stored_bytes_of(std::size_t bytes) {
  return record_head_bytes + bytes;
}

/// Appends the record with these bytes of it, which may be a part of the record's own.
void put_record(std::vector<std::uint8_t>& out, const base::LogRecord& record,
                std::span<const std::uint8_t> bytes);

enum class ParseState : std::uint8_t {
  whole,
  cut,     ///< the input ends before the record does
  broken,  ///< no record lies here
};

/// A record in place: `bytes` points into the input.
struct RecordView {
  ParseState state{ParseState::broken};
  base::LogRecord head;  ///< without its bytes
  std::span<const std::uint8_t> bytes;
  std::size_t stored_bytes{};
};

/// The record at the beginning of `data`.
RecordView parse_record(std::span<const std::uint8_t> data, base::JobId job);

}  // namespace fastgpu::logs
