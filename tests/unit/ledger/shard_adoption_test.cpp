#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::Adopt;
using protocol::PlaceCause;
using protocol::Renewed;
using protocol::Stop;
using protocol::TasksGone;
using protocol::TasksReady;
using protocol::TaskState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ShardAdoption : public ShardBench {
 protected:
  protocol::HeldAttempt held(const base::AttemptId& of, std::vector<base::TaskRange> ranges,
                             std::vector<base::TaskRange> running = {}) {
    return {of, job_id(1), std::move(ranges), std::move(running)};
  }
  /// Tasks that the loss of their node counts against, of all that was told since `effects` began.
  TaskRanges counted_as_running() {
    TaskRanges counted;
    for (const TasksReady& ready : told_scheduler<TasksReady>()) {
      if (ready.cause == PlaceCause::node_failure) {
        counted = united(counted, ready.ranges);
      }
    }
    return counted;
  }
  /// Led in term 1, placed tasks of job 1 with these attempts' ranges on device 2, all granted and
  /// recorded; led again in term 2. Nothing recorded remains but what the new leadership says.
  void take_over(protocol::SharedSpec what, std::vector<base::TaskRange> attempts) {
    lead_with_job(std::move(what));
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      place({attempts[i]});
      answer_assign(attempt(i + 1));
    }
    commit_all();
    step(NotLeading{});
    effects.clear();
    lead(2);
  }
  void renew_and_confirm(std::vector<protocol::HeldAttempt> list, std::uint64_t term = 1) {
    renew(std::move(list), term);
    confirm_read();
  }
  std::vector<Stop> stops() {
    std::vector<Stop> all;
    for (auto& [node, renewed] : sent<Renewed>()) {
      all.insert(all.end(), renewed.stop.begin(), renewed.stop.end());
    }
    return all;
  }
};

TEST_F(ShardAdoption, RenewsALeaseOnlyAfterAQuorumRoundBegunAfterTheRequest) {
  lead_with_job(spec(1));
  renew({});
  const auto first = take<Read>();
  ASSERT_THAT(first, SizeIs(1));
  renew({}, 1, device(3));  // comes while the round runs: needs the next one
  EXPECT_THAT(take<Read>(), IsEmpty());
  EXPECT_THAT(sent<Renewed>(), IsEmpty());
  step(ReadReady{first[0].token, machine.state().applied()});
  const auto renewed = sent<Renewed>();
  ASSERT_THAT(renewed, SizeIs(1));
  EXPECT_EQ(renewed[0].first, worker);
  EXPECT_EQ(renewed[0].second.lease_ns, std::chrono::nanoseconds(base::limits::lease_safe).count());
  EXPECT_EQ(renewed[0].second.asked_at_ns, 777);
  EXPECT_EQ(renewed[0].second.term, base::Term{1});
  confirm_read();
  EXPECT_EQ(sent<Renewed>().at(0).first, base::NodeId{3});
}

TEST_F(ShardAdoption, ARenewalWhoseReadFailedIsAskedForAgain) {
  lead_with_job(spec(1));
  renew({});
  step(ProposeRefused{take<Read>().at(0).token, base::Admission::full});
  EXPECT_THAT(sent<Renewed>(), IsEmpty());
  renew_and_confirm({});
  EXPECT_THAT(sent<Renewed>(), SizeIs(1));
}

TEST_F(ShardAdoption, ARenewalOfALowerTermIsAnsweredWithAdopt) {
  take_over(spec(1), {{0, 1}});
  effects.clear();
  renew({}, 1);
  EXPECT_THAT(sent<Adopt>(), ElementsAre(Pair(worker, Adopt{shard, {1}, {2}})));
  EXPECT_THAT(take<Read>(), IsEmpty());
}

TEST_F(ShardAdoption, ARenewalOfAHigherTermIsForALaterLeader) {
  lead_with_job(spec(1));
  renew({}, 9);
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardAdoption, ANewLeaderMakesItselfKnownToAllNodes) {
  lead_with_job(spec(1));
  step(NotLeading{});
  view({{1, 1}, {2, 1}, {3, 1}});
  effects.clear();
  lead(2);
  EXPECT_THAT(sent<Adopt>(), UnorderedElementsAre(Pair(base::NodeId{1}, Adopt{shard, {1}, {2}}),
                                                  Pair(base::NodeId{2}, Adopt{shard, {1}, {2}}),
                                                  Pair(base::NodeId{3}, Adopt{shard, {1}, {2}})));
}

