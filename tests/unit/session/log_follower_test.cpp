#include "runtime/session/log_follower.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/limits.hpp"
#include "tests/unit/session/log_follower_world.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::LogStream;
using protocol::TaskState;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(LogFollower, ShowsWhatIsPrintedWithinMillisecondsAndEndsWithTheJob) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.begin();
  world.run(1s);
  world.print(2, 0, 1, "a");
  world.run(5ms);
  EXPECT_THAT(world.shown, ElementsAre("n2 a"));
  world.print(2, 0, 1, "b");
  world.run(5ms);
  EXPECT_THAT(world.shown, ElementsAre("n2 a", "n2 b"));
  world.run(60s);
  EXPECT_FALSE(world.done);
  world.end_job(TaskState::failed);
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::complete);
  EXPECT_EQ(world.done->state, TaskState::failed);
}

TEST(LogFollower, ReadsTheTailThatIsUnreadWhenTheJobEnds) {
  FollowWorld world;
  world.records_of_a_part = 3;
  world.place(1, {0, 1}, 2);
  world.begin();
  world.run(1s);
  for (int i = 0; i < 100; ++i) {
    world.print(2, 0, 1, std::to_string(i));
  }
  world.end_job();
  world.run(2s);
  ASSERT_TRUE(world.done);
  EXPECT_THAT(world.shown, SizeIs(100));
  EXPECT_EQ(world.shown.back(), "n2 99");
}

TEST(LogFollower, EndsSoonAfterTheJobThoughAQuestionWaits) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.begin();
  world.run(2s);
  world.end_job();
  world.run(20ms);
  EXPECT_TRUE(world.done);
}

TEST(LogFollower, ShowsEverythingOfAJobThatEndedLongAgo) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.print(2, 0, 1, "", LogStream::started);  // and its node died: no end was written
  world.print(2, 0, 1, "a");
  world.end_job();
  world.begin();
  world.run(50ms);
  ASSERT_TRUE(world.done);
  EXPECT_THAT(world.shown, ElementsAre("n2 ", "n2 a"));
}

TEST(LogFollower, EndsForAJobThatNeverRan) {
  FollowWorld world;
  world.end_job(TaskState::cancelled);
  world.begin();
  world.run(10ms);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::complete);
}

TEST(LogFollower, StopsAtWhatIsThereWhenItShallNotFollow) {
  LogFollowOptions options;
  options.follow = false;
  FollowWorld world(options);
  world.place(1, {0, 1}, 2);
  world.print(2, 0, 1, "so far");
  world.begin();
  world.run(50ms);
  ASSERT_TRUE(world.done);
  EXPECT_THAT(world.shown, ElementsAre("n2 so far"));
  EXPECT_EQ(world.done->state, TaskState::running);
}

TEST(LogFollower, WaitsForTheLastWordsOfACommandThatIsCancelled) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.print(2, 0, 1, "", LogStream::started);
  world.begin();
  world.run(1s);
  world.end_job(TaskState::cancelled);
  world.run(500ms);
  EXPECT_FALSE(world.done);
  world.print(2, 0, 1, "last words");
  world.print(2, 0, 1, "", LogStream::ended);
  world.run(10ms);
  ASSERT_TRUE(world.done);
  EXPECT_THAT(world.shown, Contains("n2 last words"));
}

TEST(LogFollower, DoesNotWaitForEverForAnEndThatIsNotWritten) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.print(2, 0, 1, "", LogStream::started);
  world.begin();
  world.run(1s);
  world.end_job();
  world.run(limits::log_tail_grace + 100ms);
  EXPECT_TRUE(world.done);
}

// --- several nodes -------------------------------------------------------------------------------

TEST(LogFollower, MergesTheNodesOfAnArrayByTime) {
  FollowWorld world;
  world.records_of_a_part = 7;
  world.place(1, {0, 10}, 1);
  world.place(2, {10, 10}, 2);
  world.place(3, {20, 10}, 3);
  std::vector<std::string> expected;
  for (std::uint32_t i = 0; i < 90; ++i) {
    const std::uint32_t node = 1 + (i * 7 + i / 5) % 3;
    world.print(node, (node - 1) * 10, node, std::to_string(i));
    expected.push_back("n" + std::to_string(node) + " " + std::to_string(i));
  }
  world.end_job();
  world.begin();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.shown, expected);
}

TEST(LogFollower, IsNotHeldUpByANodeThatIsSlow) {
  FollowWorld world;
  world.place(1, {0, 1}, 1);
  world.place(2, {1, 1}, 2);
  world.nodes[2].silent = true;
  world.print(1, 0, 1, "a");
  world.begin();
  world.run(limits::log_merge_window + 10ms);
  EXPECT_THAT(world.shown, ElementsAre("n1 a"));
}

TEST(LogFollower, NoticesAnAttemptOnAnotherNode) {
  FollowWorld world;
  world.place(1, {0, 1}, 1);
  world.begin();
  world.run(1s);
  world.place(2, {1, 1}, 3);
  world.print(3, 1, 2, "new node");
  world.run(limits::log_job_poll_interval + 10ms);
  EXPECT_THAT(world.shown, ElementsAre("n3 new node"));
}

