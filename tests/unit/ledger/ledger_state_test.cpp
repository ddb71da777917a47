#include "runtime/ledger/ledger_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/ledger/ledger_invariants.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::PlaceCause;
using protocol::TaskPhase;
using protocol::TaskState;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Ledger : public ::testing::Test {
 protected:
  explicit Ledger(base::ShardId of = shard, RetentionLimits retention = {})
      : state(of, layout, retention) {}

  /// Applies one entry and checks all invariants.
  std::vector<Applied> apply(std::vector<protocol::Record> records) {
    const LedgerState before = state;
    std::vector<Applied> changes =
        state.apply({state.applied().value + 1}, protocol::Entry{std::move(records)});
    EXPECT_THAT(check(state), IsEmpty());
    EXPECT_THAT(check_step(before, state), IsEmpty());
    return changes;
  }
  const Job& job(std::uint64_t number = 1) { return *state.find(job_id(number)); }
  const protocol::TaskRecord& task(std::uint32_t index) { return *job().tasks.find(index); }
  std::uint32_t ended(TaskState as, std::uint64_t number = 1) {
    return job(number).ended[static_cast<std::size_t>(as)];
  }

  LedgerState state;
};

TEST_F(Ledger, AcceptsAJobUnderTheShardsNextSequence) {
  EXPECT_EQ(all<JobAccepted>(apply({submitted(1, spec(3))})),
            (std::vector<JobAccepted>{{request(1), job_id(1), false}}));
  EXPECT_EQ(all<JobAccepted>(apply({submitted(2, spec(1))})),
            (std::vector<JobAccepted>{{request(2), job_id(2), false}}));
  EXPECT_EQ(layout.shard_of(job_id(2)), shard);
  EXPECT_EQ(job(1).live_tasks, 3u);
}

TEST_F(Ledger, AcceptsARepeatedRequestOnlyOnce) {
  apply({submitted(1, spec(3))});
  EXPECT_EQ(
      all<JobAccepted>(apply({submitted(1, spec(3)), submitted(1, spec(9))})),
      (std::vector<JobAccepted>{{request(1), job_id(1), true}, {request(1), job_id(1), true}}));
  EXPECT_THAT(state.jobs(), SizeIs(1));
  EXPECT_EQ(state.next_job_sequence(), 2u);
}

TEST_F(Ledger, RemembersTheRequestOfAFinishedJobAsLongAsTheJobIsKept) {
  apply({submitted(1, spec(1)), placed(attempt(1), {{0, 1}}), finished(attempt(1), {0, 1})});
  EXPECT_TRUE(all<JobAccepted>(apply({submitted(1, spec(1))}))[0].repeated);
}

TEST_F(Ledger, KeepsATenMillionTaskArrayAsOneSegment) {
  apply({submitted(1, spec(10'000'000))});
  EXPECT_EQ(job().tasks.segment_count(), 1u);
  apply({placed(attempt(1), {{0, 256}}), finished(attempt(1), {0, 256})});
  EXPECT_EQ(job().tasks.segment_count(), 2u);
  EXPECT_EQ(job().live_tasks, 10'000'000u - 256u);
}

TEST_F(Ledger, JoinsTasksThatEndedAlikeUnderOneAttempt) {
  apply({submitted(1, spec(8)), placed(attempt(1), {{0, 8}})});
  for (std::uint32_t index : {0u, 2u, 4u, 6u, 1u, 3u, 5u, 7u}) {
    apply({finished(attempt(1), {index, 1})});
  }
  EXPECT_EQ(job().tasks.segment_count(), 1u);
}

TEST_F(Ledger, PlacedRaisesTheFloor) {
  apply({submitted(1, spec(4))});
  EXPECT_EQ(all<TasksPlaced>(apply({placed(attempt(1), {{0, 2}})})),
            (std::vector<TasksPlaced>{{job_id(1), attempt(1), {{0, 2}}}}));
  EXPECT_EQ(task(1).floor, attempt(1));
  EXPECT_EQ(task(1).phase, TaskPhase::placed);
  EXPECT_EQ(task(2).phase, TaskPhase::ready);
}

TEST_F(Ledger, RefusesAPlacementThatIsNotAboveTheFloor) {
  apply({submitted(1, spec(4)), placed(attempt(5), {{0, 2}})});
  EXPECT_EQ(all<TasksPlaced>(apply({placed(attempt(5), {{0, 4}})})),
            (std::vector<TasksPlaced>{{job_id(1), attempt(5), {{2, 2}}}}));
  EXPECT_THAT(all<TasksPlaced>(apply({placed(attempt(4), {{0, 4}})}))[0].ranges, IsEmpty());
}