TEST_F(ShardAdoption, RepeatsAdoptUntilTheNodeReportsOrSeemsGone) {
  lead();
  view({{2, 1}});
  take<SendToNode>();
  ASSERT_TRUE(machine.next_deadline().has_value());
  advance(base::limits::suspect_after / 4);
  EXPECT_THAT(sent<Adopt>(), ::testing::Contains(Pair(worker, Adopt{shard, {1}, {1}})));
  renew_and_confirm({});
  effects.clear();
  advance(base::limits::suspect_after / 4);
  for (const auto& [node, adopt] : sent<Adopt>()) {
    EXPECT_NE(node, worker);
  }
  for (int tick = 0; tick < 20; ++tick) {
    advance(base::limits::suspect_after / 4);
  }
  effects.clear();
  advance(base::limits::suspect_after);
  EXPECT_THAT(sent<Adopt>(), IsEmpty());
}

TEST_F(ShardAdoption, MakesItselfKnownToNodesThatAppearLater) {
  lead();
  view({{2, 1}});
  effects.clear();
  view({{2, 1}, {3, 1}});
  EXPECT_THAT(sent<Adopt>(), ElementsAre(Pair(base::NodeId{3}, Adopt{shard, {1}, {1}})));
}

TEST_F(ShardAdoption, AdoptsWhatAWorkerHoldsAtTheFloor) {
  take_over(spec(4), {{0, 4}});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  renew_and_confirm({held(attempt(1), {{0, 4}}, {{0, 1}})}, 2);
  EXPECT_THAT(stops(), IsEmpty());
  EXPECT_EQ(machine.duties().find(attempt(1))->grant, Grant::granted);
  EXPECT_EQ(machine.duties().running_tasks(job_id(1)), 1u);
  advance(base::limits::suspect_after * 2);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
}

TEST_F(ShardAdoption, AdoptsUnderTheFloorAgainWhatItHadGivenUp) {
  take_over(spec(4), {{0, 4}});
  advance(base::limits::suspect_after);
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::refused);
  renew_and_confirm({held(attempt(1), {{0, 4}})}, 2);
  EXPECT_THAT(told_scheduler<TasksGone>(), ElementsAre(TasksGone{job_id(1), {{0, 4}}}));
  EXPECT_THAT(stops(), IsEmpty());
  finish(attempt(1), {0, 4});
  commit_all();
  EXPECT_EQ(job().state(), TaskState::succeeded);
}

TEST_F(ShardAdoption, PlacesFirstWhatAWorkerHoldsAboveTheFloor) {
  take_over(spec(4), {{0, 2}});
  effects.clear();
  // The old leader had placed tasks 1 to 3 anew, and that was lost before its commit.
  renew_and_confirm({held(attempt(1), {{0, 1}}), held(attempt(7), {{1, 3}})}, 2);
  EXPECT_THAT(told_scheduler<TasksGone>(), ElementsAre(TasksGone{job_id(1), {{2, 2}}}));
  const auto records = proposed();
  ASSERT_THAT(records, SizeIs(1));
  const auto& record = std::get<protocol::PlacedRecord>(records[0]);
  EXPECT_EQ(record.attempt, attempt(7));
  EXPECT_EQ(record.ranges, (TaskRanges{{1, 3}}));
  EXPECT_EQ(record.device, device(2));
  commit_all();
  finish(attempt(7), {1, 3});
  finish(attempt(1), {0, 1});
  commit_all();
  EXPECT_EQ(job().state(), TaskState::succeeded);
}

TEST_F(ShardAdoption, AFinishAboveTheFloorIsRecordedBehindItsPlacement) {
  take_over(spec(2), {});
  effects.clear();
  finish(attempt(7), {0, 2});
  const auto records = proposed();
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(std::get<protocol::PlacedRecord>(records[0]).attempt, attempt(7));
  commit_all();
  EXPECT_EQ(job().state(), TaskState::succeeded);
  EXPECT_THAT(job().attempts, SizeIs(1));
}

TEST_F(ShardAdoption, StopsWhatIsBelowTheFloor) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  step(protocol::NodeLost{worker, {1}, false});
  place({{0, 1}}, device(3));
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 2}})});
  EXPECT_THAT(stops(), ElementsAre(Stop{attempt(1), job_id(1), device(2), {{0, 1}}}));
  EXPECT_EQ(machine.duties().find(attempt(1))->ranges, (TaskRanges{{1, 1}}));
}

TEST_F(ShardAdoption, StopsWhatHasEndedAndWhatIsUnknown) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  finish(attempt(1), {0, 1});
  commit_all();
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 2}}), {attempt(5), job_id(99), {{0, 3}}, {}}});
  EXPECT_THAT(stops(), ElementsAre(Stop{attempt(1), job_id(1), device(2), {{0, 1}}},
                                   Stop{attempt(5), job_id(99), device(2), {{0, 3}}}));
}

