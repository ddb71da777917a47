#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using base::FailureReason;
using protocol::Finish;
using protocol::TaskState;

TEST(WorkerEnds, NeighboursWithTheSameOutcomeAreOneReport) {
  WorkerBench bench;
  bench.warm_up(protocol::DeviceKind::null);
  auto assign = WorkerBench::assign(1, {10, 64});
  auto spec = WorkerBench::plain_spec();
  spec.request.kind = protocol::DeviceKind::null;
  assign.spec = WorkerBench::spec_of(spec);
  bench.give(assign);
  ASSERT_EQ(bench.launches.size(), 64u);
  for (int i = 0; i < 64; ++i)
    bench.done();
  ASSERT_EQ(bench.count<Finish>(), 1u);
  const auto finish = bench.take<Finish>();
  ASSERT_EQ(finish->reports.size(), 1u);
  EXPECT_EQ(finish->reports[0].range, (base::TaskRange{10, 64}));
  EXPECT_EQ(finish->reports[0].outcome.state, TaskState::succeeded);
}

TEST(WorkerEnds, ALateNeighbourDoesNotHoldAReportBack) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  bench.done();
  EXPECT_EQ(bench.count<Finish>(), 0u);
  bench.pass(WorkerMachine::finish_batch_delay);
  EXPECT_EQ(bench.count<Finish>(), 1u);
}

TEST(WorkerEnds, DeviceTimeIsCountedFromLaunchToEnd) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.pass(300ms);
  bench.done();
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->device_ns, base::Duration(300ms).count());
}

TEST(WorkerEnds, DeviceTimeOfTasksThatQueueInTheExecutorIsNotCountedTwice) {
  WorkerBench bench(2);
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  ASSERT_EQ(bench.launches.size(), 2u);
  bench.pass(300ms);
  bench.done();
  bench.pass(100ms);
  bench.done();
  std::int64_t sum = 0;
  while (const auto finish = bench.take<Finish>())
    sum += finish->device_ns;
  EXPECT_EQ(sum, base::Duration(400ms).count());
}

TEST(WorkerEnds, SmallOutputsRideAndLargeOnesAreKeptFirst) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  const base::Bytes small(std::vector<std::uint8_t>(base::limits::inline_output_bytes_max, 1));
  const base::Bytes large(std::vector<std::uint8_t>(base::limits::inline_output_bytes_max + 1, 2));
  bench.done(FailureReason::none, "", {small, large});
  EXPECT_EQ(bench.count<Finish>(), 0u);
  ASSERT_EQ(bench.keeps.size(), 1u);
  EXPECT_EQ(bench.keeps[0].data, (std::vector<base::Bytes>{large}));
  EXPECT_EQ(bench.machine.books().slots_free, 1u) << "the device is free while outputs are kept";
  const protocol::ObjectRef object{{{9}}, large.size(), {2}};
  for (int twice = 0; twice < 2; ++twice)
    bench.step(protocol::Kept{WorkerBench::device, bench.keeps[0].token, {object}, {}});
  ASSERT_EQ(bench.count<Finish>(), 1u);
  const auto finish = bench.take<Finish>();
  EXPECT_EQ(finish->reports[0].outcome.outputs, (std::vector<protocol::Data>{small, object}));
}

TEST(WorkerEnds, AFinishNeverOutgrowsAFrame) {
  WorkerBench bench;
  bench.warm_up(protocol::DeviceKind::null);
  auto assign = WorkerBench::assign(1, {0, 256});
  auto spec = WorkerBench::plain_spec();
  spec.request.kind = protocol::DeviceKind::null;
  assign.spec = WorkerBench::spec_of(spec);
  bench.give(assign);
  for (int i = 0; i < 256; ++i)
    bench.done(FailureReason::bad_kernel, std::string(base::limits::message_text_bytes_max - 1,
                                                      static_cast<char>('a' + i % 2)));
  bench.pass(10ms);
  std::uint32_t told = 0;
  while (const auto finish = bench.take<Finish>()) {
    std::size_t bytes = 0;
    for (const auto& report : finish->reports) {
      bytes += report.outcome.message.size();
      told += report.range.count;
    }
    EXPECT_LE(bytes, base::limits::frame_bytes_max / 2);
  }
  EXPECT_EQ(told, 256u);
}

