#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::Assign;
using protocol::AssignAnswered;
using protocol::PlaceCause;
using protocol::RefusalReason;
using protocol::Settled;
using protocol::Stop;
using protocol::TasksGone;
using protocol::TasksReady;
using protocol::TaskState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class ShardWorkers : public ShardBench {
 protected:
  using ShardBench::ShardBench;

  template <class Kind>
  std::vector<Kind> proposed_of() {
    std::vector<Kind> found;
    for (protocol::Record& record : proposed()) {
      if (auto* one = std::get_if<Kind>(&record)) {
        found.push_back(std::move(*one));
      }
    }
    return found;
  }
  /// Has job 1, its first task granted to device 2 and recorded.
  void run_one(protocol::SharedSpec what) {
    lead_with_job(std::move(what));
    place({{0, 1}});
    answer_assign(attempt(1));
    commit_all();
    effects.clear();
  }
};

TEST_F(ShardWorkers, TellsTheSchedulerOfAcceptedTasks) {
  lead();
  submit(1, 1, spec(1000));
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  commit_all();
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{0, 1000}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::first);
  EXPECT_NE(ready[0].signature, base::ObjectHash{});
}

TEST_F(ShardWorkers, JobsOfTheSameKernelHaveTheSameSignature) {
  lead();
  submit(1, 1, spec(1));
  submit(2, 2, spec(5));
  commit_all();
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(2));
  EXPECT_EQ(ready[0].signature, ready[1].signature);
}

TEST_F(ShardWorkers, AssignsAndProposesAPlacementUnderANewAttempt) {
  lead_with_job(spec(10));
  place({{0, 4}});
  const auto assigns = sent<Assign>();
  ASSERT_THAT(assigns, SizeIs(1));
  EXPECT_EQ(assigns[0].first, worker);
  EXPECT_EQ(assigns[0].second.attempt, attempt(1));
  EXPECT_EQ(assigns[0].second.ranges, (TaskRanges{{0, 4}}));
  EXPECT_EQ(assigns[0].second.spec, spec(10));
  EXPECT_THAT(proposed_of<protocol::PlacedRecord>(), ElementsAre(placed(attempt(1), {{0, 4}})));
  place({{4, 4}});
  EXPECT_EQ(sent<Assign>().at(0).second.attempt, attempt(2));
}

TEST_F(ShardWorkers, APlacementOfTasksThatAreNotReadyIsAnsweredAndNotDone) {
  lead_with_job(spec(10));
  place({{0, 4}});
  effects.clear();
  place({{2, 4}});
  EXPECT_EQ(sent<Assign>().at(0).second.ranges, (TaskRanges{{4, 2}}));
  place({{0, 4}});
  const auto answered = told_scheduler<AssignAnswered>();
  ASSERT_THAT(answered, SizeIs(2));
  EXPECT_EQ(answered[0].tasks, 2u);
  EXPECT_FALSE(answered[1].answered);
  EXPECT_EQ(answered[1].refused, RefusalReason::stale_attempt);
  EXPECT_THAT(take<SendToNode>(), IsEmpty());
}

TEST_F(ShardWorkers, APlacementOnALifeThatIsLostIsTakenBackAtOnce) {
  lead_with_job(spec(10));
  step(protocol::NodeLost{worker, {1}, false});
  place({{0, 4}});
  EXPECT_THAT(take<SendToNode>(), IsEmpty());
  const auto answered = told_scheduler<AssignAnswered>();
  ASSERT_THAT(answered, SizeIs(1));
  EXPECT_EQ(answered[0].tasks, 4u);
  EXPECT_FALSE(answered[0].answered);
  EXPECT_EQ(answered[0].refused, RefusalReason::stale_incarnation);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{0, 4}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::first);
  EXPECT_THAT(proposed(), IsEmpty());
  place({{0, 4}}, device(2), 2);
  EXPECT_THAT(sent<Assign>(), SizeIs(1)) << "its next life is another matter";
}

TEST_F(ShardWorkers, APlacementOnANodeThatCameBackIsTakenAgain) {
  lead_with_job(spec(10));
  step(protocol::NodeLost{worker, {1}, false});
  view({{2, 1}});
  effects.clear();
  place({{0, 4}});
  EXPECT_THAT(sent<Assign>(), SizeIs(1));
  view({{2, 3}});
  effects.clear();
  place({{4, 4}});
  EXPECT_THAT(sent<Assign>(), IsEmpty()) << "that life is over";
}

TEST_F(ShardWorkers, EveryPlacedTaskIsAnsweredToTheSchedulerOnce) {
  lead_with_job(spec(10));
  place({{0, 4}});
  answer_assign(attempt(1));
  answer_assign(attempt(1));
  const auto answered = told_scheduler<AssignAnswered>();
  ASSERT_THAT(answered, SizeIs(1));
  EXPECT_TRUE(answered[0].answered);
  EXPECT_EQ(answered[0].tasks, 4u);
  EXPECT_EQ(answered[0].books, books());
}

