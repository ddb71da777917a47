/// Who pays when the device's process dies: the culprit alone, and a sick device rather than the
/// tasks that it was given.

#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

using base::FailureReason;
using protocol::Finish;
using protocol::TaskOutcome;
using protocol::TaskState;

/// The outcomes told so far, by task.
std::map<std::uint32_t, TaskOutcome> ends(WorkerBench& bench) {
  bench.pass(WorkerMachine::finish_batch_delay);
  std::map<std::uint32_t, TaskOutcome> all;
  while (const auto finish = bench.take<Finish>())
    for (const auto& report : finish->reports)
      for (std::uint64_t task = report.range.first; task < report.range.end(); ++task)
        all[static_cast<std::uint32_t>(task)] = report.outcome;
  return all;
}

std::vector<std::uint32_t> tasks_of(const std::deque<Launch>& launches) {
  std::vector<std::uint32_t> tasks;
  for (const Launch& launch : launches)
    tasks.push_back(launch.task);
  return tasks;
}

/// A job of another program than the bench's.
protocol::Assign other_program(std::uint64_t sequence, base::TaskRange range, char letter) {
  auto assign = WorkerBench::assign(sequence, range);
  auto spec = WorkerBench::plain_spec();
  spec.kernel.source = base::Bytes::copy_of(std::string("__global__ void k() {} // ") + letter);
  assign.spec = WorkerBench::spec_of(spec);
  return assign;
}

/// Task `task` of `assign` runs alone and dies twice; then the device is ready again.
void convict_one(WorkerBench& bench, const protocol::Assign& assign) {
  bench.give(assign);
  bench.die();
  bench.ready();
  bench.die();
  bench.ready();
}

TEST(WorkerBlame, ADeathWithOneTaskAloneGivesItASecondChanceAndNoThird) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  bench.die();
  bench.ready();
  EXPECT_EQ(tasks_of(bench.launches), (std::vector<std::uint32_t>{0}));
  bench.die("signal 11");
  EXPECT_TRUE(ends(bench).empty()) << "the device may be to blame";
  bench.ready();
  const auto all = ends(bench);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.at(0).state, TaskState::failed);
  EXPECT_EQ(all.at(0).reason, FailureReason::executor_crash);
  EXPECT_EQ(all.at(0).message,
            "the device's process died twice while only this task ran, and passes its self-test: "
            "signal 11; kernel k, grid (1,1,1), block size (1,1,1)");
  EXPECT_EQ(tasks_of(bench.launches), (std::vector<std::uint32_t>{1}));
}

TEST(WorkerBlame, AfterADeathTheSuspectsRunAloneAndTheInnocentSucceed) {
  WorkerBench bench(4);
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 6}));
  ASSERT_EQ(bench.launches.size(), 4u);
  bench.die();
  bench.ready();
  for (std::uint32_t task = 0; task < 4; ++task) {
    ASSERT_EQ(bench.launches.size(), 1u) << "suspects run alone";
    EXPECT_EQ(bench.launches.front().task, task);
    bench.done();
  }
  EXPECT_EQ(bench.launches.size(), 2u);
}

TEST(WorkerBlame, TheCulpritAmongManyIsChargedAndNobodyElse) {
  WorkerBench bench(4);
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 6}));
  bench.die();
  // Alone, task 2 does it again, twice.
  for (int i = 0; i < 100 && bench.machine.attempts().at(WorkerBench::attempt(1)).unfinished();
       ++i) {
    if (bench.launches.empty())
      bench.ready();
    else if (bench.launches.front().task == 2)
      bench.die();
    else
      bench.done();
  }
  const auto all = ends(bench);
  ASSERT_EQ(all.size(), 6u);
  for (const auto& [task, outcome] : all)
    EXPECT_EQ(outcome.reason, task == 2 ? FailureReason::executor_crash : FailureReason::none);
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerBlame, OnlyTheOneThatWasRunningIsSuspectedWhenItIsKnown) {
  WorkerBench bench(4);
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 4}));
  bench.die("signal 9", bench.launches[1].token);
  bench.ready();
  ASSERT_EQ(bench.launches.size(), 1u) << "what was launched before the suspect goes first";
  bench.done();
  ASSERT_EQ(bench.launches.size(), 1u) << "the suspect is alone";
  EXPECT_EQ(bench.launches.front().task, 1u);
  bench.done();
  EXPECT_EQ(bench.launches.size(), 2u);
}

