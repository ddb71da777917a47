#include "runtime/store/solo_record.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::store {
namespace {

constexpr char log_letter = 's';
constexpr std::size_t prefix_bytes = 5;
constexpr std::size_t kind_bytes = 1;
constexpr std::size_t crc_bytes = 4;

void append_big_endian(std::string& key, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(value >> shift));
  }
}

std::string key_of(base::ShardId shard, char kind) {
  std::string key = log_prefix(shard);
  key.push_back(kind);
  return key;
}

std::uint32_t crc_of(std::string_view key, std::span<const std::uint8_t> body) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(key.data());
  return base::crc32c(body, base::crc32c({data, key.size()}));
}

/// Little-endian integers and raw bytes, closed with the crc over the key and all before it.
class Writer {
 public:
  explicit Writer(std::size_t reserve) { data_.reserve(reserve + crc_bytes); }
  template <class Integer>
  Writer& integer(Integer value) {
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
      data_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
    return *this;
  }
  Writer& bytes(std::span<const std::uint8_t> data) {
    data_.insert(data_.end(), data.begin(), data.end());
    return *this;
  }
  Write seal(std::string key) {
    integer(crc_of(key, data_));
    return Write::put(std::move(key), base::Bytes(std::move(data_)));
  }

 private:
  std::vector<std::uint8_t> data_;
};

/// The other way. `ok` tells at the end whether all was there.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> data) : rest_(data) {}
  template <class Integer>
  Integer integer() {
    Integer value{};
    const auto data = take(sizeof(Integer));
    for (std::size_t i = 0; i < data.size(); ++i) {
      value |= static_cast<Integer>(Integer{data[i]} << (8 * i));
    }
    return value;
  }
  ChainHash chain() {
    ChainHash chain{};
    const auto data = take(chain.size());
    std::copy(data.begin(), data.end(), chain.begin());
    return chain;
  }
  std::span<const std::uint8_t> rest() { return take(rest_.size()); }
  bool ok() const { return ok_ && rest_.empty(); }

 private:
  std::span<const std::uint8_t> take(std::size_t bytes) {
    if (bytes > rest_.size()) {
      ok_ = false;
      return {};
    }
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }

  std::span<const std::uint8_t> rest_;
  bool ok_{true};
};

/// The record without its crc, where that is right.
base::Result<std::span<const std::uint8_t>> unseal(const KeyValue& record) {
  const auto data = record.value.span();
  if (data.size() < crc_bytes) {
    return corrupt(record.key, "is too short");
  }
  const auto body = data.first(data.size() - crc_bytes);
  if (Reader(data.last(crc_bytes)).integer<std::uint32_t>() != crc_of(record.key, body)) {
    return corrupt(record.key, "has a wrong checksum");
  }
  return body;
}

}  // namespace

std::string log_prefix(base::ShardId shard) {
  std::string key(1, log_letter);
  append_big_endian(key, shard.value, 4);
  return key;
}

std::string head_key(base::ShardId shard) {
  return key_of(shard, 'H');
}

std::string entry_key(base::ShardId shard, base::LogIndex index) {
  std::string key = key_of(shard, 'L');
  append_big_endian(key, index.value, 8);
  return key;
}

std::string snapshot_key(base::ShardId shard) {
  return key_of(shard, 'S');
}

std::string piece_key(base::ShardId shard, std::uint32_t number) {
  std::string key = key_of(shard, 'T');
  append_big_endian(key, number, 4);
  return key;
}

char record_kind(std::string_view key) {
  if (key.size() < prefix_bytes + kind_bytes || key.front() != log_letter) {
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

ChainHash chain_after(const ChainHash& previous, base::LogIndex index, base::Term term,
                      const base::Bytes& command) {
  std::array<std::uint8_t, 16 + 8 + 8 + 8 + 4> input{};
  auto* out = std::copy(previous.begin(), previous.end(), input.begin());
  const auto add = [&out](std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      *out++ = static_cast<std::uint8_t>(value >> (8 * i));
    }
  };
  add(index.value, 8);
  add(term.value, 8);
  add(command.size(), 8);
  add(base::crc32c(command.span()), 4);
  const base::ObjectHash hash = base::sha256(input);
  ChainHash chain{};
  std::copy_n(hash.bytes.begin(), chain.size(), chain.begin());
  return chain;
}

Write put_head(base::ShardId shard, const LogHead& head) {
  return Writer(64)
      .integer(solo_log_format)
      .integer(head.epoch.value)
      .integer(head.term.value)
      .integer(head.first_index.value)
      .integer(head.before_first.term.value)
      .bytes(head.before_first.chain)
      .integer(head.last_index.value)
      .seal(head_key(shard));
}

base::Result<LogHead> read_head(const KeyValue& record) {
  const auto body = unseal(record);
  if (!body) {
    return body.error();
  }
  Reader reader(body.value());
  const auto format = reader.integer<std::uint32_t>();
  if (format != solo_log_format) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::version_skew,
                       "the log was stored in format " + std::to_string(format) +
                           ", this program reads format " + std::to_string(solo_log_format),
                       "start the version that wrote it, or upgrade"};
  }
  LogHead head;
  head.epoch = {reader.integer<std::uint64_t>()};
  head.term = {reader.integer<std::uint64_t>()};
  head.first_index = {reader.integer<std::uint64_t>()};
  head.before_first.term = {reader.integer<std::uint64_t>()};
  head.before_first.chain = reader.chain();
  head.last_index = {reader.integer<std::uint64_t>()};
  if (!reader.ok() || !head.first_index) {
    return corrupt(record.key, "is no log head");
  }
  return head;
}