TEST_F(Ledger, AGreaterTermIsAboveAnySequenceOfALowerOne) {
  apply({submitted(1, spec(1)), placed(attempt(900, 1), {{0, 1}}),
         placed(attempt(1, 2), {{0, 1}}, PlaceCause::refused)});
  EXPECT_EQ(task(0).floor, attempt(1, 2));
}

TEST_F(Ledger, RefusesAPlacementOfAnEndedTask) {
  apply({submitted(1, spec(2)), placed(attempt(1), {{0, 1}}), finished(attempt(1), {0, 1})});
  EXPECT_EQ(all<TasksPlaced>(apply({placed(attempt(2), {{0, 2}})}))[0].ranges,
            (TaskRanges{{1, 1}}));
}

TEST_F(Ledger, RecordsAFinishAtTheFloor) {
  apply({submitted(1, spec(2)), placed(attempt(1), {{0, 2}})});
  const auto changes = apply({finished(attempt(1), {0, 1})});
  ASSERT_THAT(all<TasksEnded>(changes), SizeIs(1));
  EXPECT_EQ(all<TasksEnded>(changes)[0].ranges, (TaskRanges{{0, 1}}));
  EXPECT_THAT(all<JobEnded>(changes), IsEmpty());
  EXPECT_EQ(task(0).outcome->attempt, attempt(1));
  EXPECT_EQ(all<JobEnded>(apply({finished(attempt(1), {1, 1})})),
            (std::vector<JobEnded>{{job_id(1)}}));
  EXPECT_EQ(job().state(), TaskState::succeeded);
  EXPECT_EQ(job().finished_at_ms, 2000);
}

TEST_F(Ledger, RecordsAFinishAboveTheFloor) {
  apply({submitted(1, spec(2)), placed(attempt(1), {{0, 1}})});
  apply({finished(attempt(2), {0, 2})});
  EXPECT_EQ(ended(TaskState::succeeded), 2u);
  EXPECT_EQ(task(0).floor, attempt(2));
}

TEST_F(Ledger, RefusesAFinishBelowTheFloor) {
  apply({submitted(1, spec(1)), placed(attempt(1), {{0, 1}}),
         placed(attempt(2), {{0, 1}}, PlaceCause::node_failure)});
  const auto changes = apply({finished(attempt(1), {0, 1})});
  EXPECT_EQ(all<FinishFenced>(changes),
            (std::vector<FinishFenced>{{job_id(1), attempt(1), {{0, 1}}}}));
  EXPECT_TRUE(job().live());
}

TEST_F(Ledger, NeverChangesATerminalRecord) {
  apply({submitted(1, spec(2)), placed(attempt(1), {{0, 2}}), finished(attempt(1), {0, 1})});
  const auto before = task(0);
  EXPECT_THAT(all<FinishFenced>(apply({finished(attempt(1), {0, 1}, failure())})), SizeIs(1));
  EXPECT_THAT(all<FinishFenced>(apply({finished(attempt(9), {0, 1}, failure())})), SizeIs(1));
  apply({protocol::GiveUpRecord{job_id(1), {{0, 1}}, base::FailureReason::node_lost, "x", 1}});
  apply({cancelled(5)});
  EXPECT_EQ(task(0), before);
  EXPECT_EQ(ended(TaskState::cancelled), 1u);
}

TEST_F(Ledger, TellsThePartsOfAReportThatCameTooLate) {
  apply({submitted(1, spec(6)), placed(attempt(1), {{0, 6}}),
         placed(attempt(2), {{2, 2}}, PlaceCause::node_failure)});
  const auto changes = apply({finished(attempt(1), {0, 6})});
  EXPECT_EQ(all<TasksEnded>(changes)[0].ranges, (TaskRanges{{0, 2}, {4, 2}}));
  EXPECT_EQ(all<FinishFenced>(changes)[0].ranges, (TaskRanges{{2, 2}}));
}

