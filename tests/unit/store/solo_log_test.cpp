#include "runtime/store/solo_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/store/solo_log_bench.hpp"

namespace fastgpu::store {
namespace {

using base::Admission;
using base::LogCommitted;
using base::LogEvent;
using base::LogIndex;
using base::LogLeading;
using base::LogReadReady;
using base::LogRestored;
using base::LogToken;
using base::Term;
using testing::ElementsAre;
using testing::IsEmpty;

LogCommitted no_op(std::uint64_t index, std::uint64_t term) {
  return {LogIndex{index}, Term{term}, std::nullopt, {}};
}
LogCommitted committed(std::uint64_t index, std::uint64_t term, std::optional<LogToken> token,
                       std::string_view command) {
  return {LogIndex{index}, Term{term}, token, bytes_of(command)};
}

TEST(SoloLog, LeadsInTermOneOnAnEmptyStore) {
  MemoryDisk disk;
  LogLife life(disk);
  life.start();
  EXPECT_THAT(life.events, IsEmpty()) << "nothing is said from inside start";
  life.sync(1);
  EXPECT_THAT(life.events, ElementsAre(LogEvent{no_op(1, 1)}, LogEvent{LogLeading{{1}, {1}}}));
}

TEST(SoloLog, RaisesTheTermDurablyAtEachStartBeforeItLeads) {
  MemoryDisk disk;
  for (std::uint64_t term = 1; term <= 5; ++term) {
    LogLife life(disk);
    life.start();
    life.log->pump();
    EXPECT_THAT(life.events, IsEmpty()) << "the term is not on disk yet";
    life.sync_all();
    EXPECT_EQ(life.events.back(), LogEvent(LogLeading{{1}, {term}}));
  }
}

TEST(SoloLog, ReusesItsTermWhenTheRiseIsBroken) {
  MemoryDisk disk;
  SoloLogOptions options{.shard = {3}};
  options.faults.keep_term = true;
  for (int start = 0; start < 3; ++start) {
    LogLife life(disk, options);
    life.lead();
    EXPECT_EQ(life.events.back(), LogEvent(LogLeading{{1}, {1}}));
  }
}

TEST(SoloLog, GivesOutWhatItRecoveredBeforeItLeads) {
  MemoryDisk disk;
  LogLife first(disk);
  first.lead();
  ASSERT_EQ(first.propose(1, "a"), Admission::accepted);
  ASSERT_EQ(first.propose(2, "b"), Admission::accepted);
  first.sync_all();
  LogLife second(disk);
  second.start();
  second.sync(1);
  EXPECT_THAT(second.events,
              ElementsAre(LogEvent{no_op(1, 1)}, LogEvent{committed(2, 1, std::nullopt, "a")},
                          LogEvent{committed(3, 1, std::nullopt, "b")}, LogEvent{no_op(4, 2)},
                          LogEvent{LogLeading{{1}, {2}}}));
}

TEST(SoloLog, CommitsInOrderWithTokensOnlyWhatIsDurable) {
  MemoryDisk disk;
  LogLife life(disk);
  life.lead();
  life.events.clear();
  ASSERT_EQ(life.propose(7, "a"), Admission::accepted);
  ASSERT_EQ(life.propose(9, "b"), Admission::accepted);
  life.log->pump();
  EXPECT_THAT(life.events, IsEmpty());
  life.sync(1);
  EXPECT_THAT(life.events, ElementsAre(LogEvent{committed(2, 1, LogToken{7}, "a")}));
  life.sync(1);
  EXPECT_EQ(life.events.back(), LogEvent(committed(3, 1, LogToken{9}, "b")));
}

TEST(SoloLog, RefusesProposalsAndReadsUntilItLeads) {
  MemoryDisk disk;
  LogLife life(disk);
  life.start();
  EXPECT_EQ(life.propose(1, "a"), Admission::not_leading);
  EXPECT_EQ(life.log->read_index({2}), Admission::not_leading);
}

TEST(SoloLog, GathersProposalsWhileItsWritesAreUnderWay) {
  MemoryDisk disk;
  LogLife life(disk);
  life.lead();
  for (std::uint64_t token = 1; token <= 100; ++token) {
    ASSERT_EQ(life.propose(token, "c" + std::to_string(token)), Admission::accepted);
  }
  EXPECT_EQ(life.writer.waiting.size(), 4u);
  life.sync(1);
  ASSERT_EQ(life.writer.waiting.size(), 4u);
  EXPECT_EQ(life.writer.waiting.back().size(), 96u) << "all that had gathered is one write";
  life.sync_all();
  EXPECT_EQ(life.commands().size(), 100u);
  EXPECT_EQ(life.log->commit_index(), LogIndex{101});
}

TEST(SoloLog, RefusesMoreProposalsThanItsBoundAndTakesThemLater) {
  MemoryDisk disk;
  LogLife life(disk, {.shard = {3}, .proposals_in_flight_max = 3});
  life.lead();
  for (std::uint64_t token = 1; token <= 3; ++token) {
    ASSERT_EQ(life.propose(token, "x"), Admission::accepted);
  }
  EXPECT_EQ(life.propose(4, "x"), Admission::full);
  life.sync(1);
  EXPECT_EQ(life.propose(4, "x"), Admission::accepted);
}

TEST(SoloLog, RefusesMoreBytesThanItsBoundButTakesOneBigCommand) {
  MemoryDisk disk;
  LogLife life(disk, {.shard = {3}, .proposal_bytes_in_flight_max = 10});
  life.lead();
  ASSERT_EQ(life.propose(1, std::string(50, 'x')), Admission::accepted);
  EXPECT_EQ(life.propose(2, "y"), Admission::full);
  life.sync_all();
  EXPECT_EQ(life.propose(2, "y"), Admission::accepted);
}

TEST(SoloLog, OffersAgainWhatAFullStoreRefused) {
  MemoryDisk disk;
  LogLife life(disk);
  life.lead();
  life.writer.full = true;
  ASSERT_EQ(life.propose(1, "a"), Admission::accepted);
  EXPECT_TRUE(life.log->waits_for_room());
  life.log->pump();
  EXPECT_TRUE(life.log->waits_for_room());
  life.writer.full = false;
  life.log->pump();
  EXPECT_FALSE(life.log->waits_for_room());
  life.sync_all();
  EXPECT_THAT(life.commands(), ElementsAre("a"));
}

TEST(SoloLog, ConfirmsAReadOnTheNextPumpAtTheCommitIndexOfTheCall) {
  MemoryDisk disk;
  LogLife life(disk);
  life.lead();
  ASSERT_EQ(life.propose(1, "a"), Admission::accepted);
  life.sync_all();
  ASSERT_EQ(life.propose(2, "b"), Admission::accepted);
  life.events.clear();
  ASSERT_EQ(life.log->read_index({3}), Admission::accepted);
  EXPECT_THAT(life.events, IsEmpty());
  EXPECT_TRUE(life.log->has_events());
  life.log->pump();
  EXPECT_THAT(life.events, ElementsAre(LogEvent{LogReadReady{{3}, {2}}}));
  EXPECT_FALSE(life.log->has_events());
}

TEST(SoloLog, LetsTheSinkProposeAndWritesItTogether) {
  MemoryDisk disk;
  LogLife life(disk);
  life.on_event = [&](const LogEvent& event) {
    if (std::holds_alternative<LogLeading>(event)) {
      for (std::uint64_t token = 1; token <= 10; ++token) {
        ASSERT_EQ(life.propose(token, "x"), Admission::accepted);
      }
      ASSERT_EQ(life.log->read_index({11}), Admission::accepted);
    }
  };
  life.start();
  life.sync(1);
  EXPECT_EQ(life.events.back(), LogEvent(LogReadReady{{11}, {1}}));
  ASSERT_EQ(life.writer.waiting.size(), 1u);
  EXPECT_EQ(life.writer.waiting[0].size(), 10u);
}

TEST(SoloLog, StartsAgainFromItsSnapshotAndTheEntriesAfterIt) {
  MemoryDisk disk;
  LogLife first(disk);
  first.lead();
  for (std::uint64_t token = 1; token <= 4; ++token) {
    ASSERT_EQ(first.propose(token, "c" + std::to_string(token)), Admission::accepted);
  }
  first.sync_all();
  first.log->compact({3}, bytes_of("state through 3"));
  ASSERT_EQ(first.propose(5, "c5"), Admission::accepted);
  first.sync_all();
  EXPECT_FALSE(disk.contents().contains(entry_key({3}, {3})));
  LogLife second(disk);
  second.lead();
  EXPECT_EQ(second.events.front(), LogEvent(LogRestored{{3}, bytes_of("state through 3")}));
  EXPECT_THAT(second.commands(), ElementsAre("c3", "c4", "c5"));
  EXPECT_EQ(second.log->first_index(), LogIndex{4});
}

TEST(SoloLog, GivesOutNoSnapshotBeforeItsTermIsDurable) {
  MemoryDisk disk;
  LogLife first(disk);
  first.lead();
  first.log->compact({1}, bytes_of("state"));
  first.sync_all();
  LogLife second(disk);
  second.start();
  EXPECT_FALSE(second.log->has_events());
  second.log->pump();
  EXPECT_THAT(second.events, IsEmpty());
  second.sync_all();
  EXPECT_EQ(second.restored(), "state");
}

TEST(SoloLog, CompactsAgainAndAgainWithSnapshotsOfAnySize) {
  MemoryDisk disk;
  std::string state;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, snapshot_piece_bytes,
                                 3 * snapshot_piece_bytes + 17, std::size_t{5}}) {
    LogLife life(disk);
    life.lead();
    EXPECT_EQ(life.restored().value_or(""), state);
    ASSERT_EQ(life.propose(1, "x"), Admission::accepted);
    life.sync_all();
    state = std::string(size, 'a');
    if (size > 1) {
      state[size / 2] = 'b';
    }
    life.log->compact(life.log->commit_index(), bytes_of(state));
    life.log->compact(LogIndex{1}, bytes_of("older: ignored"));
    life.sync_all();
  }
  LogLife last(disk);
  last.lead();
  EXPECT_EQ(last.restored(), state);
  EXPECT_THAT(last.commands(), IsEmpty());
}

