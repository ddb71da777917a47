#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using protocol::Finish;
using protocol::Renew;

TEST(WorkerLeases, NothingLaunchesWithoutALease) {
  WorkerBench bench;
  bench.ready();
  bench.give(WorkerBench::assign(1, {0, 3}));
  EXPECT_TRUE(bench.launches.empty());
  const auto renew = bench.take<Renew>();
  ASSERT_TRUE(renew.has_value());
  ASSERT_EQ(renew->held.size(), 1u);
  EXPECT_EQ(renew->held[0].ranges, (std::vector<base::TaskRange>{{0, 3}}));
  bench.renewed();
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST(WorkerLeases, TheLeaseCountsFromTheSendingOfItsRenewal) {
  WorkerBench bench;
  bench.ready();
  bench.give(WorkerBench::assign(1, {0, 3}));
  const auto renew = bench.take<Renew>();
  bench.now += 6s;
  bench.step(FromLeader<protocol::Renewed>{WorkerBench::leader,
                                           {WorkerBench::shard,
                                            {1},
                                            {1},
                                            WorkerBench::device,
                                            renew->asked_at_ns,
                                            base::Duration(10s).count(),
                                            {}}});
  EXPECT_TRUE(bench.machine.leased(WorkerBench::shard, bench.now + 3999ms));
  EXPECT_FALSE(bench.machine.leased(WorkerBench::shard, bench.now + 4s));
}

TEST(WorkerLeases, AnAnswerToAQuestionNeverAskedGivesNoLease) {
  WorkerBench bench;
  bench.ready();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.now += 1ms;
  bench.renewed();  // as if asked now
  EXPECT_TRUE(bench.launches.empty());
  bench.step(FromLeader<protocol::Renewed>{
      WorkerBench::leader,
      {WorkerBench::shard, {1}, {1}, WorkerBench::device, 5, base::Duration(10000s).count(), {}}});
  EXPECT_TRUE(bench.launches.empty());
}

TEST(WorkerLeases, QueuedTasksWaitWhenTheLeaseEndsAndRunningOnesGoOn) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  ASSERT_EQ(bench.launches.size(), 1u);
  bench.pass(11s);
  EXPECT_TRUE(bench.kills.empty());
  bench.done();
  bench.give(WorkerBench::assign(2, {1, 2}));
  EXPECT_TRUE(bench.launches.empty());
  EXPECT_EQ(bench.count<Finish>(), 1u);
  bench.pass(500ms);
  const auto asked = bench.take<Renew>();
  ASSERT_TRUE(asked.has_value());
  bench.now += 1ms;
  while (bench.take<Renew>())
    ;
  bench.pass(500ms);
  const auto renew = bench.take<Renew>();
  ASSERT_TRUE(renew.has_value());
  bench.step(FromLeader<protocol::Renewed>{WorkerBench::leader,
                                           {WorkerBench::shard,
                                            {1},
                                            {1},
                                            WorkerBench::device,
                                            renew->asked_at_ns,
                                            base::Duration(10s).count(),
                                            {}}});
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST(WorkerLeases, RenewsInTimeWhileAnythingIsHeld) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  for (int i = 0; i < 10; ++i) {
    bench.sent.clear();
    bench.pass(base::limits::lease_renew_interval);
    ASSERT_EQ(bench.count<Renew>(), 1u);
    bench.renewed();
    EXPECT_TRUE(bench.machine.leased(WorkerBench::shard, bench.now));
  }
}

TEST(WorkerLeases, AnIdleShardIsNotRenewedForEver) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.done();
  bench.settle(1, {0, 1});
  bench.pass(WorkerMachine::stay_warm + 5s);
  bench.sent.clear();
  bench.pass(60s);
  EXPECT_TRUE(bench.sent.empty());
}

TEST(WorkerLeases, ADeniedLeaseLaunchesNothing) {
  WorkerBench bench;
  bench.ready();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.renewed(0s);
  EXPECT_TRUE(bench.launches.empty());
}

TEST(WorkerLeases, ANewLeaderIsToldAllThatIsHeldAndAllUnsettledEnds) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  bench.done(base::FailureReason::out_of_bounds, "bad");
  bench.pass(5ms);
  bench.sent.clear();
  for (int twice = 0; twice < 2; ++twice) {
    bench.step(
        FromLeader<protocol::Adopt>{WorkerBench::other_leader, {WorkerBench::shard, {1}, {2}}});
    base::NodeId to;
    const auto renew = bench.take<Renew>(&to);
    ASSERT_TRUE(renew.has_value());
    EXPECT_EQ(to, WorkerBench::other_leader);
    EXPECT_EQ(renew->term, base::Term{2});
    ASSERT_EQ(renew->held.size(), 1u);
    EXPECT_EQ(renew->held[0].ranges, (std::vector<base::TaskRange>{{0, 2}}));
    EXPECT_EQ(renew->held[0].running, (std::vector<base::TaskRange>{{1, 1}}));
    const auto finish = bench.take<Finish>(&to);
    ASSERT_TRUE(finish.has_value());
    EXPECT_EQ(to, WorkerBench::other_leader);
    ASSERT_EQ(finish->reports.size(), 1u);
    EXPECT_EQ(finish->reports[0].outcome.reason, base::FailureReason::out_of_bounds);
    EXPECT_EQ(finish->attempt, WorkerBench::attempt(1));
    EXPECT_TRUE(bench.sent.empty());
  }
}

