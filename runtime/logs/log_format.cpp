#include "runtime/logs/log_format.hpp"

#include "runtime/base/crc32c.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/little_endian.hpp"

namespace fastgpu::logs {
namespace {

constexpr std::size_t body_offset = 8;

template <class Integer>
std::uint8_t* write(std::uint8_t* to, Integer value) {
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    *to++ = static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i));
  }
  return to;
}

template <class Integer>
Integer take(const std::uint8_t*& from) {
  const auto value = base::get_little_endian<Integer>(from);
  from += sizeof(Integer);
  return value;
}

}  // namespace

void put_record(std::vector<std::uint8_t>& out, const base::LogRecord& record,
                std::span<const std::uint8_t> bytes) {
  const std::size_t begin = out.size();
  out.resize(begin + record_head_bytes);
  out.insert(out.end(), bytes.begin(), bytes.end());
  std::uint8_t* to = out.data() + begin;
  to = write(to, static_cast<std::uint32_t>(out.size() - begin - body_offset));
  std::uint8_t* const crc = to;
  to += 4;
  to = write(to, static_cast<std::uint8_t>(record.stream));
  to = write(to, record.task);
  to = write(to, record.attempt.shard.value);
  to = write(to, record.attempt.epoch.value);
  to = write(to, record.attempt.term.value);
  to = write(to, record.attempt.sequence);
  write(to, static_cast<std::uint64_t>(record.time_ns));
  write(crc, base::crc32c(std::span(out).subspan(begin + body_offset)));
}

RecordView parse_record(std::span<const std::uint8_t> data, base::JobId job) {
  RecordView view;
  if (data.size() < body_offset) {
    view.state = ParseState::cut;
    return view;
  }
  const std::uint8_t* from = data.data();
  const auto length = take<std::uint32_t>(from);
  const auto crc = take<std::uint32_t>(from);
  constexpr std::size_t head = record_head_bytes - body_offset;
  if (length < head || length > head + base::limits::log_record_bytes_max) {
    return view;
  }
  if (data.size() < body_offset + length) {
    view.state = ParseState::cut;
    return view;
  }
  const auto stream = take<std::uint8_t>(from);
  if (base::crc32c(data.subspan(body_offset, length)) != crc ||
      stream > static_cast<std::uint8_t>(base::LogStream::notice)) {
    return view;
  }
  view.state = ParseState::whole;
  view.head.job = job;
  view.head.stream = static_cast<base::LogStream>(stream);
  view.head.task = take<std::uint32_t>(from);
  view.head.attempt.shard = {take<std::uint32_t>(from)};
  view.head.attempt.epoch = {take<std::uint64_t>(from)};
  view.head.attempt.term = {take<std::uint64_t>(from)};
  view.head.attempt.sequence = take<std::uint64_t>(from);
  view.head.time_ns = static_cast<std::int64_t>(take<std::uint64_t>(from));
  view.bytes = data.subspan(record_head_bytes, length - head);
  view.stored_bytes = body_offset + length;
  return view;
}

}  // namespace fastgpu::logs
