#include "runtime/store/sealed_record.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/check.hpp"
#include "runtime/base/crc32c.hpp"

namespace fastgpu::store {
namespace {

constexpr std::size_t prefix_bytes = 5;
constexpr std::size_t kind_bytes = 1;
constexpr std::size_t crc_bytes = 4;

void append_big_endian(std::string& key, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(value >> shift));
  }
}

std::string piece_key(LogKind log, base::ShardId shard, std::uint32_t number) {
  std::string key = log_key(log, shard, 'T');
  append_big_endian(key, number, 4);
  return key;
}

std::uint32_t crc_of(std::string_view key, std::span<const std::uint8_t> body) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(key.data());
  return base::crc32c(body, base::crc32c({data, key.size()}));
}

std::string name_of(std::string_view key) {
  switch (record_kind(key)) {
    case 'H':
      return "log head";
    case 'L':
      return "log entry " + std::to_string(record_number(key));
    case 'S':
      return "snapshot description";
    case 'T':
      return "snapshot piece " + std::to_string(record_number(key));
    default:
      return "(unknown)";
  }
}

}  // namespace

std::string log_prefix(LogKind log, base::ShardId shard) {
  std::string key(1, static_cast<char>(log));
  append_big_endian(key, shard.value, 4);
  return key;
}

std::string log_key(LogKind log, base::ShardId shard, char kind) {
  std::string key = log_prefix(log, shard);
  key.push_back(kind);
  return key;
}

std::string log_key(LogKind log, base::ShardId shard, base::LogIndex index) {
  std::string key = log_key(log, shard, 'L');
  append_big_endian(key, index.value, 8);
  return key;
}

char record_kind(std::string_view key) {
  const bool known =
      key.size() >= prefix_bytes + kind_bytes && (key.front() == static_cast<char>(LogKind::solo) ||
                                                  key.front() == static_cast<char>(LogKind::group));
  if (!known) {
    return 0;
  }
  const char kind = key[prefix_bytes];
  const std::size_t number_bytes = key.size() - prefix_bytes - kind_bytes;
  const bool whole = ((kind == 'H' || kind == 'S') && number_bytes == 0) ||
                     (kind == 'L' && number_bytes == 8) || (kind == 'T' && number_bytes == 4);
  return whole ? kind : '\0';
}

std::uint64_t record_number(std::string_view key) {
  std::uint64_t number = 0;
  for (const char byte : key.substr(prefix_bytes + kind_bytes)) {
    number = (number << 8) | static_cast<std::uint8_t>(byte);
  }
  return number;
}

RecordWriter::RecordWriter(std::size_t reserve) {
  data_.reserve(reserve + crc_bytes);
}

Write RecordWriter::seal(std::string key) {
  integer(crc_of(key, data_));
  return Write::put(std::move(key), base::Bytes(std::move(data_)));
}

std::span<const std::uint8_t> RecordReader::bytes(std::size_t count) {
  if (count > rest_.size()) {
    ok_ = false;
    return {};
  }
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

base::Result<std::span<const std::uint8_t>> unseal(const KeyValue& record) {
  const auto data = record.value.span();
  if (data.size() < crc_bytes) {
    return corrupt(record.key, "is too short");
  }
  const auto body = data.first(data.size() - crc_bytes);
  if (RecordReader(data.last(crc_bytes)).integer<std::uint32_t>() != crc_of(record.key, body)) {
    return corrupt(record.key, "has a wrong checksum");
  }
  return body;
}

PiecesRecord put_pieces(LogKind log, base::ShardId shard, const base::Bytes& data,
                        std::vector<Write>& writes) {
  writes.push_back(Write::erase_range(log_key(log, shard, 'T'), log_key(log, shard, 'T' + 1)));
  std::uint32_t pieces = 0;
  for (std::size_t offset = 0; offset < data.size(); offset += snapshot_piece_bytes) {
    const std::size_t length = std::min(snapshot_piece_bytes, data.size() - offset);
    writes.push_back(RecordWriter(length)
                         .bytes(data.span().subspan(offset, length))
                         .seal(piece_key(log, shard, pieces++)));
  }
  return {data.size(), base::crc32c(data.span()), pieces};
}

base::Result<base::Bytes> read_pieces(const PiecesRecord& about, std::span<const KeyValue> pieces) {
  std::vector<std::uint8_t> data;
  for (std::size_t number = 0; number < pieces.size(); ++number) {
    const auto body = unseal(pieces[number]);
    if (!body) {
      return body.error();
    }
    if (record_number(pieces[number].key) != number) {
      return corrupt(pieces[number].key, "follows a missing piece of the snapshot");
    }
    data.insert(data.end(), body.value().begin(), body.value().end());
  }
  if (pieces.size() != about.pieces || data.size() != about.size_bytes ||
      base::crc32c(data) != about.data_crc32c) {
    return base::Error{base::ErrorKind::lost, base::ErrorCode::corrupt,
                       "the snapshot of " + std::to_string(about.size_bytes) +
                           " bytes is not what was stored: " + std::to_string(data.size()) +
                           " bytes in " + std::to_string(pieces.size()) + " pieces",
                       ""};
  }
  return base::Bytes(std::move(data));
}

base::Result<LogRecords> sort_out(std::vector<KeyValue> contents, std::string_view prefix) {
  LogRecords records;
  for (auto& record : contents) {
    FASTGPU_CHECK(record.key.starts_with(prefix), "contents of another log");
    switch (record_kind(record.key)) {
      case 'H':
        records.head = std::move(record);
        break;
      case 'S':
        records.snapshot = std::move(record);
        break;
      case 'L':
        records.entries.push_back(std::move(record));
        break;
      case 'T':
        records.pieces.push_back(std::move(record));
        break;
      default:
        return corrupt(record.key, "is of no known kind");
    }
  }
  return records;
}

base::Error corrupt(std::string_view key, std::string_view what) {
  return {
      base::ErrorKind::lost, base::ErrorCode::corrupt,
      "stored record '" + name_of(key) + "' " + std::string(what),
      "the disk changed what was written: keep the data folder for analysis and restore it from "
      "a copy; nothing was cut off"};
}

base::Error corrupt_log(std::string message) {
  return {base::ErrorKind::lost, base::ErrorCode::corrupt, std::move(message),
          "keep the data folder for analysis and restore it from a copy; nothing was cut off"};
}

}  // namespace fastgpu::store
