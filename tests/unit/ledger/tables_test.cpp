#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "runtime/base/random.hpp"
#include "runtime/ledger/tables/interval_map.hpp"
#include "runtime/ledger/tables/proposal_batch.hpp"
#include "runtime/ledger/tables/task_ranges.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(TaskRanges, NormalizedSortsJoinsAndDropsEmptyOnes) {
  EXPECT_EQ(normalized({{5, 2}, {0, 3}, {9, 0}, {3, 1}, {6, 4}}), (TaskRanges{{0, 4}, {5, 5}}));
}

TEST(TaskRanges, ReachToTheLastTaskNumber) {
  const TaskRanges top{{UINT32_MAX - 1, 1}};
  EXPECT_EQ(intersection(top, {{0, UINT32_MAX}}), top);
  EXPECT_EQ(difference({{0, UINT32_MAX}}, top), (TaskRanges{{0, UINT32_MAX - 1}}));
}

TEST(TaskRanges, AgreeWithSetsOfTasks) {
  base::Random random(3);
  const auto draw = [&random] {
    TaskRanges ranges;
    for (std::uint64_t i = 0; i < random.below(5); ++i) {
      ranges.push_back({static_cast<std::uint32_t>(random.below(30)),
                        static_cast<std::uint32_t>(random.below(8))});
    }
    return normalized(ranges);
  };
  const auto contains = [](const TaskRanges& set, std::uint32_t task) {
    for (const base::TaskRange& range : set) {
      if (range.contains(task)) {
        return true;
      }
    }
    return false;
  };
  for (int round = 0; round < 2000; ++round) {
    const TaskRanges a = draw();
    const TaskRanges b = draw();
    std::uint64_t count = 0;
    for (std::uint32_t task = 0; task < 40; ++task) {
      const bool in_a = contains(a, task);
      const bool in_b = contains(b, task);
      count += in_a ? 1 : 0;
      ASSERT_EQ(contains(intersection(a, b), task), in_a && in_b);
      ASSERT_EQ(contains(difference(a, b), task), in_a && !in_b);
      ASSERT_EQ(contains(united(a, b), task), in_a || in_b);
    }
    ASSERT_EQ(count_tasks(a), count);
    ASSERT_EQ(normalized(difference(a, b)), difference(a, b));
  }
}

TEST(IntervalMap, AgreesWithAMapOfTasks) {
  base::Random random(4);
  IntervalMap<int> map;
  std::map<std::uint32_t, int> naive;
  for (int round = 0; round < 5000; ++round) {
    const base::TaskRange range{static_cast<std::uint32_t>(random.below(50)),
                                static_cast<std::uint32_t>(random.below(12))};
    const int value = static_cast<int>(random.below(3));
    const std::uint64_t what = random.below(3);
    if (what == 0) {
      map.assign(range, value);
    } else if (what == 1) {
      map.erase(range);
    } else {
      map.update(range, [value](base::TaskRange, int& old) { old = value; });
    }
    for (std::uint32_t task = range.first; task < range.end(); ++task) {
      if (what == 1) {
        naive.erase(task);
      } else if (what == 0 || naive.contains(task)) {
        naive[task] = value;
      }
    }
    for (std::uint32_t task = 0; task < 64; ++task) {
      const auto at = naive.find(task);
      const int* found = map.find(task);
      ASSERT_EQ(found != nullptr, at != naive.end());
      ASSERT_TRUE(!found || *found == at->second);
    }
    std::uint64_t end = 0;
    const int* last = nullptr;
    map.for_each([&](base::TaskRange part, const int& one) {
      ASSERT_FALSE(last && end == part.first && *last == one) << "alike neighbours are apart";
      end = part.end();
      last = &one;
    });
  }
}

TEST(IntervalMap, VisitsThePartsInsideARange) {
  IntervalMap<int> map;
  map.assign({0, 10}, 1);
  map.assign({20, 10}, 2);
  std::vector<std::pair<base::TaskRange, int>> seen;
  map.for_each_in({5, 20},
                  [&seen](base::TaskRange part, int value) { seen.emplace_back(part, value); });
  EXPECT_EQ(seen, (std::vector<std::pair<base::TaskRange, int>>{{{5, 5}, 1}, {{20, 5}, 2}}));
}

class Batch : public ::testing::Test {
 protected:
  static constexpr std::size_t record_bytes = 160;  ///< of one that says little
  Batch()
      : batch([] {
          ShardLimits limits;
          limits.entries_in_flight_max = 2;
          limits.small_entries_in_flight_max = 4;
          limits.small_entries_bytes_max = 3 * record_bytes;
          limits.entry_records_max = 3;
          limits.entry_bytes_max = 2000;
          return limits;
        }()) {}
  std::vector<Propose> flush() { return batch.flush(now, token); }

  ProposalBatch batch;
  base::LogToken token;
  base::Time now{std::chrono::seconds{1}};
};

TEST_F(Batch, BoundsAnEntryByRecordsAndByBytes) {
  for (std::uint64_t number = 1; number <= 7; ++number) {
    batch.add(cancelled(number));
  }
  auto proposals = flush();
  ASSERT_THAT(proposals, SizeIs(2));
  EXPECT_THAT(proposals[0].entry.records, SizeIs(3));
  EXPECT_THAT(flush(), IsEmpty()) << "two entries are in flight";
  EXPECT_THAT(batch.take(proposals[0].token).records, SizeIs(3));
  EXPECT_THAT(flush().at(0).entry.records, SizeIs(1));
  batch.take(proposals[1].token);
  const auto large = outcome(protocol::TaskState::failed, {}, std::string(3000, 'x'));
  batch.add(finished(attempt(1), {0, 1}, large));
  batch.add(finished(attempt(1), {1, 1}, large));
  EXPECT_THAT(flush().at(0).entry.records, SizeIs(1));
}

TEST_F(Batch, LetsAFewSmallEntriesMoreGoWhileAllInFlightAreSmall) {
  for (std::uint64_t number = 1; number <= 3; ++number) {
    batch.add(cancelled(number));
    EXPECT_THAT(flush(), SizeIs(1));
  }
  batch.add(cancelled(4));
  EXPECT_THAT(flush(), IsEmpty()) << "what is in flight is not so small any more";
  batch.take({1});
  EXPECT_THAT(flush(), SizeIs(1));
}

TEST_F(Batch, KeepsTheOrderWhenTheLogRefuses) {
  batch.add(cancelled(1));
  const auto first = flush();
  batch.add(cancelled(2));
  const auto second = flush();
  batch.add(cancelled(3));
  batch.refused(first.at(0).token, now + std::chrono::milliseconds{50});
  batch.refused(second.at(0).token, now + std::chrono::milliseconds{50});
  EXPECT_THAT(flush(), IsEmpty());
  now += std::chrono::milliseconds{50};
  const auto again = flush();
  ASSERT_THAT(again, SizeIs(3));
  EXPECT_EQ(again[0].entry, first[0].entry);
  EXPECT_EQ(again[1].entry, second[0].entry);
  EXPECT_EQ(again[2].entry.records.at(0), protocol::Record(cancelled(3)));
}

TEST_F(Batch, TellsWhatWasProposedFromWhatWasNot) {
  batch.add(cancelled(1));
  flush();
  batch.add(cancelled(2));
  const auto dropped = batch.drop_all();
  EXPECT_THAT(dropped.in_flight, SizeIs(1));
  EXPECT_THAT(dropped.not_proposed, SizeIs(1));
  EXPECT_THAT(flush(), IsEmpty());
}

}  // namespace
}  // namespace fastgpu::ledger
