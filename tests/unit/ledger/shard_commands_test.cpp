#include "tests/unit/ledger/shard_bench.hpp"

// Commands: never placed twice at once.

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::Assign;
using protocol::PlaceCause;
using protocol::Renewed;
using protocol::Stop;
using protocol::TasksReady;
using protocol::TaskState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr base::Duration lease = base::limits::lease_command;
constexpr base::Duration lease_for_leader = lease + lease / 100;

class ShardCommands : public ShardBench {
 protected:
  explicit ShardCommands(ShardLimits limits = {}) : ShardBench(limits) {}
  static protocol::HeldAttempt held(const base::AttemptId& of, std::vector<base::TaskRange> ranges,
                                    std::vector<base::TaskRange> running = {}) {
    return {of, job_id(1), std::move(ranges), std::move(running), {}};
  }
  /// Has job 1, placed on device 2 and assigned.
  void assign_one(protocol::SharedSpec what = command_spec(1)) {
    lead_with_job(what);
    place({{0, what->tasks}});
    commit_all();
    effects.clear();
  }
  /// ... and granted and running.
  void run_one(protocol::SharedSpec what = command_spec(1)) {
    const base::TaskRange all{0, what->tasks};
    assign_one(std::move(what));
    answer_assign(attempt(1));
    renew_and_confirm({held(attempt(1), {all}, {all})});
    effects.clear();
  }
  /// The scheduler knows at once that the choice is void, and that the device is not to blame.
  void expect_never_asked() {
    const auto told = told_scheduler<protocol::AssignAnswered>();
    ASSERT_THAT(told, SizeIs(1));
    EXPECT_FALSE(told[0].answered);
    EXPECT_EQ(told[0].refused, protocol::RefusalReason::stale_attempt);
  }
  void renew_and_confirm(std::vector<protocol::HeldAttempt> list, std::uint64_t term = 1) {
    renew(std::move(list), term);
    confirm_read();
  }
  /// Lets time pass with all ticks on the way.
  void pass(base::Duration time) {
    const base::Time end = now + time;
    while (machine.next_deadline() && *machine.next_deadline() <= end) {
      advance(std::max(*machine.next_deadline() - now, base::Duration(1)));
    }
    now = end;
    step(Tick{});
  }
};

TEST_F(ShardCommands, AreAssignedOnlyWhenTheirPlacementIsCommitted) {
  lead_with_job(command_spec(3));
  place({{0, 3}});
  EXPECT_THAT(sent<Assign>(), IsEmpty());
  EXPECT_THAT(log, SizeIs(1));
  pass(base::limits::rpc_timeout * 10);
  EXPECT_THAT(sent<Assign>(), IsEmpty()) << "however long that takes";
  commit_all();
  const auto assigns = sent<Assign>();
  ASSERT_THAT(assigns, SizeIs(1));
  EXPECT_EQ(assigns[0].second.attempt, attempt(1));
  EXPECT_EQ(assigns[0].second.ranges, (TaskRanges{{0, 3}}));
}

TEST_F(ShardCommands, AreAssignedBeforeWhatIsPlacedOnTheirDeviceAfterThem) {
  lead_with_job(command_spec(1));
  submit(2, 2, spec(3));
  commit_all();
  effects.clear();
  place({{0, 1}});
  place({{0, 1}}, device(2), 1, 2);
  place({{1, 1}}, device(2), 1, 2);
  EXPECT_THAT(sent<Assign>(), IsEmpty()) << "its worker takes nothing older than what it has seen";
  place({{2, 1}}, device(3), 1, 2);
  EXPECT_THAT(sent<Assign>(), SizeIs(1)) << "that device waits for nothing";
  commit_all();
  std::vector<base::AttemptId> assigned;
  for (const auto& [node, assign] : sent<Assign>()) {
    assigned.push_back(assign.attempt);
  }
  EXPECT_THAT(assigned, ElementsAre(attempt(1), attempt(2), attempt(3)));
}

TEST_F(ShardCommands, ThatAreCancelledBeforeTheirCommitHoldNothingUp) {
  lead_with_job(command_spec(1));
  submit(2, 2, spec(1));
  commit_all();
  ask(7, protocol::CancelJob{request(7), job_id(1)});
  place({{0, 1}});
  commit();
  ASSERT_FALSE(job().live());
  ASSERT_THAT(log, SizeIs(1)) << "the placement";
  EXPECT_THAT(sent<Stop>(), IsEmpty()) << "its worker has never heard of it";
  expect_never_asked();
  effects.clear();
  place({{0, 1}}, device(2), 1, 2);
  EXPECT_THAT(sent<Assign>(), SizeIs(1));
}