TEST(WorkerEnds, ATaskOverItsTimeLimitDoesNotWaitForAProcessThatDoesNotComeBack) {
  WorkerBench bench;
  bench.warm_up();
  auto assign = WorkerBench::assign(1, {0, 1});
  auto spec = WorkerBench::plain_spec();
  spec.time_limit_ns = base::Duration(2s).count();
  assign.spec = WorkerBench::spec_of(spec);
  for (const bool fails_to_start : {false, true}) {
    assign.attempt.sequence += 1;
    bench.give(assign);
    bench.pass(2s);
    bench.die("killed: time limit");
    if (fails_to_start)
      bench.step(ExecutorDied{"the executor cannot start", {}, std::nullopt});
    bench.pass(fails_to_start ? 5ms : WorkerMachine::restart_told_within + 5ms);
    const auto finish = bench.take<Finish>();
    ASSERT_TRUE(finish.has_value());
    EXPECT_EQ(finish->reports[0].outcome.message,
              "killed after 2 s (limit); kernel k, grid (1,1,1), block size (1,1,1)");
    bench.settle(assign.attempt.sequence, {0, 1});
    bench.ready();
    bench.renewed();
    bench.sent.clear();
  }
}

TEST(WorkerEnds, TheMakingOfItsKernelIsNoneOfATasksTime) {
  WorkerBench bench(2);
  bench.warm_up();
  auto assign = WorkerBench::assign(1, {0, 2});
  auto spec = WorkerBench::plain_spec();
  spec.time_limit_ns = base::Duration(2s).count();
  assign.spec = WorkerBench::spec_of(spec);
  bench.give(assign);
  ASSERT_EQ(bench.launches.size(), 2u);
  for (const Launch& launch : bench.launches)
    bench.step(KernelMaking{launch.token, false});
  for (int i = 0; i < 10; ++i) {
    bench.pass(1s);
    bench.renewed();
  }
  EXPECT_TRUE(bench.kills.empty());
  bench.step(KernelMaking{bench.launches[1].token, true});
  bench.pass(1999ms);
  EXPECT_TRUE(bench.kills.empty());
  bench.pass(1ms);
  EXPECT_EQ(bench.kills.size(), 1u) << "the second runs, while the first one's is still made";
  bench.die("killed: time limit");
  bench.ready();
  bench.pass(5ms);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->reports.at(0).range, (base::TaskRange{1, 1}));
  EXPECT_EQ(finish->reports.at(0).outcome.reason, FailureReason::time_limit);
}

TEST(WorkerEnds, AKernelThatIsMadeForEverEndsItsTaskAllTheSame) {
  WorkerBench bench;
  bench.warm_up();
  auto assign = WorkerBench::assign(1, {0, 1});
  auto spec = WorkerBench::plain_spec();
  spec.time_limit_ns = base::Duration(2s).count();
  assign.spec = WorkerBench::spec_of(spec);
  bench.give(assign);
  bench.step(KernelMaking{bench.launches.front().token, false});
  bench.pass(WorkerMachine::kernel_made_within);
  EXPECT_TRUE(bench.kills.empty());
  bench.pass(2s);
  EXPECT_EQ(bench.kills.size(), 1u);
}

TEST(WorkerEnds, ATaskOverItsTimeLimitIsKilledAndTheOthersRunAgain) {
  WorkerBench bench(2);
  bench.warm_up();
  auto assign = WorkerBench::assign(1, {0, 2});
  auto spec = WorkerBench::plain_spec();
  spec.time_limit_ns = base::Duration(2s).count();
  assign.spec = WorkerBench::spec_of(spec);
  bench.give(assign);
  bench.pass(1999ms);
  EXPECT_TRUE(bench.kills.empty());
  bench.pass(1ms);
  ASSERT_EQ(bench.kills.size(), 1u);
  bench.die("killed: time limit");
  bench.pass(3ms);
  EXPECT_FALSE(bench.take<Finish>()) << "its end says how long the device was away";
  bench.ready();
  bench.pass(5ms);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  ASSERT_EQ(finish->reports.size(), 1u);
  EXPECT_EQ(finish->reports[0].range, (base::TaskRange{0, 1}));
  EXPECT_EQ(finish->reports[0].outcome.state, TaskState::timed_out);
  EXPECT_EQ(finish->reports[0].outcome.reason, FailureReason::time_limit);
  EXPECT_EQ(finish->reports[0].outcome.message,
            "killed after 2 s (limit); kernel k, grid (1,1,1), block size (1,1,1); the executor "
            "restarted in 3 ms");
  ASSERT_EQ(bench.launches.size(), 1u);
  EXPECT_EQ(bench.launches.front().task, 1u);
  bench.pass(1900ms);
  EXPECT_EQ(bench.kills.size(), 1u) << "the limit of the second counts from its second launch";
  bench.settle(1, {0, 1});
  bench.sent.clear();
  bench.done();
  EXPECT_EQ(bench.take<Finish>()->reports[0].outcome.state, TaskState::succeeded);
}