TEST(WorkerLeases, AnAdoptionOfALowerTermChangesNothing) {
  WorkerBench bench;
  bench.ready();
  bench.step(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {4}}});
  bench.sent.clear();
  bench.step(
      FromLeader<protocol::Adopt>{WorkerBench::other_leader, {WorkerBench::shard, {1}, {3}}});
  EXPECT_TRUE(bench.sent.empty());
  EXPECT_FALSE(bench.machine.leased(WorkerBench::shard, bench.now));
}

TEST(WorkerLeases, AnAdoptedWorkerThatHoldsNothingSaysSo) {
  WorkerBench bench;
  bench.step(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {1}}});
  const auto renew = bench.take<Renew>();
  ASSERT_TRUE(renew.has_value());
  EXPECT_TRUE(renew->held.empty());
  EXPECT_EQ(renew->incarnation, WorkerBench::life);
}

TEST(WorkerLeases, ARenewalStopsWhatTheLeaderDoesNotWant) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.give(WorkerBench::assign(2, {1, 5}));
  bench.renewed(10s, {{WorkerBench::attempt(2), WorkerBench::job, WorkerBench::device, {{1, 5}}}});
  EXPECT_FALSE(bench.machine.holds(WorkerBench::attempt(2)));
  EXPECT_TRUE(bench.machine.holds(WorkerBench::attempt(1)));
}

TEST(WorkerLeases, EndsAreToldAgainUntilSettled) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.done();
  const auto first = bench.take<Finish>();
  ASSERT_TRUE(first.has_value());
  for (int i = 0; i < 3; ++i) {
    bench.pass(base::limits::finish_resend_interval);
    const auto again = bench.take<Finish>();
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, *first);
  }
  bench.settle(1, {0, 1});
  bench.settle(1, {0, 1});
  bench.sent.clear();
  bench.pass(2s);
  EXPECT_EQ(bench.count<Finish>(), 0u);
}

TEST(WorkerLeases, ALeaderThatIsGoneForGoodTakesNoRoomFromTheOthers) {
  WorkerBench bench;
  bench.warm_up();
  const base::ShardId other{9};
  bench.give(WorkerBench::assign(1, {0, 1000}));
  EXPECT_LT(bench.machine.books().queue_room, 100u);
  bench.pass(2 * base::limits::lease_safe);  // nobody renews
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u);
  bench.done();
  auto assign = WorkerBench::assign(1, {0, 4});
  assign.attempt.shard = other;
  bench.sent.clear();
  bench.give(assign, WorkerBench::other_leader);
  EXPECT_EQ(bench.take<protocol::AssignReply>()->refused, protocol::RefusalReason::none);
  bench.step(FromLeader<protocol::Renewed>{WorkerBench::other_leader,
                                           {other,
                                            {1},
                                            {1},
                                            WorkerBench::device,
                                            bench.now.time_since_epoch().count(),
                                            base::Duration(10s).count(),
                                            {}}});
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST(WorkerLeases, EndsThatNobodySettlesStopTheirShardButNoOther) {
  WorkerBench bench;
  bench.warm_up(protocol::DeviceKind::null);
  auto spec = WorkerBench::plain_spec(100'000);
  spec.request.kind = protocol::DeviceKind::null;
  std::uint64_t sequence = 0;
  const auto run = [&](base::ShardId shard) {
    protocol::Assign assign = WorkerBench::assign(++sequence, {0, 512});
    assign.attempt.shard = shard;
    assign.spec = WorkerBench::spec_of(spec);
    bench.give(assign);
    bench.step(FromLeader<protocol::Renewed>{WorkerBench::leader,
                                             {shard,
                                              {1},
                                              {1},
                                              WorkerBench::device,
                                              bench.now.time_since_epoch().count(),
                                              base::Duration(10s).count(),
                                              {}}});
    std::size_t ran = 0;
    for (; !bench.launches.empty(); ++ran)
      bench.done(base::FailureReason::bad_kernel);
    bench.sent.clear();
    return ran;
  };
  // One shard after the other is never settled, until each stops and with them the common sum.
  std::size_t sum = 0;
  for (std::uint32_t shard = 10; shard < 14; ++shard) {
    std::size_t ran_of_shard = 0;
    for (std::size_t ran = 1; ran != 0; ran_of_shard += ran)
      ran = run({shard});
    EXPECT_LE(ran_of_shard, base::limits::unsettled_tasks_per_shard_max);
    EXPECT_GE(ran_of_shard, base::limits::unsettled_tasks_reserved - 64);
    sum += ran_of_shard;
    bench.pass(2 * base::limits::lease_safe);
  }
  EXPECT_LE(sum, base::limits::unsettled_tasks_max + 4 * base::limits::unsettled_tasks_reserved);
  EXPECT_GT(run({20}), 0u);
}

}  // namespace
}  // namespace fastgpu::worker
