// What waits behind a task that runs for longer than was foreseen.

#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using protocol::Renew;

std::vector<base::TaskRange> listed(WorkerBench& bench) {
  std::vector<base::TaskRange> ranges;
  std::optional<Renew> last;
  while (auto renew = bench.take<Renew>())
    last = std::move(renew);
  if (last)
    for (const auto& held : last->held)
      ranges.insert(ranges.end(), held.ranges.begin(), held.ranges.end());
  return ranges;
}

TEST(WorkerQueue, GoesBackWhenTheTaskBeforeItRunsForLongAndTheDeviceSaysSo) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  ASSERT_EQ(bench.launches.size(), 1u);
  bench.pass(WorkerMachine::held_up_min - 1ns);
  EXPECT_EQ(bench.machine.books().queued_tasks, 2u);
  bench.pass(1ns);
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u);
  EXPECT_EQ(listed(bench), (std::vector<base::TaskRange>{{0, 1}})) << "what runs stays";
  EXPECT_GE(bench.published.back().backlog_ns, 2 * base::Duration(1s).count());
}

TEST(WorkerQueue, StaysForTwiceAsLongAsSuchATaskHasTakenButForASecondAtMost) {
  for (const auto& [ran, held_up] : {std::pair{1ms, 500ms}, {400ms, 800ms}, {60'000ms, 1000ms}}) {
    WorkerBench bench;
    bench.warm_up();
    bench.give(WorkerBench::assign(1, {0, 1}));
    bench.pass(ran);
    bench.renewed();
    bench.done();
    bench.give(WorkerBench::assign(2, {1, 2}));
    bench.pass(held_up - 1ns);
    EXPECT_EQ(bench.machine.books().queued_tasks, 1u) << ran / 1ms << " ms";
    bench.pass(1ns);
    EXPECT_EQ(bench.machine.books().queued_tasks, 0u) << ran / 1ms << " ms";
  }
}

TEST(WorkerQueue, StaysWhileAKernelIsMadeAndCountsFromThenOn) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  bench.step(KernelMaking{bench.launches.front().token, false});
  bench.pass(900ms);
  bench.step(KernelMaking{bench.launches.front().token, true});
  bench.pass(WorkerMachine::held_up_min - 1ns);
  EXPECT_EQ(bench.machine.books().queued_tasks, 2u);
  bench.pass(1ns);
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u);
}

TEST(WorkerQueue, WhatALostNodeHadGoesBeforeWhatWaits) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  for (const std::uint64_t sequence : {2, 3}) {
    auto lost = WorkerBench::assign(sequence, {static_cast<std::uint32_t>(10 * sequence), 1});
    lost.lost_before = true;
    bench.give(lost);
  }
  std::vector<std::uint32_t> order;
  while (!bench.launches.empty()) {
    order.push_back(bench.launches.front().task);
    bench.done();
  }
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 20, 30, 1}));
}

// The leader takes for missing only what was granted before the renewal was asked for.
TEST(WorkerQueue, WhatGoesBackInTheTurnThatGrantedItIsMissingFromAYoungerRenewal) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.pass(WorkerMachine::held_up_min + 10ms);
  bench.renewed();
  bench.sent.clear();
  bench.pass(100ms);
  bench.give(WorkerBench::assign(2, {1, 2}));
  const auto reply = bench.take<protocol::AssignReply>();
  const auto renew = bench.take<Renew>();
  ASSERT_TRUE(reply && renew);
  EXPECT_EQ(reply->refused, protocol::RefusalReason::none);
  ASSERT_EQ(renew->held.size(), 1u);
  EXPECT_EQ(renew->held[0].attempt, WorkerBench::attempt(1));
  EXPECT_GT(renew->asked_at_ns, reply->granted_at_ns);
}

TEST(WorkerQueue, IsExpectedToWaitForAsLongAgainAsItHasWaited) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  for (const auto run : {1s, 2s, 60s, 1800s}) {
    bench.pass(run);
    bench.renewed();
    EXPECT_GT(bench.machine.books().backlog_ns, base::Duration(run).count());
  }
  const std::size_t told = bench.published.size();
  EXPECT_LT(told, 40u) << "the longer it runs, the rarer the news";
  bench.done();
  EXPECT_LT(bench.machine.books().backlog_ns, base::Duration(1s).count());
}

TEST(WorkerQueue, StaysWhileTasksBeginAndEnd) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 10}));
  for (int i = 0; i < 5; ++i) {
    bench.pass(WorkerMachine::held_up_min - 1ms);
    bench.renewed();
    bench.done();
  }
  EXPECT_EQ(bench.machine.books().queued_tasks, 4u);
}

TEST(WorkerQueue, KeepsWhoMayHaveKilledTheDevice) {
  WorkerBench bench(2);
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  ASSERT_EQ(bench.launches.size(), 2u);
  bench.die();
  bench.ready();
  ASSERT_EQ(bench.launches.size(), 1u) << "one after the other now";
  bench.pass(WorkerMachine::held_up_min);
  EXPECT_EQ(bench.machine.books().queued_tasks, 1u);
}

}  // namespace
}  // namespace fastgpu::worker