TEST(WorkerBlame, BesideAChargedCulpritNobodyIsSuspected) {
  WorkerBench bench(2);
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 9}));
  for (int i = 0; i < 4; ++i) {
    bench.done(FailureReason::out_of_bounds, "wild");
    ExecutorDied died{"exit code 86", {}, std::nullopt, true, true};
    for (const Launch& innocent : std::exchange(bench.launches, {}))
      died.in_flight.push_back(innocent.token);
    bench.step(died);
    bench.ready();
    ASSERT_EQ(bench.launches.size(), 2u) << "nobody runs alone";
  }
  const auto all = ends(bench);
  EXPECT_EQ(all.size(), 4u);
  for (const auto& [task, outcome] : all)
    EXPECT_EQ(outcome.reason, FailureReason::out_of_bounds);
  EXPECT_TRUE(bench.machine.books().healthy) << "proven faults say nothing against the device";
}

TEST(WorkerBlame, AfterAnUnexplainedDeathTheDeviceIsTestedBeforeItGetsWork) {
  WorkerBench bench;
  bench.device_is_good = false;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 2}));
  EXPECT_TRUE(bench.self_tests.empty()) << "nothing is in doubt at the start";
  bench.die();
  bench.ready();
  ASSERT_EQ(bench.self_tests.size(), 1u);
  EXPECT_TRUE(bench.launches.empty());
  bench.end_self_test();
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST(WorkerBlame, ADeviceThatFailsItsSelfTestPaysForTheTasksThatDiedOnIt) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  bench.die();
  bench.ready();
  bench.device_is_good = false;
  bench.die("signal 11");
  bench.sent.clear();
  bench.ready();
  bench.end_self_test(false);
  const auto all = ends(bench);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.at(0).reason, FailureReason::device_lost);
  EXPECT_TRUE(base::is_infrastructure(all.at(0).reason)) << "no retry of the user's is used up";
  EXPECT_FALSE(bench.machine.books().healthy);
  EXPECT_EQ(bench.machine.books().unhealthy_why,
            "quarantined: its self-test failed: it gave a wrong answer in word 255 of 256; a "
            "self-test decides after 1 s");
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u) << "the others run elsewhere";
  EXPECT_EQ(bench.published.back().unhealthy_why, bench.machine.books().unhealthy_why);
}

TEST(WorkerBlame, ADeviceThatDiesInItsSelfTestIsQuarantined) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  bench.device_is_good = false;
  bench.die();
  bench.ready();
  ASSERT_EQ(bench.self_tests.size(), 1u);
  bench.die("signal 7");
  EXPECT_NE(bench.machine.books().unhealthy_why.find("its self-test failed: signal 7"),
            std::string::npos);
  bench.ready();
  EXPECT_TRUE(bench.self_tests.empty()) << "not before its time";
  bench.pass(DeviceHealth::back_off_min);
  EXPECT_EQ(bench.self_tests.size(), 1u);
}

TEST(WorkerBlame, ASelfTestThatHangsEndsWithTheProcess) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.device_is_good = false;
  bench.die();
  bench.ready();
  bench.pass(DeviceHealth::test_limit - 1ms);
  EXPECT_TRUE(bench.kills.empty());
  bench.pass(1ms);
  ASSERT_EQ(bench.kills.size(), 1u);
  EXPECT_TRUE(bench.machine.health().quarantined());
  bench.die("killed");
  bench.ready();
  bench.pass(DeviceHealth::back_off_min);
  EXPECT_EQ(bench.self_tests.size(), 1u);
  bench.end_self_test();
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerBlame, ASelfTestThatTheExecutorRefusesIsTriedAgain) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 1}));
  bench.device_is_good = false;
  bench.die();
  bench.ready();
  const LaunchToken refused = bench.self_tests.front().token;
  bench.self_tests.clear();
  bench.step(LaunchRefused{refused});
  EXPECT_TRUE(bench.self_tests.empty());
  bench.pass(WorkerMachine::launch_retry_delay);
  EXPECT_EQ(bench.self_tests.size(), 1u);
}