TEST_F(ShardCommands, WhosePlacementTheLogDropsAreReadyAgain) {
  lead_with_job(command_spec(1));
  place({{0, 1}});
  effects.clear();
  step(OutcomeUnknown{log.back().token});
  EXPECT_THAT(told_scheduler<TasksReady>(), SizeIs(1));
  expect_never_asked();
  // It was committed all the same: nobody is asked to run it.
  step(Committed{{machine.state().applied().value + 1}, std::nullopt, log.back().entry});
  EXPECT_THAT(sent<Assign>(), IsEmpty());
}

TEST_F(ShardCommands, OfANodeThatIsLostBeforeTheirCommitAreReadyAgainWithoutAProof) {
  lead_with_job(command_spec(1));
  place({{0, 1}});
  effects.clear();
  step(protocol::NodeLost{worker, {1}, false});
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused) << "they never ran";
  expect_never_asked();
}

TEST_F(ShardCommands, CancelledBeforeTheirPlacementIsCommittedAreNeverAssigned) {
  lead_with_job(command_spec(1));
  ask(7, protocol::CancelJob{request(7), job_id(1)});
  place({{0, 1}});
  commit_all();
  EXPECT_THAT(sent<Assign>(), IsEmpty());
  EXPECT_FALSE(job().live());
}

TEST_F(ShardCommands, OfASilentNodeWaitForTheEndOfTheirLease) {
  run_one();
  step(protocol::NodeLost{worker, {1}, false});
  pass(lease_for_leader - 1ns);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  pass(1ns);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].cause, PlaceCause::node_failure) << "it was running there";
}

TEST_F(ShardCommands, LiveOnWithEveryRenewalThatIsAnswered) {
  run_one();
  for (int i = 0; i < 100; ++i) {
    pass(lease / 10);
    renew_and_confirm({held(attempt(1), {{0, 1}}, {{0, 1}})});
  }
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  EXPECT_EQ(sent<Renewed>().back().second.command_lease_ns, lease.count());
  pass(lease_for_leader);
  EXPECT_THAT(told_scheduler<TasksReady>(), SizeIs(1));
}

TEST_F(ShardCommands, AreNotStartedLaterThanTheirLeaderCountsOnThem) {
  lead_with_job(command_spec(3));
  place({{0, 1}});
  commit_all();
  EXPECT_EQ(sent<Assign>().at(0).second.start_before_ns, 0) << "no renewal was answered yet";
  renew_and_confirm({});
  place({{1, 1}});
  commit_all();
  EXPECT_EQ(sent<Assign>().at(0).second.start_before_ns, worker_clock_ns + lease.count());
  view({{2, 9}});
  place({{2, 1}}, device(2), 9);
  commit_all();
  const auto assigns = sent<Assign>();
  EXPECT_EQ(assigns.back().second.start_before_ns, 0) << "that was another life";
}

TEST_F(ShardCommands, MayAskForALongerLease) {
  const base::Duration days = 72h;
  run_one(command_spec(1, days.count()));
  step(protocol::NodeLost{worker, {1}, false});
  pass(days + days / 100 - 1s);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  pass(1s);
  EXPECT_THAT(told_scheduler<TasksReady>(), SizeIs(1));
}

TEST_F(ShardCommands, OfANodeThatCameBackInANewLifeAreReadyAtOnce) {
  run_one();
  step(protocol::NodeLost{worker, {1}, true});
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::node_failure);
}

TEST_F(ShardCommands, AreReadyAtOnceWhenAMessageOfALaterLifeComes) {
  run_one();
  step(protocol::NodeLost{worker, {1}, false});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  renew({}, 1, device(2), 2);
  EXPECT_THAT(told_scheduler<TasksReady>(), SizeIs(1));
}

TEST_F(ShardCommands, WhoseAssignNobodyAnswersMayRunAllTheSame) {
  assign_one();
  step(protocol::NodeLost{worker, {1}, false});
  pass(base::limits::rpc_timeout * base::limits::rpc_tries_max * 2);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  EXPECT_GT(sent<Assign>().size(), 4u) << "asked again, since the node may live";
  pass(lease_for_leader);
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].cause, PlaceCause::refused);
}

TEST_F(ShardCommands, WhoseAssignIsRefusedAreReadyAtOnce) {
  assign_one();
  answer_assign(attempt(1), protocol::RefusalReason::queue_full);
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::refused);
}

TEST_F(ShardCommands, ThatTheirWorkerDoesNotListAreReadyAtOnce) {
  run_one();
  renew_and_confirm({});
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::refused);
}

TEST_F(ShardCommands, OutliveTheLeaseOfKernelsOnTheirDevice) {
  run_one();
  pass(base::limits::lease_safe * 3);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
}

TEST_F(ShardCommands, InheritedByANewLeaderWaitForTheLeaseCountedFromItsElection) {
  run_one();
  pass(lease / 2);
  step(NotLeading{});
  effects.clear();
  lead(2);
  pass(lease_for_leader - 1ns);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  pass(1ns);
  EXPECT_THAT(told_scheduler<TasksReady>(), SizeIs(1));
}