TEST_F(ShardWorkers, ARefusedAssignMakesItsTasksReadyUncounted) {
  lead_with_job(spec(10));
  place({{0, 4}});
  effects.clear();
  answer_assign(attempt(1), RefusalReason::no_memory);
  EXPECT_EQ(told_scheduler<AssignAnswered>().at(0).refused, RefusalReason::no_memory);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{0, 4}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
  place({{0, 4}}, device(3));
  EXPECT_EQ(proposed_of<protocol::PlacedRecord>().at(0).cause, PlaceCause::refused);
  commit_all();
  EXPECT_EQ(job().tasks.find(0)->node_failures, 0u);
}

TEST_F(ShardWorkers, ALateRefusalAfterAGrantIsHarmless) {
  run_one(spec(1));
  answer_assign(attempt(1), RefusalReason::queue_full);
  answer_assign(attempt(1));
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardWorkers, AnswersOfUnknownAttemptsAreHarmless) {
  lead_with_job(spec(1));
  answer_assign(attempt(77));
  answer_assign(attempt(78), RefusalReason::queue_full);
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardWorkers, SendsAnUnansweredAssignAgainAndThenGivesItUp) {
  lead_with_job(spec(3));
  place({{0, 3}});
  effects.clear();
  for (int again = 1; again < base::limits::rpc_tries_max; ++again) {
    EXPECT_LE(*machine.next_deadline(), now + base::limits::rpc_timeout);
    advance(base::limits::rpc_timeout);
    EXPECT_EQ(sent<Assign>().at(0).second.attempt, attempt(1));
  }
  advance(base::limits::rpc_timeout);
  EXPECT_THAT(sent<Assign>(), IsEmpty());
  EXPECT_FALSE(told_scheduler<AssignAnswered>().at(0).answered);
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::refused);
}

TEST_F(ShardWorkers, AFinishOfAnAttemptGivenUpStillCountsUntilItIsPlacedAnew) {
  lead_with_job(spec(1));
  place({{0, 1}});
  for (int again = 0; again < base::limits::rpc_tries_max; ++again) {
    advance(base::limits::rpc_timeout);
  }
  commit_all();
  effects.clear();
  finish(attempt(1), {0, 1});
  commit_all();
  EXPECT_EQ(job().state(), TaskState::succeeded);
  EXPECT_THAT(told_scheduler<TasksGone>(), ElementsAre(TasksGone{job_id(1), {{0, 1}}}));
}

TEST_F(ShardWorkers, ProposesAFinishWithItsUsageAndSettlesItOnCommit) {
  run_one(spec(1));
  finish(attempt(1), {0, 1}, outcome(), 70);
  const auto records = proposed();
  ASSERT_THAT(records, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<protocol::FinishRecord>(records[0]));
  EXPECT_EQ(std::get<protocol::ReleasedRecord>(records[1]), released(attempt(1), {{0, 1}}, 70));
  EXPECT_THAT(sent<Settled>(), IsEmpty());
  commit_all();
  EXPECT_THAT(sent<Settled>(),
              ElementsAre(Pair(worker, Settled{attempt(1), job_id(1), device(2), {{0, 1}}})));
  EXPECT_EQ(job().device_ns, 70);
}

TEST_F(ShardWorkers, ARepeatedFinishInFlightIsProposedOnce) {
  run_one(spec(1));
  finish(attempt(1), {0, 1});
  finish(attempt(1), {0, 1});
  EXPECT_THAT(proposed_of<protocol::FinishRecord>(), SizeIs(1));
  commit_all();
  EXPECT_THAT(sent<Settled>(), SizeIs(1));
}

TEST_F(ShardWorkers, ARepeatedFinishOfARecordedOneIsSettledAtOnce) {
  run_one(spec(1));
  finish(attempt(1), {0, 1});
  commit_all();
  effects.clear();
  finish(attempt(1), {0, 1});
  EXPECT_THAT(proposed(), IsEmpty());
  EXPECT_THAT(sent<Settled>(), SizeIs(1));
}

TEST_F(ShardWorkers, AFinishMayComeBeforeItsPlacementIsCommitted) {
  lead_with_job(spec(1));
  place({{0, 1}});
  finish(attempt(1), {0, 1});
  const auto records = proposed();
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_TRUE(std::holds_alternative<protocol::PlacedRecord>(records[0]));
  EXPECT_TRUE(std::holds_alternative<protocol::FinishRecord>(records[1]));
  commit_all();
  EXPECT_EQ(job().state(), TaskState::succeeded);
  EXPECT_THAT(job().attempts, SizeIs(1));
}

TEST_F(ShardWorkers, ASupersededFinishIsBilledSettledAndNotRecorded) {
  run_one(spec(1));
  step(protocol::NodeLost{worker, {1}, false});
  place({{0, 1}}, device(3));
  commit_all();
  effects.clear();
  finish(attempt(1), {0, 1}, outcome(), 40);
  EXPECT_THAT(proposed_of<protocol::FinishRecord>(), IsEmpty());
  commit_all();
  EXPECT_THAT(sent<Settled>(), SizeIs(1));
  EXPECT_EQ(job().device_ns, 40);
  EXPECT_TRUE(job().live());
}