TEST(WorkerBlame, CrashesWithDifferentCulpritsQuarantineTheDeviceUntilItPasses) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 9}));
  for (int i = 0; i < 3; ++i) {  // each succeeds when it runs again
    ASSERT_EQ(bench.launches.size(), 1u);
    bench.die();
    bench.ready();
    if (i < 2)
      bench.done();
  }
  EXPECT_FALSE(bench.machine.books().healthy);
  EXPECT_EQ(bench.machine.books().unhealthy_why,
            "quarantined: 3 crashes with different culprits within 60 s, the last: signal 9; a "
            "self-test decides after 1 s");
  EXPECT_TRUE(bench.launches.empty());
  bench.give(WorkerBench::assign(2, {20, 1}));
  std::optional<protocol::AssignReply> reply;
  while (auto next = bench.take<protocol::AssignReply>())
    reply = next;
  EXPECT_EQ(reply->refused, protocol::RefusalReason::unhealthy);
  bench.pass(DeviceHealth::back_off_min);
  EXPECT_TRUE(bench.machine.books().healthy);
  bench.renewed();
  bench.give(WorkerBench::assign(3, {20, 1}));
  EXPECT_EQ(bench.launches.size(), 1u);
}

TEST(WorkerBlame, ManyTasksOfOneBadProgramAreOneCulprit) {
  WorkerBench bench;
  bench.warm_up();
  for (std::uint32_t i = 0; i < 6; ++i)
    convict_one(bench, WorkerBench::assign(i + 1, {i, 1}));
  const auto all = ends(bench);
  ASSERT_EQ(all.size(), 6u);
  for (const auto& [task, outcome] : all)
    EXPECT_EQ(outcome.reason, FailureReason::executor_crash);
  EXPECT_TRUE(bench.machine.books().healthy) << "a bad array takes no device from the others";
}

TEST(WorkerBlame, ConvictionsOfDifferentProgramsCountAgainstTheDevice) {
  WorkerBench bench;
  bench.warm_up();
  convict_one(bench, other_program(1, {1, 1}, 'a'));
  convict_one(bench, other_program(2, {2, 1}, 'b'));
  EXPECT_TRUE(bench.machine.books().healthy);
  bench.give(other_program(3, {3, 1}, 'c'));
  bench.die();
  EXPECT_FALSE(bench.machine.books().healthy);
}

TEST(WorkerBlame, WhatTheProcessSaysOfItsCulpritWithoutProofCountsByProgram) {
  WorkerBench bench;
  bench.warm_up();
  const auto crash = [&bench](const protocol::Assign& assign) {
    bench.give(assign);
    bench.done(FailureReason::cuda_error, "sticky");
    bench.step(ExecutorDied{"exit code 86", {}, std::nullopt, true, false});
    bench.ready();
  };
  for (std::uint32_t i = 0; i < 5; ++i)
    crash(WorkerBench::assign(i + 1, {i, 1}));
  EXPECT_TRUE(bench.machine.books().healthy);
  crash(other_program(6, {6, 1}, 'a'));
  EXPECT_TRUE(bench.machine.books().healthy);
  crash(other_program(7, {7, 1}, 'b'));
  EXPECT_FALSE(bench.machine.books().healthy);
}

