#include "runtime/raft/log_view.hpp"

#include <gtest/gtest.h>

namespace fastgpu::raft {
namespace {

Entry entry(std::uint64_t index, std::uint64_t term) {
  Entry one;
  one.index = {index};
  one.term = {term};
  one.kind = EntryKind::command;
  one.data = base::Bytes::copy_of("x");
  return one;
}

Entry members(std::uint64_t index, std::uint64_t term, std::uint32_t count) {
  Entry one = entry(index, term);
  one.kind = EntryKind::configuration;
  for (std::uint32_t node = 1; node <= count; ++node) {
    one.configuration.members.push_back({{node}, {node + 100}, true});
  }
  return one;
}

class RaftLog : public ::testing::Test {
 protected:
  void append(std::uint64_t first, std::uint64_t last, std::uint64_t term) {
    for (std::uint64_t index = first; index <= last; ++index) {
      log.append(entry(index, term));
    }
  }
  LogView log{StoredState{}, Fault::none};
};

TEST_F(RaftLog, CountsAsPersistedWhatWasReported) {
  append(1, 3, 1);
  log.issued({1});
  append(4, 5, 1);
  log.issued({2});
  EXPECT_EQ(log.persisted(), (LogPosition{{0}, {0}}));
  log.completed({1});
  EXPECT_EQ(log.persisted(), (LogPosition{{3}, {1}}));
  log.completed({2});
  EXPECT_EQ(log.persisted(), (LogPosition{{5}, {1}}));
  EXPECT_EQ(log.unpersisted_bytes(), 0u);
}

TEST_F(RaftLog, ALateReportNeverCountsWhatWasCutSince) {
  append(1, 5, 1);
  log.issued({1});
  log.cut_from({3});
  append(3, 4, 2);
  log.issued({2});
  log.completed({1});
  EXPECT_EQ(log.persisted(), (LogPosition{{2}, {1}}));
  log.completed({2});
  EXPECT_EQ(log.persisted(), (LogPosition{{4}, {2}}));
  EXPECT_EQ(log.unpersisted_bytes(), 0u);
}

TEST_F(RaftLog, ACutBelowWhatIsOnDiskLowersIt) {
  append(1, 5, 1);
  log.issued({1});
  log.completed({1});
  log.cut_from({4});
  EXPECT_EQ(log.persisted().index, base::LogIndex{3});
}

TEST_F(RaftLog, ACutBringsBackTheMembersBefore) {
  log.append(members(1, 1, 3));
  append(2, 3, 1);
  log.append(members(4, 1, 4));
  EXPECT_EQ(log.active().members.size(), 4u);
  EXPECT_EQ(log.members_at({3}).members.size(), 3u);
  log.cut_from({4});
  EXPECT_EQ(log.active().members.size(), 3u);
  EXPECT_EQ(log.active_index(), base::LogIndex{1});
}

TEST_F(RaftLog, KnowsTermsFromBeforeItsFirstEntryToItsLast) {
  append(1, 3, 1);
  append(4, 6, 2);
  log.issued({1});
  log.completed({1});
  log.drop_through({2});
  EXPECT_EQ(log.before_first(), (LogPosition{{2}, {1}}));
  EXPECT_EQ(log.term_at({1}), std::nullopt);
  EXPECT_EQ(log.term_at({2}), base::Term{1});
  EXPECT_EQ(log.term_at({6}), base::Term{2});
  EXPECT_EQ(log.term_at({7}), std::nullopt);
  EXPECT_EQ(log.first_of_term_at({6}), base::LogIndex{4});
  EXPECT_EQ(log.first_of_term_at({3}), base::LogIndex{3});
}

TEST_F(RaftLog, TheChainTellsLogsApartThatDifferAnywhereBefore) {
  append(1, 3, 1);
  LogView other{StoredState{}, Fault::none};
  other.append(entry(1, 1));
  Entry changed = entry(2, 1);
  changed.data = base::Bytes::copy_of("y");
  other.append(changed);
  other.append(entry(3, 1));
  EXPECT_EQ(log.chain_at({1}), other.chain_at({1}));
  EXPECT_NE(log.chain_at({3}), other.chain_at({3}));
}

TEST_F(RaftLog, ASnapshotReplacesEverything) {
  append(1, 3, 1);
  log.issued({1});
  Snapshot snapshot;
  snapshot.last = {{10}, {4}};
  snapshot.configuration = members(1, 1, 2).configuration;
  log.reset_to(snapshot);
  log.completed({1});
  EXPECT_EQ(log.last(), snapshot.last);
  EXPECT_EQ(log.persisted(), snapshot.last);
  EXPECT_EQ(log.active().members.size(), 2u);
  EXPECT_EQ(log.unpersisted_bytes(), 0u);
}

TEST_F(RaftLog, AHoleAborts) {
  append(1, 2, 1);
  EXPECT_DEATH(log.append(entry(4, 1)), "hole");
}

}  // namespace
}  // namespace fastgpu::raft