TEST_F(ShardAdoption, StopsAnAttemptWhoseFailureIsRecorded) {
  lead_with_job(spec(1, 1));
  place({{0, 1}});
  answer_assign(attempt(1));
  finish(attempt(1), {0, 1}, failure());
  commit_all();
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 1}})});
  EXPECT_THAT(stops(), SizeIs(1));
  EXPECT_TRUE(machine.duties().has_ready(job_id(1)));
}

TEST_F(ShardAdoption, InheritedTasksThatTheirWorkerDoesNotListAreReadyAtOnce) {
  take_over(spec(4), {{0, 2}, {2, 2}});
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 2}})}, 2);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{2, 2}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
}

TEST_F(ShardAdoption, GrantedTasksMissingFromALaterRenewalAreReadyAgainUncounted) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 2}}, {{0, 2}})});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  renew_and_confirm({});
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::refused);
}

TEST_F(ShardAdoption, NoNumberOfRenewalsAskedBeforeAGrantMissesIt) {
  lead_with_job(spec(2));
  place({{0, 2}});
  renew({});
  const auto first = take<Read>();
  ASSERT_THAT(first, SizeIs(1));
  renew({});  // waits for the next round
  answer_assign(attempt(1));
  effects.clear();
  step(ReadReady{first[0].token, machine.state().applied()});
  confirm_read();
  EXPECT_THAT(sent<Renewed>(), SizeIs(1));
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  EXPECT_EQ(machine.duties().find(attempt(1))->grant, Grant::granted);
}

TEST_F(ShardAdoption, ARenewalThatAYoungerOneOvertookSaysNothing) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  renew_and_confirm({held(attempt(1), {{0, 2}})});
  renew_and_confirm({held(attempt(1), {{0, 2}})});
  worker_clock_ns -= 2;
  effects.clear();
  renew_and_confirm({});
  EXPECT_THAT(sent<Renewed>(), IsEmpty());
  EXPECT_EQ(machine.duties().find(attempt(1))->ranges, (TaskRanges{{0, 2}}));
}

TEST_F(ShardAdoption, APartOfAnAttemptThatItsWorkerListsNoMoreIsMissed) {
  lead_with_job(spec(4));
  place({{0, 4}});
  answer_assign(attempt(1));
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 1}, {3, 1}})});
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{1, 2}}));
  EXPECT_EQ(machine.duties().find(attempt(1))->ranges, (TaskRanges{{0, 1}, {3, 1}}));
}

TEST_F(ShardAdoption, APartOfAnInheritedAttemptThatItsWorkerDoesNotListIsReadyAtOnce) {
  take_over(spec(4), {{0, 4}});
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 3}})}, 2);
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).ranges, (TaskRanges{{3, 1}}));
}

TEST_F(ShardAdoption, AnAssignInFlightIsNotMissed) {
  lead_with_job(spec(2));
  place({{0, 2}});
  effects.clear();
  for (int again = 0; again < 3; ++again) {
    renew_and_confirm({});
  }
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
}

TEST_F(ShardAdoption, AnotherDevicesRenewalSaysNothingOfThisOne) {
  take_over(spec(2), {{0, 2}});
  effects.clear();
  renew({}, 2, device(2, 1));
  confirm_read();
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
}

TEST_F(ShardAdoption, TasksOfSilentNodesAreReadyAfterTheSuspicionTimeUncounted) {
  take_over(spec(3), {{0, 2}});
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).ranges, (TaskRanges{{2, 1}}));
  advance(base::limits::suspect_after - 1ms);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  advance(1ms);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{0, 2}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
}

TEST_F(ShardAdoption, TasksOfADeadLifeAreReadyAtOnceForANewLeader) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  commit_all();
  step(NotLeading{});
  view({{2, 8}});
  effects.clear();
  lead(2);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(2));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
  EXPECT_EQ(ready[1].ranges, (TaskRanges{{0, 1}}));
  EXPECT_EQ(ready[1].cause, PlaceCause::node_failure) << "the first of its device: it may have run";
}

// Whose loss brought it to power is told once, before it leads.
TEST_F(ShardAdoption, TasksOfANodeLostBeforeItsElectionAreReadyAtOnceForANewLeader) {
  lead_with_job(spec(2));
  view({{2, 1}});
  place({{0, 2}});
  answer_assign(attempt(1));
  commit_all();
  step(NotLeading{});
  step(protocol::NodeLost{worker, {1}, false});
  effects.clear();
  lead(2);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{0, 2}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
}

