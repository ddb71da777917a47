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
  bench.give(WorkerBench::assign(1, {0, 3}));
  ASSERT_EQ(bench.launches.size(), 1u);
  bench.pass(11s);
  EXPECT_TRUE(bench.kills.empty());
  bench.done();
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

}  // namespace
}  // namespace fastgpu::worker