TEST(LogFollower, ReadsOneTaskFromItsNodeOnly) {
  LogFollowOptions options;
  options.task = 11;
  FollowWorld world(options);
  world.place(1, {0, 10}, 1);
  world.place(2, {10, 10}, 2);
  world.print(1, 3, 1, "other node");
  world.print(2, 12, 2, "other task");
  world.print(2, 11, 2, "wanted");
  world.end_job();
  world.begin();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_THAT(world.shown, ElementsAre("n2 wanted"));
  EXPECT_EQ(world.nodes[1].asks, 0);
}

TEST(LogFollower, AsksNobodyForMoreThanIsShown) {
  FollowWorld world;
  world.records_of_a_part = 10;
  world.place(1, {0, 1}, 1);
  world.place(2, {1, 1}, 2);
  for (int i = 0; i < 1000; ++i) {
    world.print(1, 0, 1, std::to_string(i));
  }
  world.nodes[2].silent = true;  // so that what node 1 sends waits for its turn
  world.begin();
  world.run(limits::log_merge_window - 5ms);
  EXPECT_THAT(world.shown, IsEmpty());
  EXPECT_EQ(world.nodes[1].asks, 1);
}

// --- attempts ------------------------------------------------------------------------------------

TEST(LogFollower, HidesSupersededAttemptsAndCountsThem) {
  FollowWorld world;
  world.place(1, {0, 2}, 1);
  world.place(2, {0, 1}, 1);
  world.print(1, 0, 1, "old");
  world.print(1, 1, 1, "other task");
  world.print(1, 0, 2, "new");
  world.end_job();
  world.begin();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_THAT(world.shown, ElementsAre("n1 other task", "n1 new"));
  EXPECT_EQ(world.done->records_hidden, 1u);
}

TEST(LogFollower, ShowsAllAttemptsWhereTheyAreWanted) {
  LogFollowOptions options;
  options.all_attempts = true;
  FollowWorld world(options);
  world.place(1, {0, 1}, 1);
  world.place(2, {0, 1}, 2);
  world.print(1, 0, 1, "old");
  world.print(2, 0, 2, "new");
  world.end_job();
  world.begin();
  world.run(1s);
  EXPECT_THAT(world.shown, ElementsAre("n1 old", "n2 new"));
}

TEST(LogFollower, HidesAnOldAttemptOnceANewerOneHasPrinted) {
  FollowWorld world;
  world.place(1, {0, 1}, 1);
  world.begin();
  world.run(1s);
  world.print(1, 0, 1, "old");
  world.run(10ms);
  world.print(1, 0, 2, "new");  // the ledger's list is not read again yet
  world.print(1, 0, 1, "late words of the old one");
  world.run(10ms);
  EXPECT_THAT(world.shown, ElementsAre("n1 old", "n1 new"));
}

TEST(LogFollower, DoesNotAskANodeWhoseAttemptsAreAllSuperseded) {
  FollowWorld world;
  world.place(1, {0, 1}, 1);
  world.place(2, {0, 1}, 2);
  world.take_down(1);
  world.print(2, 0, 2, "new");
  world.end_job();
  world.begin();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::complete);
  EXPECT_THAT(world.shown, ElementsAre("n2 new"));
}

TEST(LogFollower, LetsGoOfANodeThatIsDownWhenItsTasksGoOnElsewhere) {
  FollowWorld world;
  world.place(1, {3, 1}, 1);
  world.print(1, 3, 1, "old");
  world.begin();
  world.run(1s);
  world.take_down(1);
  world.run(2s);
  world.place(2, {3, 1}, 2);
  world.print(2, 3, 2, "new");
  world.run(2s);
  world.end_job();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::complete);
  EXPECT_THAT(
      world.shown,
      ElementsAre("n1 old", "[logs of task 3 on n1 are not readable now: node down; retrying]",
                  HasSubstr("go on in newer attempts elsewhere"), "n2 new"));
}

// --- trouble -------------------------------------------------------------------------------------

TEST(LogFollower, GoesOnFromItsCursorWhenNobodyAnsweredForAWhile) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.begin();
  world.print(2, 0, 1, "a");
  world.run(1s);
  world.reachable = false;  // the node that was asked died, and no other is known
  world.run(10s);
  world.print(2, 0, 1, "b");
  world.reachable = true;
  world.run(6s);
  EXPECT_THAT(world.shown, ElementsAre("n2 a", "[no node of the cluster answers; retrying]",
                                       "[the cluster answers again]", "n2 b"));
  EXPECT_FALSE(world.done);
}

TEST(LogFollower, EndsAsUnreachableWhenNobodyEverAnswersAgain) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.begin();
  world.run(1s);
  world.reachable = false;
  world.run(70s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::unreachable);
  EXPECT_EQ(world.done->error.code, base::ErrorCode::no_node_reachable);
}