TEST_F(ShardAdoption, TasksOfANodeThatIsBackBeforeTheElectionWaitForItsReport) {
  lead_with_job(spec(2));
  view({{2, 1}});
  place({{0, 2}});
  answer_assign(attempt(1));
  commit_all();
  step(NotLeading{});
  step(protocol::NodeLost{worker, {1}, false});
  view({{2, 1}});
  effects.clear();
  lead(2);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
}

TEST_F(ShardAdoption, ALostNodesTasksAreReadyAgainAndCountedOnlyIfTheyMayHaveRun) {
  lead_with_job(spec(6));
  place({{0, 4}});
  place({{4, 2}});
  answer_assign(attempt(1));
  renew_and_confirm({held(attempt(1), {{0, 4}}, {{0, 2}})});
  effects.clear();
  step(protocol::NodeLost{worker, {1}, false});
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(3));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{2, 2}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused) << "they waited at the device";
  EXPECT_EQ(ready[1].ranges, (TaskRanges{{0, 2}}));
  EXPECT_EQ(ready[1].cause, PlaceCause::node_failure);
  EXPECT_EQ(ready[2].ranges, (TaskRanges{{4, 2}}));
  EXPECT_EQ(ready[2].cause, PlaceCause::refused) << "its Assign was never answered";
  EXPECT_FALSE(told_scheduler<protocol::AssignAnswered>().at(0).answered);
  step(protocol::NodeLost{worker, {1}, true});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
}

TEST_F(ShardAdoption, WhatALostNodeHadGoesBeforeTheOthersUntilItHasEnded) {
  lead_with_job(spec(6));
  place({{0, 4}});
  answer_assign(attempt(1));
  step(protocol::NodeLost{worker, {1}, false});
  for (const auto& ready : told_scheduler<TasksReady>()) {
    EXPECT_EQ(ready.lost_before, ready.ranges[0].first < 4);
  }
  effects.clear();
  place({{1, 2}}, device(3));
  place({{4, 2}}, device(3));
  const auto assigns = sent<protocol::Assign>();
  ASSERT_THAT(assigns, SizeIs(2));
  EXPECT_TRUE(assigns[0].second.lost_before);
  EXPECT_FALSE(assigns[1].second.lost_before);
  effects.clear();
  answer_assign(assigns[0].second.attempt, protocol::RefusalReason::queue_full, device(3));
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_TRUE(ready[0].lost_before) << "refused elsewhere, it is still the first";
}

// Else a task that kills its node at once would take one node after the other.
TEST_F(ShardAdoption, TheTasksThatADeviceRunsFirstCountAlthoughNoRenewalListedThem) {
  lead_with_job(spec(6));
  slots = 2;
  view({{2, 1}});
  place({{0, 1}});
  place({{1, 5}});
  answer_assign(attempt(1));
  answer_assign(attempt(2));
  effects.clear();
  step(protocol::NodeLost{worker, {1}, false});
  EXPECT_EQ(counted_as_running(), (TaskRanges{{0, 2}}));
}

// It goes ahead of what was granted before it.
TEST_F(ShardAdoption, ATaskThatKillsItsNodeIsCountedAlsoWhereItWasPlacedLast) {
  lead_with_job(spec(3));
  place({{2, 1}});
  answer_assign(attempt(1));
  step(protocol::NodeLost{worker, {1}, false});
  place({{0, 2}}, device(3));
  place({{2, 1}}, device(3));
  answer_assign(attempt(2), protocol::RefusalReason::none, device(3));
  answer_assign(attempt(3), protocol::RefusalReason::none, device(3));
  effects.clear();
  step(protocol::NodeLost{{3}, {1}, false});
  EXPECT_EQ(counted_as_running(), (TaskRanges{{0, 1}, {2, 1}}));
}

TEST_F(ShardAdoption, ATaskThatOnlyWaitsAtNodesThatAreLostIsNeverLostForIt) {
  lead_with_job(spec(2, 0, 1));
  for (std::uint32_t node = 2; node < 12; ++node) {
    place({{0, 2}}, device(node));
    answer_assign(attempt(node - 1), protocol::RefusalReason::none, device(node));
    renew({held(attempt(node - 1), {{0, 2}}, {{0, 1}})}, 1, device(node));
    confirm_read();
    step(protocol::NodeLost{{node}, {1}, false});
    commit_all();
  }
  EXPECT_EQ(job().ended[static_cast<std::size_t>(TaskState::lost)], 1u);
  EXPECT_EQ(job().tasks.find(1)->node_failures, 0u);
  EXPECT_EQ(job().live_tasks, 1u);
}

