#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using protocol::AssignReply;
using protocol::RefusalReason;

RefusalReason answer_to(WorkerBench& bench, const protocol::Assign& assign) {
  bench.give(assign);
  const auto reply = bench.take<AssignReply>();
  EXPECT_TRUE(reply.has_value());
  EXPECT_EQ(reply->attempt, assign.attempt);
  EXPECT_EQ(reply->books.device, WorkerBench::device);
  EXPECT_LE(reply->books.version, bench.machine.books().version);
  return reply->refused;
}

TEST(WorkerGrants, GrantsWhatFitsAndShowsItInItsBooks) {
  WorkerBench bench;
  bench.ready();
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 10})), RefusalReason::none);
  EXPECT_EQ(bench.machine.books().queued_tasks, 10u);
  EXPECT_EQ(bench.machine.books().queue_room, base::limits::device_queue_tasks_max - 10);
  EXPECT_GT(bench.machine.books().backlog_ns, 0);
}

TEST(WorkerGrants, AnswersARepeatedAssignFromTheBooksAndRunsItOnce) {
  WorkerBench bench;
  bench.warm_up();
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1})), RefusalReason::none);
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1})), RefusalReason::none);
  EXPECT_EQ(bench.launches.size(), 1u);
  bench.done();
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1})), RefusalReason::none);
  EXPECT_TRUE(bench.launches.empty());
}

TEST(WorkerGrants, SaysWhenItGrantedAlsoWhenItIsAskedAgain) {
  WorkerBench bench;
  bench.ready();
  const std::int64_t granted_at_ns = bench.now.time_since_epoch().count();
  for (int again = 0; again < 2; ++again) {
    bench.give(WorkerBench::assign(1, {0, 1}));
    EXPECT_EQ(bench.take<AssignReply>()->granted_at_ns, granted_at_ns);
    bench.pass(20ms);
  }
}

TEST(WorkerGrants, RefusesAnAttemptThatItHasForgotten) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.done();
  bench.settle(1, {0, 1});
  bench.sent.clear();
  EXPECT_FALSE(bench.machine.holds(WorkerBench::attempt(1)));
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1})), RefusalReason::stale_attempt);
  EXPECT_TRUE(bench.launches.empty());
}

TEST(WorkerGrants, RefusesAnotherLife) {
  WorkerBench bench;
  bench.ready();
  auto assign = WorkerBench::assign(1, {0, 1});
  assign.incarnation = {6};
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::stale_incarnation);
  assign.incarnation = {8};
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::stale_incarnation);
}

TEST(WorkerGrants, RefusesALowerTermOrEpochThanItHasSeen) {
  WorkerBench bench;
  bench.ready();
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1}, 5)), RefusalReason::none);
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(9, {1, 1}, 4)), RefusalReason::stale_attempt);
  auto next_epoch = WorkerBench::assign(1, {1, 1}, 1);
  next_epoch.attempt.epoch = {2};
  EXPECT_EQ(answer_to(bench, next_epoch), RefusalReason::none);
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(99, {2, 1}, 6)), RefusalReason::stale_attempt);
}

TEST(WorkerGrants, RefusesALowerTermThanAnAdoptNamed) {
  WorkerBench bench;
  bench.ready();
  bench.step(
      FromLeader<protocol::Adopt>{WorkerBench::other_leader, {WorkerBench::shard, {1}, {3}}});
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1}, 2)), RefusalReason::stale_attempt);
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1}, 3)), RefusalReason::none);
}

TEST(WorkerGrants, ARefusedAttemptStaysRefused) {
  WorkerBench bench;
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1})), RefusalReason::unhealthy);
  bench.ready();
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(1, {0, 1})), RefusalReason::stale_attempt);
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(2, {0, 1})), RefusalReason::none);
}

TEST(WorkerGrants, RefusesWithTheReasonOfTheFitCode) {
  WorkerBench bench;
  bench.ready(protocol::DeviceKind::cpu, 1000);
  auto assign = WorkerBench::assign(1, {0, 1});
  auto spec = WorkerBench::plain_spec();
  spec.request.kind = protocol::DeviceKind::gpu;
  assign.spec = WorkerBench::spec_of(spec);
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::wrong_device_kind);
  spec.request = {protocol::DeviceKind::any, 1001};
  assign = WorkerBench::assign(2, {0, 1});
  assign.spec = WorkerBench::spec_of(spec);
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::no_memory);
}

TEST(WorkerGrants, NeverGrantsMoreThanItsQueueHolds) {
  WorkerBench bench;
  bench.ready();
  for (std::uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(answer_to(bench, WorkerBench::assign(i + 1, {i * 250, 250})), RefusalReason::none);
  auto more = WorkerBench::assign(6, {0, 25});
  more.job = {16};
  EXPECT_EQ(answer_to(bench, more), RefusalReason::queue_full);
  more = WorkerBench::assign(7, {0, 24});
  more.job = {16};
  EXPECT_EQ(answer_to(bench, more), RefusalReason::none);
  more = WorkerBench::assign(8, {30, 1});
  more.job = {16};
  EXPECT_EQ(answer_to(bench, more), RefusalReason::queue_full);
}

TEST(WorkerGrants, RefusesRangesThatMakeNoSense) {
  WorkerBench bench;
  bench.ready();
  auto assign = WorkerBench::assign(1, {999, 2});
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::stale_attempt);
  assign = WorkerBench::assign(2, {0, 0});
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::stale_attempt);
  assign = WorkerBench::assign(3, {0, 2});
  assign.ranges.push_back({1, 1});
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::stale_attempt);
  assign = WorkerBench::assign(4, {0, 0xffffffff});
  EXPECT_EQ(answer_to(bench, assign), RefusalReason::stale_attempt);
}

TEST(WorkerGrants, AStopThatOvertakesItsAssignWins) {
  WorkerBench bench;
  bench.warm_up();
  bench.stop(5, {0, 1});
  EXPECT_EQ(answer_to(bench, WorkerBench::assign(5, {0, 1})), RefusalReason::stale_attempt);
  EXPECT_TRUE(bench.launches.empty());
}

TEST(WorkerGrants, StopDropsQueuedTasksAndRepeatsChangeNothing) {
  WorkerBench bench;
  bench.ready();
  bench.give(WorkerBench::assign(1, {0, 10}));
  for (int twice = 0; twice < 2; ++twice) {
    bench.stop(1, {0, 4});
    EXPECT_EQ(bench.machine.books().queued_tasks, 6u);
  }
  bench.stop(1, {4, 6});
  EXPECT_FALSE(bench.machine.holds(WorkerBench::attempt(1)));
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u);
}

TEST(WorkerGrants, AGreaterAttemptOfATaskSupersedesTheOlder) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  ASSERT_EQ(bench.launches.size(), 1u);
  bench.give(WorkerBench::assign(2, {0, 3}));
  EXPECT_EQ(bench.machine.books().queued_tasks, 3u);
  bench.pass(20ms);
  ASSERT_EQ(bench.kills.size(), 1u);
  bench.die("killed: stopped");
  bench.ready();
  ASSERT_EQ(bench.launches.size(), 1u);
  for (int i = 0; i < 3; ++i)
    bench.done();
  bench.pass(10ms);
  std::uint32_t succeeded = 0;
  while (const auto finish = bench.take<protocol::Finish>())
    for (const auto& report : finish->reports)
      if (report.outcome.state == protocol::TaskState::succeeded) {
        EXPECT_EQ(finish->attempt, WorkerBench::attempt(2));
        succeeded += report.range.count;
      }
  EXPECT_EQ(succeeded, 3u);
}

}  // namespace
}  // namespace fastgpu::worker
