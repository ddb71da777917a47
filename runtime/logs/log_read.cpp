/// Reading a job's stream from a cursor on.

#include <algorithm>
#include <string>

#include "runtime/logs/log_format.hpp"
#include "runtime/logs/log_store.hpp"
#include "runtime/logs/log_words.hpp"

namespace fastgpu::logs {
namespace {

namespace limits = base::limits;

constexpr int segment_shift = 32;
constexpr std::uint64_t chunk_bytes = 256u << 10;
static_assert(chunk_bytes >= stored_bytes_of(limits::log_record_bytes_max));

constexpr std::uint64_t cursor_at(std::uint32_t segment, std::uint64_t offset) {
  return (std::uint64_t{segment} << segment_shift) | offset;
}

base::LogRecord damage_notice(base::JobId job, std::uint64_t bytes) {
  base::LogRecord record;
  record.job = job;
  record.stream = base::LogStream::notice;
  record.bytes = base::Bytes::copy_of(damaged_text(bytes));
  return record;
}

base::LogRecord to_record(const RecordView& view) {
  base::LogRecord record = view.head;
  std::span<const std::uint8_t> bytes = view.bytes;
  if (record.stream == base::LogStream::notice) {
    while (!bytes.empty() && bytes.back() == ' ') {
      bytes = bytes.first(bytes.size() - 1);
    }
  }
  record.bytes = base::Bytes::copy_of(bytes);
  return record;
}

}  // namespace

LogPiece LogStore::read(const LogQuery& query) {
  LogPiece piece;
  piece.next_cursor = query.cursor;
  const auto found = logs_.find(query.job);
  if (found == logs_.end()) {
    piece.at_end = true;
    return piece;
  }
  JobLog& log = found->second;
  look_at(query.job, log);
  piece.dropped_bytes = log.cut_bytes + log.refused_bytes;
  const auto from = static_cast<std::uint32_t>(query.cursor >> segment_shift);
  std::uint64_t offset = query.cursor & 0xffff'ffff;
  auto segment = std::lower_bound(
      log.segments.begin(), log.segments.end(), from,
      [](const Segment& one, std::uint32_t number) { return one.number < number; });
  std::uint64_t scanned = 0;
  std::uint64_t taken = 0;
  for (; segment != log.segments.end(); ++segment) {
    if (segment->number != from) {
      offset = 0;
    }
    // A position behind the end was read before a power cut took that end away.
    offset = std::min(offset, segment->size_bytes);
    const bool to_end = read_segment(query, *segment, offset, scanned, taken, piece);
    piece.next_cursor = cursor_at(segment->number, offset);
    if (!to_end) {
      return piece;
    }
  }
  piece.at_end = true;
  return piece;
}

/// Takes records from `offset` on and moves it; false when enough was taken or looked at.
bool LogStore::read_segment(const LogQuery& query, const Segment& segment, std::uint64_t& offset,
                            std::uint64_t& scanned, std::uint64_t& taken, LogPiece& piece) {
  const std::uint64_t bytes_max =
      std::min<std::uint64_t>(query.bytes_max, limits::log_read_bytes_max);
  while (offset < segment.size_bytes) {
    const std::uint64_t length = std::min(chunk_bytes, segment.size_bytes - offset);
    const base::Result<base::Bytes> chunk =
        files_->read({query.job, segment.number}, offset, length);
    std::span<const std::uint8_t> left =
        chunk.ok() ? chunk.value().span() : std::span<const std::uint8_t>{};
    const bool last_chunk = left.size() < length || offset + length >= segment.size_bytes;
    const std::uint64_t chunk_begin = offset;
    while (!left.empty()) {
      const RecordView view = parse_record(left, query.job);
      if (view.state == ParseState::cut && !last_chunk) {
        break;
      }
      if (view.state != ParseState::whole) {
        left = {};  // told below
        break;
      }
      const bool wanted = query.all_tasks || view.head.task == query.task ||
                          view.head.stream == base::LogStream::notice;
      if (wanted && !piece.records.empty() && taken + view.stored_bytes > bytes_max) {
        return false;
      }
      if (wanted) {
        piece.records.push_back(to_record(view));
        taken += view.stored_bytes;
      }
      offset += view.stored_bytes;
      scanned += view.stored_bytes;
      left = left.subspan(view.stored_bytes);
    }
    if (left.empty() && offset < chunk_begin + length) {
      piece.records.push_back(damage_notice(query.job, segment.size_bytes - offset));
      offset = segment.size_bytes;
    }
    if (scanned >= limits::log_scan_bytes_max || taken >= bytes_max) {
      return offset >= segment.size_bytes;
    }
  }
  return true;
}

}  // namespace fastgpu::logs
