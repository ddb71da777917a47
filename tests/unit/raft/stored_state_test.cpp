#include "runtime/raft/stored_state.hpp"

#include <gtest/gtest.h>

#include "runtime/base/crc32c.hpp"

namespace fastgpu::raft {
namespace {

class RaftStored : public ::testing::Test {
 protected:
  RaftStored() {
    state.store = {7};
    state.hard.term = {2};
    Chain chain;
    for (std::uint64_t index = 1; index <= 6; ++index) {
      Entry one;
      one.index = {index};
      one.term = {index < 4 ? 1u : 2u};
      one.data = base::Bytes::copy_of(std::string(index, 'a'));
      one.kind = EntryKind::command;
      one.chain = chain = chain_after(chain, one);
      state.entries.push_back(one);
    }
  }
  Snapshot snapshot_at(std::uint64_t index) {
    Snapshot snapshot;
    const Entry& entry = state.entries.at(index - state.before_first.index.value - 1);
    snapshot.last = entry.position();
    snapshot.chain = entry.chain;
    snapshot.data = base::Bytes::copy_of("state");
    snapshot.data_crc32c = base::crc32c(snapshot.data.span());
    return snapshot;
  }
  StoredState state;
};

TEST_F(RaftStored, AWholeLogIsTaken) {
  EXPECT_TRUE(checked(state).ok());
  EXPECT_EQ(checked(state).value(), state);
}

TEST_F(RaftStored, ADamagedLogIsRefusedAndNothingIsCut) {
  StoredState flipped = state;
  flipped.entries[2].data = base::Bytes::copy_of("abb");
  EXPECT_EQ(checked(flipped).error().code, base::ErrorCode::corrupt);
  StoredState last = state;
  last.entries.back().data = base::Bytes::copy_of("other");
  EXPECT_FALSE(checked(last).ok());
  StoredState hole = state;
  hole.entries.erase(hole.entries.begin() + 3);
  EXPECT_FALSE(checked(hole).ok());
  StoredState swapped = state;
  std::swap(swapped.entries[1].data, swapped.entries[2].data);
  EXPECT_FALSE(checked(swapped).ok());
  StoredState future = state;
  future.hard.term = {1};
  EXPECT_FALSE(checked(future).ok());
  StoredState snapshot = state;
  apply(snapshot, Persist{{1}, {}, {}, snapshot_at(3), false, {}, {}, false});
  EXPECT_TRUE(checked(snapshot).ok());
  snapshot.snapshot.data = base::Bytes::copy_of("stale");
  EXPECT_FALSE(checked(snapshot).ok());
}

TEST_F(RaftStored, ACutComesBeforeTheEntriesThatReplaceIt) {
  Entry other = state.entries[3];
  other.data = base::Bytes::copy_of("new");
  other.chain = chain_after(state.entries[2].chain, other);
  Persist persist;
  persist.cut_from = {4};
  persist.entries = {other};
  apply(state, persist);
  EXPECT_EQ(state.last().index, base::LogIndex{4});
  EXPECT_TRUE(checked(state).ok());
}

TEST_F(RaftStored, ACompactionKeepsWhatFollows) {
  Persist persist;
  persist.snapshot = snapshot_at(5);
  persist.drop_through = {3};
  apply(state, persist);
  EXPECT_EQ(state.before_first, (LogPosition{{3}, {1}}));
  EXPECT_EQ(state.entries.size(), 3u);
  EXPECT_TRUE(checked(state).ok());
}

TEST_F(RaftStored, AnInstallReplacesTheLog) {
  Persist persist;
  persist.snapshot = Snapshot{{{40}, {2}}, {9}, {}, {}, 0};
  persist.clear_log = true;
  apply(state, persist);
  EXPECT_EQ(state.last(), (LogPosition{{40}, {2}}));
  EXPECT_TRUE(checked(state).ok());
}

TEST_F(RaftStored, AGroupIsFoundedOnEmptyStoresByItsMembersOnly) {
  StoredState empty;
  empty.store = {101};
  const Configuration members{{{{1}, {101}, true}, {{2}, {102}, true}}};
  const auto first = founded(empty, {1}, members);
  ASSERT_TRUE(first.ok());
  EXPECT_TRUE(checked(first.value()).ok());
  EXPECT_EQ(first.value().entries.at(0).configuration, members);
  EXPECT_FALSE(founded(empty, {2}, members).ok()) << "not its store";
  EXPECT_FALSE(founded(first.value(), {1}, members).ok()) << "not empty";
}

}  // namespace
}  // namespace fastgpu::raft
