#include "runtime/logs/log_desk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/logs/log_samples.hpp"

namespace fastgpu::logs::test {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Desk : public ::testing::Test {
 protected:
  DeskEffects step(const DeskEvent& event) { return desk_.step(event, now_); }
  /// A reader of job 1 that finds nothing and waits.
  void wait(std::uint64_t reader, base::Duration time = 1s, std::uint64_t job = 1) {
    const DeskEffects effects = step(ReaderCame{{reader}, {{job}}, time});
    ASSERT_THAT(effects, SizeIs(1));
    EXPECT_TRUE(std::holds_alternative<ReadFor>(effects[0]));
    EXPECT_THAT(step(ReadDone{{reader}, nothing(10)}), IsEmpty());
  }
  static LogPiece nothing(std::uint64_t cursor) { return {{}, cursor, true, 0}; }
  static LogPiece something() { return {{record(1, 0, "x")}, 20, true, 0}; }

  LogDesk desk_;
  base::Time now_{10s};
};

TEST_F(Desk, AnswersAtOnceWhatIsThere) {
  step(ReaderCame{{5}, {{1}}, 1s});
  const DeskEffects effects = step(ReadDone{{5}, something()});
  ASSERT_THAT(effects, SizeIs(1));
  EXPECT_EQ(std::get<AnswerReader>(effects[0]), (AnswerReader{{5}, something()}));
  EXPECT_EQ(desk_.readers_waiting(), 0u);
  EXPECT_FALSE(desk_.next_deadline());
}

TEST_F(Desk, LooksAgainFromWhereItWasWhenTheLogGrows) {
  wait(5);
  const DeskEffects effects = step(LogGrew{{1}});
  ASSERT_THAT(effects, SizeIs(1));
  EXPECT_EQ(std::get<ReadFor>(effects[0]).query.cursor, 10u);
  EXPECT_THAT(step(ReadDone{{5}, something()}), SizeIs(1));
}

TEST_F(Desk, LeavesReadersOfOtherJobsAlone) {
  wait(5);
  wait(6, 1s, 2);
  EXPECT_THAT(step(LogGrew{{2}}), SizeIs(1));
  EXPECT_THAT(step(LogGrew{{3}}), IsEmpty());
}

TEST_F(Desk, GoesOnWaitingWhenOnlyOtherTasksSaidSomething) {
  wait(5);
  step(LogGrew{{1}});
  EXPECT_THAT(step(ReadDone{{5}, nothing(30)}), IsEmpty());
  EXPECT_EQ(std::get<ReadFor>(step(LogGrew{{1}})[0]).query.cursor, 30u);
}

TEST_F(Desk, AnswersNothingWhenTheTimeIsOver) {
  wait(5);
  EXPECT_EQ(desk_.next_deadline(), base::Time{11s});
  now_ += 1s;
  const DeskEffects effects = step(DeskTick{});
  ASSERT_THAT(effects, SizeIs(1));
  EXPECT_EQ(std::get<AnswerReader>(effects[0]), (AnswerReader{{5}, nothing(10)}));
  EXPECT_THAT(step(ReadDone{{5}, something()}), IsEmpty()) << "it is answered once";
}

TEST_F(Desk, DoesNotKeepAReaderThatWillNotWait) {
  step(ReaderCame{{5}, {{1}}, 0s});
  EXPECT_THAT(step(ReadDone{{5}, nothing(0)}), SizeIs(1));
}

TEST_F(Desk, AnswersAReaderWhoseSearchWasLongThatItShallGoOn) {
  step(ReaderCame{{5}, {{1}}, 1s});
  LogPiece piece = nothing(99);
  piece.at_end = false;
  EXPECT_EQ(std::get<AnswerReader>(step(ReadDone{{5}, piece})[0]).piece.next_cursor, 99u);
}

TEST_F(Desk, IgnoresARepeat) {
  wait(5);
  EXPECT_THAT(step(ReaderCame{{5}, {{1}}, 9s}), IsEmpty());
  EXPECT_EQ(desk_.next_deadline(), base::Time{11s});
}

TEST_F(Desk, RefusesMoreReadersThanItsBound) {
  for (std::uint64_t reader = 1; reader <= base::limits::log_readers_max; ++reader) {
    step(ReaderCame{{reader}, {{1}}, 1s});
  }
  const DeskEffects effects = step(ReaderCame{{99'999'999}, {{1}}, 1s});
  ASSERT_THAT(effects, SizeIs(1));
  EXPECT_EQ(std::get<RefuseReader>(effects[0]).error.kind, base::ErrorKind::overloaded);
}

}  // namespace
}  // namespace fastgpu::logs::test