TEST_F(ShardAdoption, ALostLifeTakesNothingFromALaterOne) {
  lead_with_job(spec(2));
  view({{2, 5}});
  place({{0, 2}}, device(2), 5);
  answer_assign(attempt(1), protocol::RefusalReason::none, device(2), 5);
  effects.clear();
  step(protocol::NodeLost{worker, {4}, true});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  EXPECT_EQ(machine.duties().find(attempt(1))->grant, Grant::granted);
}

TEST_F(ShardAdoption, AMessageOfANewerLifeProvesTheOlderOneDead) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  effects.clear();
  renew({}, 1, device(2), 2);
  EXPECT_EQ(told_scheduler<TasksReady>().at(1).cause, PlaceCause::node_failure);
}

TEST_F(ShardAdoption, AMessageOfAnOlderLifeRenewsNothing) {
  lead_with_job(spec(2));
  view({{2, 5}});
  effects.clear();
  renew({}, 1, device(2), 4);
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardAdoption, GivesUpATaskThatRanAtTooManyNodeLosses) {
  lead_with_job(spec(2, 0, 1));
  place({{0, 1}});
  answer_assign(attempt(1));
  step(protocol::NodeLost{worker, {1}, false});
  place({{0, 1}}, device(3));
  answer_assign(attempt(2), protocol::RefusalReason::none, device(3));
  commit_all();
  effects.clear();
  step(protocol::NodeLost{{3}, {1}, false});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  place({{0, 1}}, device(4));  // its end is decided: not placed any more
  EXPECT_THAT(sent<protocol::Assign>(), IsEmpty());
  commit_all();
  EXPECT_EQ(job().ended[static_cast<std::size_t>(TaskState::lost)], 1u);
  EXPECT_THAT(job().tasks.find(0)->outcome->message, ::testing::HasSubstr("2 node losses"));
  EXPECT_EQ(job().live_tasks, 1u);
}

TEST_F(ShardAdoption, ALeaseThatRunsOutFreesTheTasksOfItsDevice) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  renew_and_confirm({held(attempt(1), {{0, 2}})});
  effects.clear();
  advance(base::limits::lease_safe);  // the leader counts longer than the worker
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  advance(base::limits::lease_safe / 100);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(2));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{1, 1}}));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
  EXPECT_EQ(ready[1].cause, PlaceCause::node_failure);
}

TEST_F(ShardAdoption, AnOldLeadersRoundAnswersNobody) {
  lead_with_job(spec(1));
  renew({});
  const auto read = take<Read>().at(0);
  step(NotLeading{});
  lead(2);
  effects.clear();
  step(ReadReady{read.token, machine.state().applied()});
  EXPECT_THAT(effects, IsEmpty());
}

TEST_F(ShardAdoption, EveryHandlerMayBeCalledTwice) {
  lead_with_job(spec(3, 1));
  const auto twice = [this](const Event& event) {
    step(event);
    step(event);
  };
  const base::AttemptId first = attempt(1);
  const protocol::Place choice{shard, job_id(1), {{0, 3}}, device(2), {1}};
  twice(choice);
  twice(AssignReplyEvent{worker, {1}, {first, job_id(1), device(2), {}, books()}});
  commit_all();
  twice(RenewEvent{
      worker, {1}, {shard, {1}, {1}, device(2), {1}, 7, {held(first, {{0, 3}}, {{0, 3}})}}});
  confirm_read();
  twice(FinishEvent{worker, {1}, {first, job_id(1), device(2), {{{0, 1}, outcome()}}, 5}});
  twice(FinishEvent{worker, {1}, {first, job_id(1), device(2), {{{1, 1}, failure()}}, 5}});
  commit_all();
  twice(FinishEvent{worker, {1}, {first, job_id(1), device(2), {{{1, 1}, failure()}}, 5}});
  twice(protocol::NodeLost{worker, {1}, false});
  twice(protocol::Place{shard, job_id(1), {{1, 2}}, device(3), {1}});
  twice(protocol::ShardRequest{{9}, shard, protocol::CancelJob{request(9), job_id(1)}});
  commit_all();
  twice(FinishEvent{worker, {1}, {first, job_id(1), device(2), {{{2, 1}, outcome()}}, 5}});
  commit_all();
  EXPECT_EQ(job().device_ns, 15);
  EXPECT_THAT(job().ended, ElementsAre(0, 0, 1, 0, 2, 0, 0));
  EXPECT_TRUE(machine.duties().empty());
  twice(NotLeading{});
}

}  // namespace
}  // namespace fastgpu::ledger