TEST(SoloLog, KeepsTheLogsOfSeveralShardsApart) {
  MemoryDisk disk;
  for (const std::uint32_t shard : {0u, 1u, 256u, 0xffffffffu}) {
    LogLife life(disk, {.shard = {shard}});
    life.lead();
    ASSERT_EQ(life.propose(1, std::to_string(shard)), Admission::accepted);
    life.sync_all();
    life.log->compact({1}, bytes_of("s" + std::to_string(shard)));
    life.sync_all();
  }
  for (const std::uint32_t shard : {0u, 1u, 256u, 0xffffffffu}) {
    LogLife life(disk, {.shard = {shard}});
    life.lead();
    EXPECT_EQ(life.restored(), "s" + std::to_string(shard));
    EXPECT_THAT(life.commands(), ElementsAre(std::to_string(shard)));
  }
}

TEST(SoloLog, TakesAGreaterEpochAndNeverALowerOne) {
  MemoryDisk disk;
  LogLife founded(disk, {.shard = {3}, .epoch = {1}});
  founded.lead();
  LogLife recovered(disk, {.shard = {3}, .epoch = {4}});
  recovered.lead();
  EXPECT_EQ(recovered.events.back(), LogEvent(LogLeading{{4}, {2}}));
  LogLife later(disk, {.shard = {3}, .epoch = {2}});
  later.lead();
  EXPECT_EQ(later.events.back(), LogEvent(LogLeading{{4}, {3}}));
}

}  // namespace
}  // namespace fastgpu::store
