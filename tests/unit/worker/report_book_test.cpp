#include "runtime/worker/report_book.hpp"

#include <gtest/gtest.h>

namespace fastgpu::worker {
namespace {

protocol::TaskOutcome outcome(const std::string& message = "", std::int64_t run_ns = 0) {
  protocol::TaskOutcome made;
  made.message = message;
  made.timings.run_ns = run_ns;
  return made;
}

TEST(ReportBook, JoinsNeighboursAndAveragesTheirTimes) {
  ReportBook book;
  book.add(2, outcome("", 300), 3);
  book.add(0, outcome("", 100), 1);
  book.add(1, outcome("", 200), 2);
  const auto batches = book.take_pending();
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].reports.size(), 1u);
  EXPECT_EQ(batches[0].reports[0].range, (base::TaskRange{0, 3}));
  EXPECT_EQ(batches[0].reports[0].outcome.timings.run_ns, 200);
  EXPECT_EQ(batches[0].device_ns, 6);
}

TEST(ReportBook, KeepsDifferentOutcomesAndGapsApart) {
  ReportBook book;
  for (std::uint32_t task : {0u, 1u, 3u})
    book.add(task, outcome(task == 1 ? "bad" : ""), 1);
  EXPECT_EQ(book.take_pending().at(0).reports.size(), 3u);
}

TEST(ReportBook, TellsAgainExactlyWhatIsNotSettled) {
  ReportBook book;
  for (std::uint32_t task = 0; task < 10; ++task)
    book.add(task, outcome(), 10);
  EXPECT_TRUE(book.told().empty());
  book.take_pending();
  EXPECT_TRUE(book.take_pending().empty());
  EXPECT_EQ(book.settle({3, 4}), (std::vector<base::TaskRange>{{3, 4}}));
  EXPECT_TRUE(book.settle({3, 4}).empty());
  const auto told = book.told();
  ASSERT_EQ(told.size(), 1u);
  ASSERT_EQ(told[0].reports.size(), 2u);
  EXPECT_EQ(told[0].reports[0].range, (base::TaskRange{0, 3}));
  EXPECT_EQ(told[0].reports[1].range, (base::TaskRange{7, 3}));
  EXPECT_EQ(told[0].device_ns, 60);
  EXPECT_EQ(book.told_tasks(), 6u);
  EXPECT_EQ(book.settle({0, 100}).size(), 2u);
  EXPECT_TRUE(book.empty());
}

TEST(ReportBook, ATaskHasOneReport) {
  ReportBook book;
  book.add(0, outcome("first"), 1);
  book.add(0, outcome("second"), 1);
  EXPECT_EQ(book.pending_tasks(), 1u);
  EXPECT_EQ(book.take_pending().at(0).reports.at(0).outcome.message, "first");
}

}  // namespace
}  // namespace fastgpu::worker