TEST_F(Ledger, IgnoresReportsOfTasksThatTheJobDoesNotHave) {
  apply({submitted(1, spec(2)), placed(attempt(1), {{0, 9}})});
  EXPECT_EQ(job().attempts.at(attempt(1)).ranges, (TaskRanges{{0, 2}}));
  apply({finished(attempt(1), {1, 4'000'000'000u})});
  EXPECT_EQ(ended(TaskState::succeeded), 1u);
}

TEST_F(Ledger, RetriesAFailureOfTheJobsOwnAsOftenAsTheUserAsked) {
  apply({submitted(1, spec(1, 2)), placed(attempt(1), {{0, 1}})});
  EXPECT_EQ(all<TasksAgain>(apply({finished(attempt(1), {0, 1}, failure())})),
            (std::vector<TasksAgain>{{job_id(1), attempt(1), {{0, 1}}, PlaceCause::user_retry}}));
  EXPECT_EQ(task(0).next_cause, PlaceCause::user_retry);
  apply({placed(attempt(2), {{0, 1}}, PlaceCause::user_retry),
         finished(attempt(2), {0, 1}, failure())});
  EXPECT_TRUE(job().live());
  apply({placed(attempt(3), {{0, 1}}, PlaceCause::user_retry),
         finished(attempt(3), {0, 1}, failure())});
  EXPECT_EQ(job().state(), TaskState::failed);
  EXPECT_EQ(task(0).outcome->message, "assert");
}

TEST_F(Ledger, ATimeLimitUsesUpTheUsersRetriesToo) {
  const auto late = outcome(TaskState::timed_out, base::FailureReason::time_limit);
  apply(
      {submitted(1, spec(1, 1)), placed(attempt(1), {{0, 1}}), finished(attempt(1), {0, 1}, late)});
  EXPECT_TRUE(job().live());
  apply({placed(attempt(2), {{0, 1}}, PlaceCause::user_retry), finished(attempt(2), {0, 1}, late)});
  EXPECT_EQ(job().state(), TaskState::timed_out);
}

TEST_F(Ledger, CountsAFailedAttemptOnceHoweverOftenItIsReported) {
  apply({submitted(1, spec(1, 3)), placed(attempt(1), {{0, 1}}),
         finished(attempt(1), {0, 1}, failure())});
  EXPECT_THAT(all<FinishFenced>(apply({finished(attempt(1), {0, 1}, failure())})), SizeIs(1));
  EXPECT_EQ(task(0).own_failures, 1u);
  EXPECT_THAT(all<FinishFenced>(apply({finished(attempt(1), {0, 1})})), SizeIs(1));
  EXPECT_TRUE(job().live());
}

TEST_F(Ledger, AnInfrastructureFailureUsesNoRetryOfTheUser) {
  apply({submitted(1, spec(1, 0, 2)), placed(attempt(1), {{0, 1}})});
  EXPECT_EQ(all<TasksAgain>(apply({finished(attempt(1), {0, 1}, node_failure())}))[0].cause,
            PlaceCause::node_failure);
  EXPECT_EQ(task(0).own_failures, 0u);
  EXPECT_EQ(task(0).node_failures, 1u);
}

TEST_F(Ledger, AnExecutorsCrashIsTheTasksOwnFault) {
  const auto crash = outcome(TaskState::failed, base::FailureReason::executor_crash);
  apply({submitted(1, spec(1, 3, 1)), placed(attempt(1), {{0, 1}}),
         finished(attempt(1), {0, 1}, crash)});
  EXPECT_EQ(task(0).own_failures, 1u);
  EXPECT_EQ(task(0).node_failures, 0u);
}

TEST_F(Ledger, EndsATaskAsLostBeyondTheCrashLimit) {
  apply({submitted(1, spec(1, 0, 1)), placed(attempt(1), {{0, 1}}),
         finished(attempt(1), {0, 1}, node_failure()),
         placed(attempt(2), {{0, 1}}, PlaceCause::node_failure)});
  EXPECT_EQ(task(0).node_failures, 1u);  // the Finish has counted it
  apply({finished(attempt(2), {0, 1}, node_failure())});
  EXPECT_EQ(job().state(), TaskState::lost);
  EXPECT_THAT(task(0).outcome->message, ::testing::HasSubstr("2 times"));
}

TEST_F(Ledger, CountsALostAttemptWhenItIsPlacedAnewForThatCause) {
  apply({submitted(1, spec(1)), placed(attempt(1), {{0, 1}}),
         placed(attempt(2), {{0, 1}}, PlaceCause::refused)});
  EXPECT_EQ(task(0).node_failures, 0u);
  apply({placed(attempt(3), {{0, 1}}, PlaceCause::node_failure)});
  EXPECT_EQ(task(0).node_failures, 1u);
}

TEST_F(Ledger, ALiveTaskGivenBackAsCancelledIsTriedAgain) {
  apply({submitted(1, spec(1)), placed(attempt(1), {{0, 1}}),
         finished(attempt(1), {0, 1},
                  outcome(TaskState::cancelled, base::FailureReason::cancelled))});
  EXPECT_TRUE(job().live());
}

TEST_F(Ledger, CancelEndsAllLiveTasks) {
  apply({submitted(1, spec(10)), placed(attempt(1), {{0, 4}}), finished(attempt(1), {0, 1})});
  const auto changes = apply({cancelled(9)});
  EXPECT_EQ(all<JobCancelled>(changes), (std::vector<JobCancelled>{{request(9), job_id(1)}}));
  EXPECT_EQ(all<TasksEnded>(changes)[0].ranges, (TaskRanges{{1, 9}}));
  EXPECT_EQ(ended(TaskState::cancelled), 9u);
  EXPECT_EQ(job().state(), TaskState::cancelled);
}

TEST_F(Ledger, WhateverComesFirstOfCancelAndFinishWins) {
  apply({submitted(1, spec(1)), submitted(2, spec(1)), placed(attempt(1), {{0, 1}}),
         placed(attempt(2), {{0, 1}}, PlaceCause::first, device(2), 2)});
  apply({finished(attempt(1), {0, 1}), cancelled(8, 1), cancelled(9, 2),
         finished(attempt(2), {0, 1}, outcome(), 2)});
  EXPECT_EQ(job(1).state(), TaskState::succeeded);
  EXPECT_EQ(job(2).state(), TaskState::cancelled);
}

TEST_F(Ledger, RefusesToCancelAFinishedJobButRepeatsTheAnswerToItsOwnCancel) {
  apply({submitted(1, spec(1)), cancelled(8)});
  EXPECT_THAT(all<JobCancelled>(apply({cancelled(8)})), SizeIs(1));
  EXPECT_EQ(all<RequestRefused>(apply({cancelled(9)}))[0].error.code,
            base::ErrorCode::already_finished);
  EXPECT_EQ(all<RequestRefused>(apply({cancelled(9, 77)}))[0].error.code,
            base::ErrorCode::not_found);
}

TEST_F(Ledger, CountsUsageOncePerTaskOfAnAttempt) {
  apply({submitted(1, spec(4)), placed(attempt(1), {{0, 4}})});
  EXPECT_EQ(all<UsageReleased>(apply({released(attempt(1), {{0, 2}}, 100)}))[0].device_ns, 100);
  EXPECT_EQ(all<UsageReleased>(apply({released(attempt(1), {{0, 2}}, 100)}))[0].device_ns, 0);
  // A resent report may hold more than the one before: only the new half counts.
  EXPECT_EQ(all<UsageReleased>(apply({released(attempt(1), {{0, 4}}, 200)}))[0].device_ns, 100);
  EXPECT_EQ(job().device_ns, 200);
}

TEST_F(Ledger, BillsUsageAfterCancelAndSupersession) {
  apply({submitted(1, spec(2)), placed(attempt(1), {{0, 1}}),
         placed(attempt(2), {{0, 1}}, PlaceCause::node_failure), cancelled(4)});
  apply({released(attempt(1), {{0, 1}}, 30), released(attempt(2), {{0, 1}}, 50)});
  EXPECT_EQ(job().device_ns, 80);
}

TEST_F(Ledger, GiveUpEndsLiveTasksAsLost) {
  apply({submitted(1, spec(3)), placed(attempt(1), {{0, 3}}), finished(attempt(1), {1, 1})});
  apply({protocol::GiveUpRecord{job_id(1), {{0, 3}}, base::FailureReason::node_lost, "6 of 5", 9}});
  EXPECT_EQ(ended(TaskState::lost), 2u);
  EXPECT_EQ(task(0).outcome->message, "6 of 5");
  EXPECT_EQ(job().state(), TaskState::lost);
}

TEST_F(Ledger, FinishesOfUnknownJobsChangeNothing) {
  const auto changes = apply({finished(attempt(1), {0, 1}), placed(attempt(1), {{0, 1}}),
                              released(attempt(1), {{0, 1}}, 5)});
  EXPECT_THAT(all<FinishFenced>(changes), SizeIs(1));
  EXPECT_THAT(all<UsageReleased>(changes), SizeIs(1));
  EXPECT_THAT(state.jobs(), IsEmpty());
}

TEST_F(Ledger, AnEntryThatWasAppliedChangesNothing) {
  apply({submitted(1, spec(1))});
  EXPECT_THAT(state.apply({1}, protocol::Entry{{submitted(2, spec(1))}}), IsEmpty());
  EXPECT_THAT(state.jobs(), SizeIs(1));
}

class ShortMemory : public Ledger {
 protected:
  ShortMemory() : Ledger(shard, {2, 1u << 20}) {}
  std::vector<Applied> run_job(std::uint64_t number) {
    apply({submitted(number, spec(1)),
           placed(attempt(number), {{0, 1}}, PlaceCause::first, device(2), number)});
    return apply({finished(attempt(number), {0, 1}, outcome(), number)});
  }
};

TEST_F(ShortMemory, ForgetsTheOldestFinishedJobBeyondTheCount) {
  apply({submitted(1, spec(1))});  // stays live throughout
  run_job(2);
  run_job(3);
  EXPECT_EQ(all<JobForgotten>(run_job(4)), (std::vector<JobForgotten>{{job_id(2)}}));
  EXPECT_NE(state.find(job_id(1)), nullptr);
  EXPECT_EQ(state.find(request(2)), nullptr);
  EXPECT_EQ(state.finished().size(), 2u);
}

TEST_F(ShortMemory, ForgetsTheOldestFinishedJobBeyondTheBytes) {
  run_job(1);
  apply({submitted(2, spec(1)), placed(attempt(2), {{0, 1}}, PlaceCause::first, device(2), 2)});
  const auto changes = apply({finished(
      attempt(2), {0, 1},
      outcome(TaskState::failed, base::FailureReason::compile_error, std::string(2u << 20, 'x')),
      2)});
  EXPECT_EQ(all<JobForgotten>(changes), (std::vector<JobForgotten>{{job_id(1)}}));
  EXPECT_NE(state.find(job_id(2)), nullptr);
}

class Root : public Ledger {
 protected:
  Root() : Ledger(root) {}
  protocol::MemberRecord member(std::uint64_t number, const std::string& name,
                                std::uint32_t node = 0) {
    return {request(number, root), {{node}, name, "127.0.0.1:7601"}};
  }
};

TEST_F(Root, GivesMembersIdsFromOneUpwards) {
  EXPECT_EQ(all<MemberAdded>(apply({member(1, "n1")}))[0].info.node, base::NodeId{1});
  EXPECT_EQ(all<MemberAdded>(apply({member(2, "n2")}))[0].info.node, base::NodeId{2});
  EXPECT_EQ(state.members().version(), 2u);
}

TEST_F(Root, GivesTheSameRequestTheSameId) {
  apply({member(1, "n1"), member(2, "n2")});
  const auto again = all<MemberAdded>(apply({member(1, "n1")}));
  EXPECT_TRUE(again[0].repeated);
  EXPECT_EQ(again[0].info.node, base::NodeId{1});
  EXPECT_EQ(state.members().version(), 1u);
}

TEST_F(Root, RefusesANameInUse) {
  apply({member(1, "n1")});
  EXPECT_EQ(all<RequestRefused>(apply({member(2, "n1")}))[0].error.code,
            base::ErrorCode::name_taken);
}

TEST_F(Root, KeepsTheIdsOfFoundersAndNeverGivesThemAgain) {
  apply({member(1, "n3", 3), member(2, "n1", 1)});
  EXPECT_EQ(all<MemberAdded>(apply({member(3, "n4")}))[0].info.node, base::NodeId{4});
  EXPECT_EQ(all<RequestRefused>(apply({member(4, "other", 3)}))[0].error.code,
            base::ErrorCode::conflict);
}

TEST_F(Root, TellsWhyItRefusesANumberOfReplicas) {
  EXPECT_THAT(all<RequestRecorded>(apply({protocol::ReplicasRecord{request(1, root), 5}})),
              SizeIs(1));
  EXPECT_EQ(
      all<RequestRefused>(apply({protocol::ReplicasRecord{request(2, root), 4}}))[0].error.code,
      base::ErrorCode::bad_argument);
  EXPECT_EQ(state.members().replicas(), 5u);
}

TEST_F(Ledger, OnlyTheRootKeepsMembers) {
  EXPECT_THAT(all<RequestRefused>(
                  apply({protocol::MemberRecord{request(1), {{}, "n1", "127.0.0.1:7601"}}})),
              SizeIs(1));
  EXPECT_THAT(all<RequestRefused>(apply({protocol::ReplicasRecord{request(2), 5}})), SizeIs(1));
}

TEST(LedgerFault, ABrokenFenceIsSeenByTheInvariants) {
  LedgerState state(shard, layout, {}, {.ignore_fence = true});
  state.apply(
      {1}, {{submitted(1, spec(1)), placed(attempt(1), {{0, 1}}), finished(attempt(1), {0, 1})}});
  const LedgerState before = state;
  state.apply({2}, {{finished(attempt(1), {0, 1}, failure())}});
  EXPECT_THAT(check_step(before, state), SizeIs(1));
}

}  // namespace
}  // namespace fastgpu::ledger