Write put_entry(base::ShardId shard, base::LogIndex index, const LogEntry& entry) {
  return Writer(8 + entry.position.chain.size() + entry.command.size())
      .integer(entry.position.term.value)
      .bytes(entry.position.chain)
      .bytes(entry.command.span())
      .seal(entry_key(shard, index));
}

base::Result<LogEntry> read_entry(const KeyValue& record) {
  const auto body = unseal(record);
  if (!body) {
    return body.error();
  }
  Reader reader(body.value());
  LogEntry entry;
  entry.position.term = {reader.integer<std::uint64_t>()};
  entry.position.chain = reader.chain();
  entry.command = base::Bytes::copy_of(reader.rest());
  if (!reader.ok()) {
    return corrupt(record.key, "is no log entry");
  }
  return entry;
}

std::vector<Write> put_snapshot(base::ShardId shard, base::LogIndex index,
                                const base::Bytes& snapshot) {
  std::vector<Write> writes;
  writes.push_back(Write::erase_range(key_of(shard, 'T'), key_of(shard, 'T' + 1)));
  std::uint32_t pieces = 0;
  for (std::size_t offset = 0; offset < snapshot.size(); offset += snapshot_piece_bytes) {
    const std::size_t length = std::min(snapshot_piece_bytes, snapshot.size() - offset);
    writes.push_back(Writer(length)
                         .bytes(snapshot.span().subspan(offset, length))
                         .seal(piece_key(shard, pieces++)));
  }
  writes.push_back(Writer(32)
                       .integer(index.value)
                       .integer(std::uint64_t{snapshot.size()})
                       .integer(base::crc32c(snapshot.span()))
                       .integer(pieces)
                       .seal(snapshot_key(shard)));
  return writes;
}

base::Result<SnapshotRecord> read_snapshot(const KeyValue& record) {
  const auto body = unseal(record);
  if (!body) {
    return body.error();
  }
  Reader reader(body.value());
  SnapshotRecord snapshot;
  snapshot.index = {reader.integer<std::uint64_t>()};
  snapshot.size_bytes = reader.integer<std::uint64_t>();
  snapshot.data_crc32c = reader.integer<std::uint32_t>();
  snapshot.pieces = reader.integer<std::uint32_t>();
  if (!reader.ok()) {
    return corrupt(record.key, "is no description of a snapshot");
  }
  return snapshot;
}

base::Result<base::Bytes> read_pieces(const SnapshotRecord& snapshot,
                                      std::span<const KeyValue> pieces) {
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
  if (pieces.size() != snapshot.pieces || data.size() != snapshot.size_bytes ||
      base::crc32c(data) != snapshot.data_crc32c) {
    return base::Error{base::ErrorKind::lost, base::ErrorCode::corrupt,
                       "the snapshot of " + std::to_string(snapshot.size_bytes) +
                           " bytes is not what was stored: " + std::to_string(data.size()) +
                           " bytes in " + std::to_string(pieces.size()) + " pieces",
                       ""};
  }
  return base::Bytes(std::move(data));
}

base::Error corrupt(std::string_view key, std::string_view what) {
  std::string name = "(unknown)";
  switch (record_kind(key)) {
    case 'H':
      name = "log head";
      break;
    case 'L':
      name = "log entry " + std::to_string(record_number(key));
      break;
    case 'S':
      name = "snapshot description";
      break;
    case 'T':
      name = "snapshot piece " + std::to_string(record_number(key));
      break;
    default:
      break;
  }
  return {
      base::ErrorKind::lost, base::ErrorCode::corrupt,
      "stored record '" + name + "' " + std::string(what),
      "the disk changed what was written: keep the data folder for analysis and restore it from "
      "a copy; nothing was cut off"};
}

}  // namespace fastgpu::store