TEST_F(ShardCommands, InheritedByANewLeaderGoOnWhenTheirWorkerReports) {
  run_one();
  step(NotLeading{});
  lead(2);
  effects.clear();
  pass(lease / 2);
  renew_and_confirm({held(attempt(1), {{0, 1}}, {{0, 1}})}, 2);
  pass(lease_for_leader - 1s);
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  finish(attempt(1), {0, 1});
  commit_all();
  EXPECT_EQ(job().state(), TaskState::succeeded);
}

TEST_F(ShardCommands, InheritedAndNotListedByTheirWorkerAreReadyAtOnce) {
  run_one();
  step(NotLeading{});
  lead(2);
  effects.clear();
  renew_and_confirm({}, 2);
  EXPECT_EQ(told_scheduler<TasksReady>().at(0).cause, PlaceCause::refused);
}

TEST_F(ShardCommands, PlacedAnewAfterTheirLeaseStopTheOldAttemptThatReportsLate) {
  run_one();
  pass(lease_for_leader);
  place({{0, 1}}, device(3));
  commit_all();
  effects.clear();
  renew_and_confirm({held(attempt(1), {{0, 1}}, {{0, 1}})});
  const auto renewed = sent<Renewed>();
  ASSERT_THAT(renewed, SizeIs(1));
  EXPECT_THAT(renewed[0].second.stop,
              ElementsAre(Stop{attempt(1), job_id(1), device(2), {{0, 1}}}));
  finish(attempt(1), {0, 1}, outcome(), 40);
  commit_all();
  EXPECT_TRUE(job().live()) << "its result comes too late";
  EXPECT_EQ(job().device_ns, 40);
}

TEST_F(ShardCommands, OfOneNodeDoNotHoldBackItsKernels) {
  run_one();
  submit(2, 2, spec(1));
  commit_all();
  place({{0, 1}}, device(2), 1, 2);
  step(AssignReplyEvent{worker, {1}, {attempt(2), job_id(2), device(2), {}, books(), 800}});
  commit_all();
  effects.clear();
  step(protocol::NodeLost{worker, {1}, false});
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].job, job_id(2));
}

TEST_F(ShardCommands, ThatRanAtTooManyNodeLossesAreGivenUp) {
  run_one(command_spec(1, 0, 0));
  step(protocol::NodeLost{worker, {1}, true});
  EXPECT_THAT(told_scheduler<TasksReady>(), IsEmpty());
  commit_all();
  EXPECT_EQ(job().state(), TaskState::lost);
}

TEST_F(ShardCommands, EveryHandlerMayBeCalledTwice) {
  lead_with_job(command_spec(2));
  const auto twice = [this](const Event& event) {
    step(event);
    step(event);
  };
  const base::AttemptId first = attempt(1);
  twice(protocol::Place{shard, job_id(1), {{0, 2}}, device(2), {1}});
  commit_all();
  twice(AssignReplyEvent{worker, {1}, {first, job_id(1), device(2), {}, books(), 5}});
  twice(RenewEvent{
      worker, {1}, {shard, {1}, {1}, device(2), {1}, 7, {held(first, {{0, 2}}, {{0, 2}})}}});
  confirm_read();
  twice(protocol::NodeLost{worker, {1}, false});
  twice(FinishEvent{worker, {1}, {first, job_id(1), device(2), {{{0, 1}, outcome()}}, 5}});
  commit_all();
  twice(protocol::NodeLost{worker, {1}, true});
  twice(protocol::Place{shard, job_id(1), {{1, 1}}, device(3), {1}});
  commit_all();
  EXPECT_THAT(sent<Assign>(), SizeIs(2));
  twice(protocol::ShardRequest{{9}, shard, protocol::CancelJob{request(9), job_id(1)}});
  commit_all();
  EXPECT_TRUE(machine.duties().empty());
  twice(NotLeading{});
}

class ForgetfulCommands : public ShardCommands {
 protected:
  ForgetfulCommands()
      : ShardCommands([] {
          ShardLimits limits;
          limits.retention.finished_jobs_max = 1;
          limits.entries_in_flight_max = 1;
          limits.small_entries_in_flight_max = 1;
          return limits;
        }()) {}
};

TEST_F(ForgetfulCommands, AssignsNothingOfAJobThatALaterRecordOfTheEntryMadeItForget) {
  lead_with_job(command_spec(1));
  submit(2, 2, spec(1));
  commit_all();
  submit(3, 3, spec(1));  // what comes meanwhile is proposed together
  place({{0, 1}});
  ask(7, protocol::CancelJob{request(7), job_id(1)});
  ask(8, protocol::CancelJob{request(8), job_id(2)});
  effects.clear();
  commit_all();
  ASSERT_EQ(machine.state().find(job_id(1)), nullptr);
  EXPECT_THAT(sent<Assign>(), IsEmpty());
}

}  // namespace
}  // namespace fastgpu::ledger
