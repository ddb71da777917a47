#include "runtime/store/solo_record.hpp"

#include <algorithm>
#include <utility>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/sha256.hpp"

namespace fastgpu::store {
namespace {

ChainHash chain_of(RecordReader& reader) {
  ChainHash chain{};
  const auto data = reader.bytes(chain.size());
  std::copy(data.begin(), data.end(), chain.begin());
  return chain;
}

}  // namespace

std::string log_prefix(base::ShardId shard) {
  return log_prefix(LogKind::solo, shard);
}

std::string head_key(base::ShardId shard) {
  return log_key(LogKind::solo, shard, 'H');
}

std::string entry_key(base::ShardId shard, base::LogIndex index) {
  return log_key(LogKind::solo, shard, index);
}

std::string snapshot_key(base::ShardId shard) {
  return log_key(LogKind::solo, shard, 'S');
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
  return RecordWriter(64)
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
  RecordReader reader(body.value());
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
  head.before_first.chain = chain_of(reader);
  head.last_index = {reader.integer<std::uint64_t>()};
  if (!reader.ok() || !head.first_index) {
    return corrupt(record.key, "is no log head");
  }
  return head;
}

Write put_entry(base::ShardId shard, base::LogIndex index, const LogEntry& entry) {
  return RecordWriter(8 + entry.position.chain.size() + entry.command.size())
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
  RecordReader reader(body.value());
  LogEntry entry;
  entry.position.term = {reader.integer<std::uint64_t>()};
  entry.position.chain = chain_of(reader);
  entry.command = base::Bytes::copy_of(reader.rest());
  if (!reader.ok()) {
    return corrupt(record.key, "is no log entry");
  }
  return entry;
}

std::vector<Write> put_snapshot(base::ShardId shard, base::LogIndex index,
                                const base::Bytes& snapshot) {
  std::vector<Write> writes;
  const PiecesRecord about = put_pieces(LogKind::solo, shard, snapshot, writes);
  writes.push_back(RecordWriter(32)
                       .integer(index.value)
                       .integer(about.size_bytes)
                       .integer(about.data_crc32c)
                       .integer(about.pieces)
                       .seal(snapshot_key(shard)));
  return writes;
}

base::Result<SnapshotRecord> read_snapshot(const KeyValue& record) {
  const auto body = unseal(record);
  if (!body) {
    return body.error();
  }
  RecordReader reader(body.value());
  SnapshotRecord snapshot;
  snapshot.index = {reader.integer<std::uint64_t>()};
  snapshot.data.size_bytes = reader.integer<std::uint64_t>();
  snapshot.data.data_crc32c = reader.integer<std::uint32_t>();
  snapshot.data.pieces = reader.integer<std::uint32_t>();
  if (!reader.ok()) {
    return corrupt(record.key, "is no description of a snapshot");
  }
  return snapshot;
}

}  // namespace fastgpu::store
