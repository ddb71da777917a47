#include "actors/replica/raft_disk.hpp"

#include <gtest/gtest.h>

#include "runtime/base/crc32c.hpp"
#include "runtime/base/random.hpp"
#include "runtime/store/memory_store.hpp"

namespace fastgpu::actors {
namespace {

using raft::Persist;
using raft::StoredState;

constexpr base::ShardId shard{5};
constexpr raft::StoreId own{77};

std::vector<store::KeyValue> contents_of(store::MemoryDisk& disk) {
  return store::MemoryStore(disk, {}, base::Random(0)).scan(RaftDisk::key_prefix(shard)).value();
}

base::Result<StoredState> load(store::MemoryDisk& disk) {
  return RaftDisk(shard, {1}, own).load(contents_of(disk));
}

/// Persists as a machine may ask for them, drawn at random, over what is stored.
class Drawn {
 public:
  explicit Drawn(std::uint64_t seed) : random_(seed) { state.store = own; }

  Persist next() {
    Persist persist;
    persist.tag = {++tag_};
    after_ = state;
    if (random_.chance(200'000)) {
      persist.hard = raft::HardState{{state.hard.term.value + 1}, std::nullopt};
      if (random_.chance(500'000)) {
        persist.hard->vote = base::NodeId{1 + static_cast<std::uint32_t>(random_.below(3))};
      }
    }
    if (random_.chance(100'000)) {
      install(persist);
    } else if (state.entries.size() > 2 && random_.chance(100'000)) {
      compact(persist);
    } else if (may_be_cut() > 0 && random_.chance(150'000)) {
      persist.cut_from = {state.last().index.value - random_.below(may_be_cut())};
    }
    raft::apply(after_, persist);
    for (std::uint64_t i = random_.below(4); i > 0; --i) {
      persist.entries.push_back(entry());
      after_.entries.push_back(persist.entries.back());
    }
    return persist;
  }
  StoredState state;

 private:
  /// How many entries a cut may take: those after the snapshot.
  std::uint64_t may_be_cut() const {
    return state.last().index.value - state.snapshot.last.index.value;
  }
  raft::Entry entry() {
    raft::Entry one;
    one.index = {after_.last().index.value + 1};
    one.term = std::max(after_.hard.term, after_.last().term);
    one.kind = raft::EntryKind::command;
    one.data = base::Bytes::copy_of(std::string(random_.below(40), 'e'));
    const raft::Chain before =
        after_.entries.empty() ? after_.before_chain : after_.entries.back().chain;
    one.chain = raft::chain_after(before, one);
    return one;
  }
  void fill(raft::Snapshot& snapshot) {
    snapshot.configuration.members = {{{1}, own, true}};
    snapshot.data = base::Bytes::copy_of(std::string(random_.below(3000), 's'));
    snapshot.data_crc32c = base::crc32c(snapshot.data.span());
  }
  /// A leader's, from beyond the end.
  void install(Persist& persist) {
    raft::Snapshot snapshot;
    snapshot.last = {{state.last().index.value + 1 + random_.below(5)},
                     std::max(state.hard.term, base::Term{1})};
    snapshot.chain = {random_.next()};
    fill(snapshot);
    if (!persist.hard) {
      persist.hard = raft::HardState{snapshot.last.term, std::nullopt};
    }
    persist.snapshot = snapshot;
    persist.clear_log = true;
  }
  void compact(Persist& persist) {
    const raft::Entry& last = state.entries[random_.below(state.entries.size())];
    if (last.index <= state.snapshot.last.index) {
      return;
    }
    raft::Snapshot snapshot;
    snapshot.last = last.position();
    snapshot.chain = last.chain;
    fill(snapshot);
    persist.snapshot = snapshot;
    if (random_.chance(700'000)) {
      persist.drop_through = {last.index.value - random_.below(2)};
    }
  }
  base::Random random_;
  std::uint64_t tag_{0};
  StoredState after_;  ///< with what the Persist that is being drawn does
};

TEST(RaftDisk, WritesMeanTheSameAsThePersistsThatTheyStandFor) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    store::MemoryDisk disk;
    RaftDisk writer(shard, {1}, own);
    Drawn drawn(seed);
    for (int i = 0; i < 100; ++i) {
      const Persist persist = drawn.next();
      raft::apply(drawn.state, persist);
      for (const store::Write& write : writer.changes(persist)) {
        disk.apply(write);
      }
      const auto loaded = load(disk);
      ASSERT_TRUE(loaded.ok()) << loaded.error().message;
      ASSERT_EQ(loaded.value(), drawn.state) << "seed " << seed << ", persist " << i;
      ASSERT_TRUE(raft::checked(loaded.value()).ok());
    }
  }
}

TEST(RaftDisk, GoesOnFromWhatItHasLoaded) {
  store::MemoryDisk disk;
  Drawn drawn(7);
  for (int i = 0; i < 100; ++i) {
    RaftDisk writer(shard, {1}, own);
    ASSERT_TRUE(writer.load(contents_of(disk)).ok());
    const Persist persist = drawn.next();
    raft::apply(drawn.state, persist);
    for (const store::Write& write : writer.changes(persist)) {
      disk.apply(write);
    }
    ASSERT_EQ(load(disk).value(), drawn.state);
  }
}

/// A log with a snapshot in two pieces, and entries before and after its end.
store::MemoryDisk stored_log() {
  store::MemoryDisk disk;
  RaftDisk writer(shard, {1}, own);
  StoredState state;
  state.store = own;
  raft::Configuration members{{{{1}, own, true}}};
  const auto write = [&](const Persist& persist) {
    raft::apply(state, persist);
    for (const store::Write& one : writer.changes(persist)) {
      disk.apply(one);
    }
  };
  const StoredState founded = raft::founded(state, {1}, members).value();
  write({{1}, founded.hard, {}, {}, false, {}, founded.entries, false});
  for (std::uint64_t index = 2; index <= 6; ++index) {
    raft::Entry entry;
    entry.index = {index};
    entry.term = {1};
    entry.kind = raft::EntryKind::command;
    entry.data = base::Bytes::copy_of("command " + std::to_string(index));
    entry.chain = raft::chain_after(state.entries.back().chain, entry);
    write({{index}, {}, {}, {}, false, {}, {entry}, false});
  }
  raft::Snapshot snapshot{state.entries[3].position(), state.entries[3].chain, members,
                          base::Bytes::copy_of(std::string(store::snapshot_piece_bytes + 9, 's')),
                          0};
  snapshot.data_crc32c = base::crc32c(snapshot.data.span());
  write({{7}, {}, {}, snapshot, false, base::LogIndex{2}, {}, false});
  return disk;
}

/// What a start says of these contents.
base::ErrorCode verdict(store::MemoryDisk& disk) {
  const auto loaded = load(disk);
  if (!loaded.ok()) {
    return loaded.error().code;
  }
  const auto whole = raft::checked(loaded.value());
  return whole.ok() ? base::ErrorCode::none : whole.error().code;
}

TEST(RaftDiskDamage, AWholeLogIsTaken) {
  store::MemoryDisk disk = stored_log();
  EXPECT_EQ(verdict(disk), base::ErrorCode::none);
  EXPECT_EQ(disk.contents().size(), 1u + 4u + 1u + 2u) << "head, entries, snapshot, its pieces";
}

TEST(RaftDiskDamage, EveryRecordWithAByteChangedIsRefused) {
  store::MemoryDisk whole = stored_log();
  for (const auto& [key, value] : whole.contents()) {
    const std::size_t stride = value.size() > 1000 ? 4099 : 1;
    for (std::size_t at = 0; at < value.size(); at += stride) {
      store::MemoryDisk disk = whole;
      std::vector<std::uint8_t> damaged(value.span().begin(), value.span().end());
      damaged[at] ^= 0x10;
      disk.contents()[key] = base::Bytes(std::move(damaged));
      ASSERT_EQ(verdict(disk), base::ErrorCode::corrupt) << store::record_kind(key) << at;
    }
  }
}

TEST(RaftDiskDamage, AMissingRecordIsSeenAtTheEndToo) {
  store::MemoryDisk whole = stored_log();
  for (const auto& [key, value] : whole.contents()) {
    store::MemoryDisk disk = whole;
    disk.contents().erase(key);
    ASSERT_EQ(verdict(disk), base::ErrorCode::corrupt) << store::record_kind(key);
  }
}

TEST(RaftDiskDamage, ATruncatedOrUnknownRecordIsRefused) {
  store::MemoryDisk whole = stored_log();
  for (const auto& [key, value] : whole.contents()) {
    for (const std::size_t length : {std::size_t{0}, std::size_t{3}, value.size() - 1}) {
      store::MemoryDisk disk = whole;
      disk.contents()[key] = base::Bytes::copy_of(value.span().first(length));
      ASSERT_EQ(verdict(disk), base::ErrorCode::corrupt);
    }
  }
  store::MemoryDisk stranger = whole;
  stranger.contents()[RaftDisk::key_prefix(shard) + "Z"] = base::Bytes::copy_of("?");
  EXPECT_EQ(verdict(stranger), base::ErrorCode::corrupt);
}

TEST(RaftDiskDamage, AnEntryOfAnotherHistoryIsRefused) {
  store::MemoryDisk disk = stored_log();
  raft::Entry other;
  other.index = {5};
  other.term = {1};
  other.kind = raft::EntryKind::command;
  other.data = base::Bytes::copy_of("other");
  other.chain = raft::chain_after({}, other);
  disk.apply(put_entry(shard, other));
  EXPECT_EQ(verdict(disk), base::ErrorCode::corrupt);
}

}  // namespace
}  // namespace fastgpu::actors
