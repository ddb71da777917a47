#include "actors/replica/raft_record.hpp"

#include <gtest/gtest.h>

#include "runtime/base/crc32c.hpp"
#include "runtime/store/memory_store.hpp"

namespace fastgpu::actors {
namespace {

constexpr base::ShardId shard{9};

store::KeyValue stored(const store::Write& write) {
  return {write.key, *write.value};
}

raft::Configuration three() {
  return {{{{1}, {11}, true}, {{2}, {22}, true}, {{3}, {0xffffffffffffffffu}, false}}};
}

TEST(RaftRecord, AHeadComesBackAsItWasWritten) {
  RaftHead head{{2}, {7}, {{5}, base::NodeId{3}}, {{40}, {4}}, {0xabcdefu}, {44}};
  EXPECT_EQ(read_head(stored(put_head(shard, head))).value(), head);
  head.hard.vote.reset();
  head.before_first = {};
  EXPECT_EQ(read_head(stored(put_head(shard, head))).value(), head);
}

TEST(RaftRecord, AnEntryOfEachKindComesBackAsItWasWritten) {
  raft::Entry entry;
  entry.index = {1ull << 40};
  entry.term = {3};
  entry.chain = {99};
  EXPECT_EQ(read_entry(stored(put_entry(shard, entry))).value(), entry);
  entry.kind = raft::EntryKind::command;
  entry.data = base::Bytes::copy_of("do it");
  EXPECT_EQ(read_entry(stored(put_entry(shard, entry))).value(), entry);
  entry.kind = raft::EntryKind::configuration;
  entry.data = {};
  entry.configuration = three();
  EXPECT_EQ(read_entry(stored(put_entry(shard, entry))).value(), entry);
}

TEST(RaftRecord, ASnapshotOfAnySizeComesBackFromItsPieces) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{3}, store::snapshot_piece_bytes,
                                 2 * store::snapshot_piece_bytes + 1}) {
    raft::Snapshot snapshot{
        {{40}, {4}}, {5}, three(), base::Bytes::copy_of(std::string(size, 's')), 0};
    snapshot.data_crc32c = base::crc32c(snapshot.data.span());
    std::vector<store::Write> writes;
    put_snapshot(shard, snapshot, writes);
    store::MemoryDisk disk;
    for (const store::Write& write : writes) {
      disk.apply(write);
    }
    auto records =
        store::sort_out(store::MemoryStore(disk, {}, base::Random(0)).scan("r").value(), "r");
    EXPECT_EQ(read_snapshot(*records.value().snapshot, records.value().pieces).value(), snapshot);
  }
}

TEST(RaftRecord, TheNumberOfAStoreComesBackAndIsNeverNone) {
  EXPECT_EQ(read_store_id(stored(put_store_id({123}))).value(), raft::StoreId{123});
  EXPECT_EQ(read_store_id(stored(put_store_id({}))).error().code, base::ErrorCode::corrupt);
}

/// The record with other bytes, and a checksum that is right for them.
store::KeyValue forged(const store::Write& write, std::size_t at, std::uint8_t byte) {
  std::vector<std::uint8_t> body(write.value->span().begin(), write.value->span().end() - 4);
  body.at(at) = byte;
  return stored(store::RecordWriter(body.size()).bytes(body).seal(write.key));
}

TEST(RaftRecord, ValuesThatNoWriterWritesAreDamageThoughTheChecksumIsRight) {
  raft::Entry entry;
  entry.index = {1};
  entry.term = {1};
  entry.kind = raft::EntryKind::configuration;
  entry.configuration = three();
  const store::Write whole = put_entry(shard, entry);
  EXPECT_TRUE(read_entry(forged(whole, 0, 9)).ok());
  EXPECT_EQ(read_entry(forged(whole, 8, 3)).error().code, base::ErrorCode::corrupt) << "kind";
  EXPECT_EQ(read_entry(forged(whole, 17, 200)).error().code, base::ErrorCode::corrupt) << "count";
  EXPECT_EQ(read_entry(forged(whole, 20, 255)).error().code, base::ErrorCode::corrupt) << "count";
  EXPECT_EQ(read_entry(forged(whole, 33, 2)).error().code, base::ErrorCode::corrupt) << "voter";
  const store::Write head = put_head(shard, {{1}, {7}, {{5}, {}}, {{40}, {4}}, {}, {44}});
  EXPECT_EQ(read_head(forged(head, 28, 2)).error().code, base::ErrorCode::corrupt) << "voted";
  EXPECT_EQ(read_head(forged(head, 0, 2)).error().code, base::ErrorCode::version_skew);
}

TEST(RaftRecord, ARecordUnderAnotherKeyIsDamage) {
  store::KeyValue moved = stored(put_head(shard, {{1}, {7}, {}, {}, {}, {}}));
  moved.key = put_head({8}, {}).key;
  EXPECT_EQ(read_head(moved).error().code, base::ErrorCode::corrupt);
}

}  // namespace
}  // namespace fastgpu::actors