TEST(WorkerEnds, AStoppedTaskThatRunsOnIsKilledAndReportedWithItsTime) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.pass(100ms);
  bench.stop(1, {0, 1});
  bench.stop(1, {0, 1});
  EXPECT_TRUE(bench.kills.empty()) << "it may end by itself in a moment";
  bench.pass(WorkerMachine::stop_grace);
  ASSERT_EQ(bench.kills.size(), 1u);
  bench.die("killed: stopped");
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->reports[0].outcome.state, TaskState::cancelled);
  EXPECT_EQ(finish->device_ns, base::Duration(110ms).count());
}

TEST(WorkerEnds, AStoppedTaskThatEndsInTimeNeedsNoKill) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.stop(1, {0, 1});
  bench.done();
  bench.pass(1s);
  EXPECT_TRUE(bench.kills.empty());
}

TEST(WorkerEnds, ALaunchThatTheExecutorRefusesIsTriedAgain) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  const LaunchToken token = bench.launches.front().token;
  bench.launches.clear();
  for (int twice = 0; twice < 2; ++twice)
    bench.step(LaunchRefused{token});
  EXPECT_TRUE(bench.launches.empty());
  bench.pass(WorkerMachine::launch_retry_delay);
  ASSERT_EQ(bench.launches.size(), 1u);
  EXPECT_NE(bench.launches.front().token, token);
}

TEST(WorkerEnds, ADeviceThatHasNotComeUpIsShownAsWhatItsDriverCallsIt) {
  WorkerOptions options;
  options.device = WorkerBench::device;
  options.expected = {protocol::DeviceKind::gpu, "NVIDIA H100", "GPU-1", 80u << 20, 7};
  const WorkerMachine machine(options);
  const protocol::DeviceBooks& books = machine.books();
  EXPECT_EQ(books.kind, protocol::DeviceKind::gpu);
  EXPECT_EQ(books.model, "NVIDIA H100");
  EXPECT_EQ(books.uuid, "GPU-1");
  EXPECT_FALSE(books.healthy);
  EXPECT_EQ(books.slots_total, 0u) << "it takes nothing yet";
}

TEST(WorkerEnds, WhatItsDriverTellsOfTheDeviceIsPublishedWithItsBooks) {
  WorkerBench bench;
  bench.warm_up();
  protocol::DeviceTelemetry told;
  told.memory_bytes_used = 5;
  told.temperature_celsius = 61;
  bench.step(told);
  bench.pass(std::chrono::seconds(1));
  EXPECT_EQ(bench.published.back().telemetry, told);
}

TEST(WorkerEnds, ADeviceThatStaysDownReportsWhatRanAndHandsTheRestBack) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  bench.die();
  EXPECT_TRUE(bench.machine.books().healthy) << "a restart takes a moment";
  bench.pass(WorkerMachine::unhealthy_after);
  EXPECT_FALSE(bench.machine.books().healthy);
  EXPECT_FALSE(bench.published.back().healthy);
  EXPECT_EQ(bench.published.back().unhealthy_why, "the device's process is down");
  bench.sent.clear();
  bench.pass(WorkerMachine::device_lost_after);
  const auto finish = bench.take<Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->reports[0].range, (base::TaskRange{0, 1}));
  EXPECT_EQ(finish->reports[0].outcome.reason, FailureReason::device_lost);
  std::optional<protocol::Renew> last;
  while (auto renew = bench.take<protocol::Renew>())
    last = renew;
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->held.at(0).ranges, (std::vector<base::TaskRange>{{0, 1}}))
      << "its leader hears that the others are not here any more";
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u);
  bench.ready();
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerEnds, WhatTheExecutorSaysTwiceCountsOnce) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  const ExecutorDone done{bench.launches.front().token, FailureReason::none, "", {}, {}};
  bench.launches.clear();
  bench.step(done);
  bench.step(done);
  EXPECT_EQ(bench.launches.size(), 1u);
  bench.step(ExecutorDied{"late", {done.token}, std::nullopt, true, true});
  bench.ready();
  EXPECT_EQ(bench.machine.attempts().at(WorkerBench::attempt(1)).running, 1u)
      << "a death that does not name a launch does not end it";
}

TEST(WorkerEnds, BooksArePublishedWhenTheyChangeButNotForEveryTask) {
  WorkerBench bench;
  EXPECT_TRUE(bench.published.empty());
  bench.warm_up();
  ASSERT_EQ(bench.published.size(), 1u);
  bench.give(WorkerBench::assign(1, {0, 100}));
  for (int i = 0; i < 99; ++i)
    bench.done();
  EXPECT_LE(bench.published.size(), 2u);
  bench.pass(WorkerMachine::publish_interval);
  EXPECT_EQ(bench.published.back().queued_tasks, 0u);
  for (std::size_t i = 1; i < bench.published.size(); ++i)
    EXPECT_GT(bench.published[i].version, bench.published[i - 1].version);
}

}  // namespace
}  // namespace fastgpu::worker