TEST(LogFollower, GoesOnWhenTheNodeWithTheLogIsBack) {
  FollowWorld world;
  world.place(1, {3, 1}, 2);
  world.print(2, 3, 1, "a");
  world.begin();
  world.run(1s);
  world.take_down(2);
  world.run(30s);
  world.nodes[2].error.reset();
  world.print(2, 3, 1, "b");
  world.run(limits::log_retry_max + 10ms);
  EXPECT_THAT(
      world.shown,
      ElementsAre("n2 a", "[logs of task 3 on n2 are not readable now: node down; retrying]",
                  "[logs of task 3 on n2 are readable again]", "n2 b"));
}

TEST(LogFollower, WaitsForADownNodeAfterTheJobsEndAndReadsTheRest) {
  FollowWorld world;
  world.place(1, {0, 5}, 2);
  world.place(2, {5, 1}, 3);
  world.take_down(2);
  world.print(2, 0, 1, "late");
  world.end_job();
  world.begin();
  world.run(10s);
  EXPECT_FALSE(world.done);
  EXPECT_THAT(world.shown,
              ElementsAre("[logs of tasks 0-4 on n2 are not readable now: node down; retrying]"));
  world.nodes[2].error.reset();
  world.run(3s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::complete);
  EXPECT_EQ(world.shown.back(), "n2 late");
}

TEST(LogFollower, EndsAsIncompleteWithANoticeWhenTheNodeStaysAway) {
  LogFollowOptions options;
  options.names[{2}] = "rack7";
  FollowWorld world(options);
  world.place(1, {0, 1}, 2);
  world.place(2, {1, 1}, 3);
  world.print(3, 1, 2, "the rest");
  world.nodes[2].silent = true;
  world.end_job();
  world.begin();
  world.run(60s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::incomplete);
  EXPECT_EQ(world.done->state, TaskState::succeeded);
  EXPECT_THAT(world.shown, Contains("n3 the rest"));
  EXPECT_EQ(world.shown.back(), "[logs of task 0 on rack7 could not be read: no answer]");
}

TEST(LogFollower, WaitsForANodeThatIsNotKnownYetAndSaysWhenItStaysUnknown) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.nodes[2].error = base::Error{base::ErrorKind::rejected, base::ErrorCode::not_found,
                                     "there is no node n2 in this cluster", ""};
  world.end_job();
  world.begin();
  world.run(5s);
  EXPECT_FALSE(world.done);
  world.run(20s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::incomplete);
  EXPECT_THAT(world.shown, ElementsAre(HasSubstr("not readable now: there is no node n2"),
                                       HasSubstr("could not be read: there is no node n2")));
}

TEST(LogFollower, GivesUpAtOnceOnALogThatANodeCannotGive) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.nodes[2].error =
      base::Error{base::ErrorKind::internal, base::ErrorCode::internal, "a fault", ""};
  world.end_job();
  world.begin();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::incomplete);
  EXPECT_THAT(world.shown, ElementsAre("[logs of task 0 on n2 could not be read: a fault]"));
}

TEST(LogFollower, TellsInTheEndHowMuchWasNotKept) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.print(2, 0, 1, "a");
  world.nodes[2].dropped_bytes = 12345;
  world.end_job();
  world.begin();
  world.run(1s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->dropped_bytes, 12345u);
  EXPECT_EQ(world.shown.back(), "[log cut on n2: 12345 bytes were not kept in all]");
}

TEST(LogFollower, RefusesAJobThatThereIsNot) {
  LogFollower follower({.job = {9}});
  const auto asks = all_of<FollowAsk>(follower.step(FollowBegin{}, at(1s)));
  ASSERT_THAT(asks, SizeIs(1));
  const base::Error error{base::ErrorKind::rejected, base::ErrorCode::not_found, "no job", ""};
  const auto done = all_of<FollowDone>(follower.step(FollowAnswered{asks[0].ask, error}, at(2s)));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].ending, FollowEnding::refused);
  EXPECT_EQ(done[0].error, error);
}

TEST(LogFollower, IgnoresAnAnswerToAQuestionThatItHasPutAnew) {
  FollowWorld world;
  world.place(1, {0, 1}, 2);
  world.print(2, 0, 1, "a");
  world.begin();
  world.run(1s);
  const std::size_t before = world.shown.size();
  EXPECT_THAT(world.follower->step(FollowAnswered{1, protocol::LogPart{}}, world.now),
              Not(Contains(testing::VariantWith<ShowRecord>(testing::_))));
  EXPECT_EQ(world.shown.size(), before);
}

// A thousand nodes: bounded questions, each node has its turn, nothing is lost.
TEST(LogFollower, FollowsAnArrayOverAThousandNodesWithABoundedNumberOfQuestions) {
  FollowWorld world;
  for (std::uint32_t node = 1; node <= 1000; ++node) {
    world.place(node, {node, 1}, node);
    world.print(node, node, node, "x");
  }
  world.begin();
  world.run(1s);
  EXPECT_THAT(world.shown, SizeIs(1000));
  world.end_job();
  world.run(2s);
  ASSERT_TRUE(world.done);
  EXPECT_EQ(world.done->ending, FollowEnding::complete);
}

}  // namespace
}  // namespace fastgpu::session::test
