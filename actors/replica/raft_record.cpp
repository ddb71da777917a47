#include "actors/replica/raft_record.hpp"

#include <utility>

namespace fastgpu::actors {
namespace {

using store::KeyValue;
using store::LogKind;
using store::RecordReader;
using store::RecordWriter;

constexpr std::size_t member_bytes = 4 + 8 + 1;

void write(RecordWriter& to, const raft::LogPosition& position) {
  to.integer(position.index.value).integer(position.term.value);
}

raft::LogPosition read_position(RecordReader& from) {
  raft::LogPosition position;
  position.index = {from.integer<std::uint64_t>()};
  position.term = {from.integer<std::uint64_t>()};
  return position;
}

void write(RecordWriter& to, const raft::Configuration& configuration) {
  to.integer(static_cast<std::uint32_t>(configuration.members.size()));
  for (const raft::Member& member : configuration.members) {
    to.integer(member.node.value).integer(member.store.value);
    to.integer(static_cast<std::uint8_t>(member.voter));
  }
}

/// False where the bytes are of no configuration.
bool read(RecordReader& from, raft::Configuration& configuration) {
  const auto count = from.integer<std::uint32_t>();
  if (count > from.left() / member_bytes) {
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    raft::Member member;
    member.node = {from.integer<std::uint32_t>()};
    member.store = {from.integer<std::uint64_t>()};
    const auto voter = from.integer<std::uint8_t>();
    if (voter > 1) {
      return false;
    }
    member.voter = voter == 1;
    configuration.members.push_back(member);
  }
  return true;
}

}  // namespace

store::Write put_head(base::ShardId shard, const RaftHead& head) {
  RecordWriter to(80);
  to.integer(raft_log_format).integer(head.epoch.value).integer(head.store.value);
  to.integer(head.hard.term.value);
  to.integer(static_cast<std::uint8_t>(head.hard.vote.has_value()));
  to.integer(head.hard.vote.value_or(base::NodeId{}).value);
  write(to, head.before_first);
  to.integer(head.before_chain.value).integer(head.last.value);
  return to.seal(log_key(LogKind::group, shard, 'H'));
}

base::Result<RaftHead> read_head(const KeyValue& record) {
  const auto body = store::unseal(record);
  if (!body) {
    return body.error();
  }
  RecordReader reader(body.value());
  const auto format = reader.integer<std::uint32_t>();
  if (format != raft_log_format) {
    return base::Error{base::ErrorKind::rejected, base::ErrorCode::version_skew,
                       "the log was stored in format " + std::to_string(format) +
                           ", this program reads format " + std::to_string(raft_log_format),
                       "start the version that wrote it, or upgrade"};
  }
  RaftHead head;
  head.epoch = {reader.integer<std::uint64_t>()};
  head.store = {reader.integer<std::uint64_t>()};
  head.hard.term = {reader.integer<std::uint64_t>()};
  const auto voted = reader.integer<std::uint8_t>();
  const base::NodeId vote{reader.integer<std::uint32_t>()};
  if (voted == 1) {
    head.hard.vote = vote;
  }
  head.before_first = read_position(reader);
  head.before_chain = {reader.integer<std::uint64_t>()};
  head.last = {reader.integer<std::uint64_t>()};
  if (!reader.ok() || voted > 1 || !head.store || head.last < head.before_first.index) {
    return store::corrupt(record.key, "is no log head");
  }
  return head;
}

store::Write put_entry(base::ShardId shard, const raft::Entry& entry) {
  RecordWriter to(64 + entry.data.size() + member_bytes * entry.configuration.members.size());
  to.integer(entry.term.value).integer(static_cast<std::uint8_t>(entry.kind));
  to.integer(entry.chain.value);
  write(to, entry.configuration);
  to.bytes(entry.data.span());
  return to.seal(log_key(LogKind::group, shard, entry.index));
}

base::Result<raft::Entry> read_entry(const KeyValue& record) {
  const auto body = store::unseal(record);
  if (!body) {
    return body.error();
  }
  RecordReader reader(body.value());
  raft::Entry entry;
  entry.index = {store::record_number(record.key)};
  entry.term = {reader.integer<std::uint64_t>()};
  const auto kind = reader.integer<std::uint8_t>();
  entry.chain = {reader.integer<std::uint64_t>()};
  const bool members = read(reader, entry.configuration);
  entry.data = base::Bytes::copy_of(reader.rest());
  if (!reader.ok() || !members ||
      kind > static_cast<std::uint8_t>(raft::EntryKind::configuration)) {
    return store::corrupt(record.key, "is no log entry");
  }
  entry.kind = static_cast<raft::EntryKind>(kind);
  return entry;
}

void put_snapshot(base::ShardId shard, const raft::Snapshot& snapshot,
                  std::vector<store::Write>& writes) {
  const store::PiecesRecord about = store::put_pieces(LogKind::group, shard, snapshot.data, writes);
  RecordWriter to(64 + member_bytes * snapshot.configuration.members.size());
  write(to, snapshot.last);
  to.integer(snapshot.chain.value);
  write(to, snapshot.configuration);
  to.integer(about.size_bytes).integer(about.data_crc32c).integer(about.pieces);
  writes.push_back(to.seal(log_key(LogKind::group, shard, 'S')));
}

base::Result<raft::Snapshot> read_snapshot(const KeyValue& record,
                                           std::span<const KeyValue> pieces) {
  const auto body = store::unseal(record);
  if (!body) {
    return body.error();
  }
  RecordReader reader(body.value());
  raft::Snapshot snapshot;
  snapshot.last = read_position(reader);
  snapshot.chain = {reader.integer<std::uint64_t>()};
  const bool members = read(reader, snapshot.configuration);
  store::PiecesRecord about;
  about.size_bytes = reader.integer<std::uint64_t>();
  about.data_crc32c = reader.integer<std::uint32_t>();
  about.pieces = reader.integer<std::uint32_t>();
  if (!reader.ok() || !members) {
    return store::corrupt(record.key, "is no description of a snapshot");
  }
  auto data = store::read_pieces(about, pieces);
  if (!data) {
    return data.error();
  }
  snapshot.data = std::move(data).value();
  snapshot.data_crc32c = about.data_crc32c;
  return snapshot;
}

std::string store_id_key() {
  return "i";
}

store::Write put_store_id(raft::StoreId id) {
  return RecordWriter(8).integer(id.value).seal(store_id_key());
}

base::Result<raft::StoreId> read_store_id(const KeyValue& record) {
  const auto body = store::unseal(record);
  if (!body) {
    return body.error();
  }
  RecordReader reader(body.value());
  const raft::StoreId id{reader.integer<std::uint64_t>()};
  if (!reader.ok() || !id) {
    return store::corrupt(record.key, "is no number of a store");
  }
  return id;
}

}  // namespace fastgpu::actors