TEST(WorkerBlame, ADeviceThatNeverStartsIsShownWithTheReason) {
  WorkerBench bench;
  for (std::uint32_t i = 0; i < DeviceHealth::starts_max; ++i) {
    EXPECT_TRUE(bench.published.empty());
    bench.die("the executor cannot start: no such file");
  }
  ASSERT_FALSE(bench.published.empty());
  EXPECT_FALSE(bench.published.back().healthy);
  EXPECT_EQ(bench.published.back().unhealthy_why,
            "quarantined: it failed to start 5 times, the last: the executor cannot start: no such "
            "file; a self-test decides after 1 s");
  bench.ready();
  bench.pass(DeviceHealth::back_off_min);
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerBlame, AStartThatFailsNowAndThenIsNoReason) {
  WorkerBench bench;
  bench.warm_up();
  for (std::uint32_t i = 0; i + 1 < DeviceHealth::starts_max; ++i)
    bench.die();
  bench.ready();
  bench.die();
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerBlame, AKilledProcessThatDoesNotGoCostsTheDeviceAndNotItsTasks) {
  WorkerBench bench(2);
  bench.warm_up();
  auto assign = WorkerBench::assign(1, {0, 3});
  auto spec = WorkerBench::plain_spec();
  spec.time_limit_ns = base::Duration(2s).count();
  assign.spec = WorkerBench::spec_of(spec);
  bench.give(assign);
  bench.pass(2s);
  ASSERT_EQ(bench.kills.size(), 1u);
  bench.sent.clear();
  bench.launches.clear();
  bench.pass(WorkerMachine::kill_limit);
  const auto all = ends(bench);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all.at(0).reason, FailureReason::time_limit);
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u) << "the other two run elsewhere";
  EXPECT_NE(bench.machine.books().unhealthy_why.find("it was killed and does not end"),
            std::string::npos);
  bench.pass(60s);
  EXPECT_FALSE(bench.machine.books().healthy);
  bench.die("killed: time limit");
  bench.ready();
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerBlame, AnAccusedDeviceLosesWhatItRunsAndNobodyIsCharged) {
  WorkerBench bench;
  bench.warm_up();
  bench.give(WorkerBench::assign(1, {0, 3}));
  ASSERT_EQ(bench.launches.size(), 1u);
  bench.device_is_good = false;
  bench.step(DeviceAccused{"its driver reported Xid 79"});
  EXPECT_EQ(bench.kills,
            std::vector<std::string>{"the device is quarantined: its driver reported Xid 79"});
  EXPECT_EQ(bench.machine.books().unhealthy_why,
            "quarantined: its driver reported Xid 79; a self-test decides after 1 s");
  EXPECT_EQ(bench.machine.books().queued_tasks, 0u) << "all run elsewhere";
  const LaunchToken late = bench.launches.front().token;
  bench.step(ExecutorDone{late, base::FailureReason::none, "", {}, {}});
  bench.step(ExecutorDied{"killed", {late}, late, false, false});
  EXPECT_TRUE(ends(bench).empty()) << "its answer is not believed";
  bench.ready();
  EXPECT_TRUE(bench.self_tests.empty()) << "not before its time";
  bench.pass(DeviceHealth::back_off_min);
  bench.end_self_test();
  EXPECT_TRUE(bench.machine.books().healthy);
}

TEST(WorkerBlame, AnAccusationWhileItIsTestedIsNotForgottenWhenTheTestEnds) {
  WorkerBench bench;
  bench.warm_up();
  bench.device_is_good = false;
  bench.step(DeviceAccused{"its driver reported Xid 48"});
  bench.die("killed");
  bench.ready();
  bench.pass(DeviceHealth::back_off_min);
  ASSERT_EQ(bench.self_tests.size(), 1u);
  bench.step(DeviceAccused{"its driver reported Xid 79"});
  bench.end_self_test();
  EXPECT_FALSE(bench.machine.books().healthy);
  bench.die("killed");
  bench.ready();
  EXPECT_NE(bench.machine.books().unhealthy_why.find("Xid 79"), std::string::npos)
      << bench.machine.books().unhealthy_why;
}

}  // namespace
}  // namespace fastgpu::worker