TEST_F(ShardWorkers, AFinishWhoseOutcomeIsUnknownMayBeSentAgain) {
  run_one(spec(1));
  finish(attempt(1), {0, 1});
  step(OutcomeUnknown{log.back().token});
  log.clear();
  EXPECT_THAT(sent<Settled>(), IsEmpty());
  finish(attempt(1), {0, 1});
  EXPECT_THAT(log, SizeIs(1));
}

TEST_F(ShardWorkers, FinishesOfALaterLeaderOrAnotherShardAreNotForThisOne) {
  run_one(spec(1));
  finish(attempt(1, 9), {0, 1});
  finish({base::ShardId{3}, {1}, {1}, 1}, {0, 1});
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardWorkers, AFinishOfAForgottenJobIsSettledAtOnce) {
  lead();
  effects.clear();
  finish(attempt(1), {0, 1});
  EXPECT_THAT(sent<Settled>(), SizeIs(1));
}

TEST_F(ShardWorkers, WhileItDoesNotLeadWorkersHearNothing) {
  finish(attempt(1), {0, 1});
  answer_assign(attempt(1));
  renew({});
  place({{0, 1}});
  step(protocol::NodeLost{worker, {1}, true});
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardWorkers, AFailureWithRetriesLeftMakesTheTaskReadyAgain) {
  run_one(spec(1, 1));
  finish(attempt(1), {0, 1}, failure());
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  commit_all();
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::user_retry);
  place({{0, 1}});
  EXPECT_EQ(proposed_of<protocol::PlacedRecord>().back().cause, PlaceCause::user_retry);
  commit_all();
  finish(attempt(2), {0, 1}, failure());
  commit_all();
  EXPECT_EQ(job().state(), TaskState::failed);
}

TEST_F(ShardWorkers, AFailureReportedBehindANewPlacementLeavesThePlacementAlone) {
  run_one(spec(1, 1));
  finish(attempt(1), {0, 1}, failure());
  step(protocol::NodeLost{worker, {1}, false});  // before the Finish is committed
  place({{0, 1}}, device(3));
  effects.clear();
  commit_all();
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  EXPECT_EQ(job().tasks.find(0)->floor, attempt(2));
  EXPECT_EQ(machine.duties().find(attempt(2))->ranges, (TaskRanges{{0, 1}}));
}

TEST_F(ShardWorkers, TellsThePredictorHowLongTasksRan) {
  run_one(spec(2));
  finish(attempt(1), {0, 1});
  commit_all();
  const auto ran = told_scheduler<protocol::TasksRan>();
  ASSERT_THAT(ran, SizeIs(1));
  EXPECT_EQ(ran[0].device, device(2));
  EXPECT_EQ(ran[0].tasks, 1u);
  EXPECT_EQ(ran[0].run_ns, 5);
}

TEST_F(ShardWorkers, ManyFinishesShareOneCommit) {
  lead_with_job(spec(1000));
  place({{0, 1000}});
  commit_all();
  for (std::uint32_t task = 0; task < 1000; ++task) {
    finish(attempt(1), {task, 1});
  }
  const std::size_t small_entries = ShardLimits{}.small_entries_in_flight_max;
  EXPECT_LE(log.size(), small_entries);
  int commits = 0;
  for (; !log.empty(); ++commits) {
    commit();
  }
  EXPECT_LE(commits, 2 * static_cast<int>(small_entries));
  EXPECT_EQ(job().state(), TaskState::succeeded);
  EXPECT_EQ(job().tasks.segment_count(), 1u);
}

TEST_F(ShardWorkers, ANewLeadershipForgetsWhatTheOldOneHadInFlight) {
  lead_with_job(spec(2));
  place({{0, 2}});
  step(NotLeading{});
  EXPECT_THAT(told_scheduler<protocol::ShardRetired>(), SizeIs(1));
  log.clear();
  lead(2);
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).ranges, (TaskRanges{{0, 2}}));
  effects.clear();
  place({{0, 2}});
  EXPECT_EQ(sent<Assign>().at(0).second.attempt, attempt(1, 2));
}

class FencelessShard : public ShardWorkers {
 protected:
  FencelessShard() : ShardWorkers({}, shard, {.ignore_fence = true}) {}
};

TEST_F(FencelessShard, TheFaultProposesWhatTheFenceWouldRefuse) {
  run_one(spec(1));
  step(protocol::NodeLost{worker, {1}, false});
  place({{0, 1}}, device(3));
  commit_all();
  finish(attempt(1), {0, 1});
  const LedgerState before = machine.state();
  const base::LogIndex next{before.applied().value + 1};
  machine.step(Committed{next, log.front().token, log.front().entry}, now, 0);
  EXPECT_FALSE(job().live());
  EXPECT_THAT(check_step(before, machine.state()), SizeIs(1)) << "the invariants see it";
}

}  // namespace
}  // namespace fastgpu::ledger
