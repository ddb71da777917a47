// How commands are ended: whole trees, and each limit with its reason.

#include "tests/unit/warden/warden_support.hpp"

namespace fastgpu::exec::test {
namespace {

using base::FailureReason;

class Ending : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ProcessRunnerOptions options = options_of(GetParam());
    options.grace_ms = 200;
    recorder_.emplace(options);
    recorder_->await_ready();
  }
  CommandToken begin(const std::string& script) { return recorder_->begin(shell(folder_, script)); }
  Seen run(const std::string& script) { return recorder_->run(shell(folder_, script)); }
  void expect_good() {
    const Seen good = run("echo good");
    EXPECT_EQ(good.ended->reason, FailureReason::none) << good.ended->message;
    EXPECT_EQ(good.out(), "good\n");
  }

  JobFolder folder_;
  const std::string word_ = unique_word();
  std::optional<Recorder> recorder_;
};

TEST_P(Ending, NothingOutlivesItsCommand) {
  // In the background, in a session of its own, forked twice, and with an emptied environment.
  const Seen seen = run("sleep " + word_ + " & setsid sleep " + word_ + " & (sleep " + word_ +
                        " &) & env -i setsid sh -c 'sleep " + word_ + " & sleep " + word_ +
                        "' & until [ $(ps -eo args | grep -c '^sleep " + word_ +
                        "') -ge 5 ]; do :; done; echo up");
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_EQ(seen.out(), "up\n");
  EXPECT_TRUE(processes_with(word_).empty());
  expect_good();
}

TEST_P(Ending, OnlyTheOwnProcessesAreEndedWhileOthersRun) {
  const std::string other = unique_word();
  const CommandToken lasting =
      begin("(env -i setsid sleep " + other + " &); echo up; exec sleep " + other);
  recorder_->await_text(lasting, "up\n");
  run("(env -i setsid sleep " + word_ + " &); true");
  EXPECT_TRUE(processes_with(word_).empty());
  EXPECT_GE(processes_with(other).size(), 1u);
  EXPECT_FALSE(recorder_->seen(lasting).ended);
  recorder_->runner().stop(lasting, "a test");
  EXPECT_EQ(recorder_->await_end(lasting).ended->reason, FailureReason::cancelled);
  EXPECT_TRUE(processes_with(other).empty());
}

TEST_P(Ending, StopAsksFirst) {
  const CommandToken token =
      begin("trap 'echo asked; exit 5' TERM; echo up; while :; do sleep 0.01; done");
  recorder_->await_text(token, "up\n");
  recorder_->runner().stop(token, "the user cancelled it");
  recorder_->runner().stop(token, "again");
  const Seen seen = recorder_->await_end(token);
  EXPECT_EQ(seen.ended->reason, FailureReason::cancelled);
  EXPECT_EQ(seen.ended->message, "the user cancelled it");
  EXPECT_EQ(seen.ended->exit_code, 5);
  EXPECT_EQ(seen.out(), "up\nasked\n");
  expect_good();
}

TEST_P(Ending, WhatIgnoresTheRequestIsKilled) {
  const CommandToken token = begin("trap '' TERM; sleep " + word_ + " & setsid sleep " + word_ +
                                   " & echo up; while :; do sleep " + word_ + "; done");
  recorder_->await_text(token, "up\n");
  recorder_->runner().stop(token, "a test");
  const Seen seen = recorder_->await_end(token);
  EXPECT_EQ(seen.ended->reason, FailureReason::cancelled);
  EXPECT_EQ(seen.ended->signal, SIGKILL);
  EXPECT_TRUE(processes_with(word_).empty());
  expect_good();
}

TEST_P(Ending, TheTimeLimitEndsIt) {
  CommandTask task = shell(folder_, "exec sleep " + word_);
  task.time_limit_ns = 50'000'000;
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::time_limit);
  EXPECT_EQ(seen.ended->message, "ran longer than its time limit of 0.05 s");
  EXPECT_GE(seen.ended->wall_ns, task.time_limit_ns);
  EXPECT_TRUE(processes_with(word_).empty());
  expect_good();
}

TEST_P(Ending, TheLeaseEndsItUnlessItIsExtended) {
  CommandTask task = shell(folder_, "until [ -e go ]; do :; done; exit 4");
  task.lease_until = boot_time() + std::chrono::hours(1);
  const CommandToken extended = recorder_->begin(task);
  recorder_->runner().extend_lease(extended, boot_time() + std::chrono::hours(2));
  task.lease_until = boot_time() + std::chrono::milliseconds(100);
  task.token = {};
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::node_lost);
  EXPECT_NE(seen.ended->message.find("lease"), std::string::npos) << seen.ended->message;
  std::ofstream(folder_.file("go")) << "";
  EXPECT_EQ(recorder_->await_end(extended).ended->exit_code, 4);
  task.token = {};
  task.lease_until = boot_time();
  EXPECT_EQ(recorder_->run(task).ended->message, "the node's lease for it ended before it started");
  expect_good();
}

TEST_P(Ending, MemoryWithoutEndIsStoppedWithNumbers) {
  CommandTask task = shell(folder_, "");
  // Grows by doubling in one process, while a second one holds little.
  task.argv = {"/bin/sh", "-c", "sleep 1000 & x=1234567890123456; while :; do x=$x$x; done"};
  task.host_memory_bytes = 64u << 20;
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::host_out_of_memory) << seen.ended->message;
  EXPECT_NE(seen.ended->message.find("its limit is 64 MiB"), std::string::npos)
      << seen.ended->message;
  EXPECT_GT(seen.ended->peak_memory_bytes, task.host_memory_bytes);
  expect_good();
}

/// The driver of a GPU counts its memory by process; here the test is the driver.
TEST_P(Ending, WhoUsesMoreOfItsGpuThanItMayIsKilledWithAllItsProcessesCounted) {
  CommandTask task = shell(folder_, "sleep " + word_ + " & sleep " + word_ +
                                        " & until [ $(ps -eo args | grep -c '^sleep " + word_ +
                                        "') -ge 2 ]; do :; done; echo up; wait");
  task.device_memory_bytes = 3u << 20;
  const CommandToken token = recorder_->begin(task);
  recorder_->await_text(token, "up");
  const std::vector<pid_t> sleepers = processes_with(word_);
  ASSERT_EQ(sleepers.size(), 2u);
  for (const std::uint64_t each : {1u << 20, 2u << 20})
    recorder_->runner().note_gpu_use({{getpid(), 100ull << 30},  // no process of the command's
                                      {sleepers[0], each},
                                      {sleepers[1], each}});
  const Seen seen = recorder_->await_end(token);
  EXPECT_EQ(seen.ended->reason, FailureReason::cuda_out_of_memory) << seen.ended->message;
  EXPECT_EQ(seen.ended->message,
            "used 4 MiB of its GPU's memory, its limit is 3 MiB (4194304 of 3145728 bytes)");
  EXPECT_TRUE(processes_with(word_).empty());
  expect_good();
}

TEST_P(Ending, AFolderThatGrowsBeyondItsLimitIsStoppedWithNumbers) {
  std::ofstream(folder_.file("input")) << std::string(3u << 20, 'x');
  CommandTask task =
      shell(folder_, "i=0; while :; do i=$((i+1)); head -c 1000000 input > part$i; done");
  task.output_bytes_max = 4u << 20;
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::disk_full) << seen.ended->message;
  EXPECT_NE(seen.ended->message.find("its limit is 4 MiB"), std::string::npos)
      << seen.ended->message;
  expect_good();
}

TEST_P(Ending, AFolderAboveItsLimitIsToldEvenOfAShortCommand) {
  CommandTask task = shell(folder_, "for i in 1 2 3; do head -c 100000 /dev/zero > part$i; done");
  task.output_bytes_max = 200'000;
  EXPECT_EQ(recorder_->run(task).ended->reason, FailureReason::disk_full);
  task.token = {};
  task.output_bytes_max = 1u << 20;
  EXPECT_EQ(recorder_->run(task).ended->reason, FailureReason::none);
}

TEST_P(Ending, AFileBeyondTheLimitIsStoppedWithNumbers) {
  CommandTask task = shell(folder_, "exec head -c 100000000 /dev/zero > large");
  task.output_bytes_max = 4u << 20;
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::disk_full) << seen.ended->message;
  expect_good();
}

TEST_P(Ending, AForkStormIsBoundedAndEnded) {
  ProcessRunnerOptions options = options_of(GetParam());
  options.grace_ms = 50;
  options.processes_max = 200;
  Recorder small(options);
  small.await_ready();
  const CommandToken token = small.begin(fork_storm(folder_, word_));
  small.await_complaint(token, "fork");
  small.runner().stop(token, "too many");
  const Seen seen = small.await_end(token);
  EXPECT_EQ(seen.ended->reason, FailureReason::cancelled) << seen.ended->message;
  EXPECT_TRUE(processes_with(word_).empty());
  expect_good();
}

TEST_P(Ending, AStoppedCommandIsEndedToo) {
  const CommandToken token = begin("echo up; kill -STOP $$; sleep " + word_);
  recorder_->await_text(token, "up\n");
  recorder_->runner().stop(token, "a test");
  EXPECT_EQ(recorder_->await_end(token).ended->reason, FailureReason::cancelled);
  expect_good();
}

INSTANTIATE_TEST_SUITE_P(Protections, Ending, ::testing::Values("none", "auto"),
                         [](const auto& one) { return std::string(one.param); });

TEST(Confinement, ACommandWithoutNetworkReachesNobodyOrDoesNotRun) {
  const JobFolder folder;
  Recorder plain(options_of("none"));
  plain.await_ready();
  CommandTask task = shell(folder, "cat /proc/net/dev | grep -c :");
  task.network = false;
  const Seen refused = plain.run(task);
  EXPECT_EQ(refused.ended->reason, FailureReason::staging_failed);
  EXPECT_NE(refused.ended->message.find("no sandbox"), std::string::npos) << refused.ended->message;
  Recorder walled(options_of("auto"));
  if (walled.await_ready().protection != "bubblewrap")
    GTEST_SKIP() << "this host has no bubblewrap that works";
  task.token = {};
  EXPECT_EQ(walled.run(task).out(), "1\n") << "the loopback device alone";
}

TEST(Confinement, TheSandboxItselfObeysNothingOfTheCommandsEnvironment) {
  const JobFolder folder;
  Recorder walled(options_of("auto"));
  if (walled.await_ready().protection != "bubblewrap")
    GTEST_SKIP() << "this host has no bubblewrap that works";
  // Of every program that has them, the loader would say what it loads, in place of running it.
  CommandTask task = shell(folder, "true");
  task.env = {{"LD_TRACE_LOADED_OBJECTS", "1"}};
  const Seen seen = walled.run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_NE(seen.out().find("libc.so"), std::string::npos) << "the command has them";
  EXPECT_EQ(seen.out().find("libcap"), std::string::npos) << seen.out();
}

TEST(Confinement, AValueOfTheEnvironmentIsInNoCommandLine) {
  const JobFolder folder;
  Recorder walled(options_of("auto"));
  if (walled.await_ready().protection != "bubblewrap")
    GTEST_SKIP() << "this host has no bubblewrap that works";
  CommandTask task = shell(folder, "echo $MINE; tr '\\0' ' ' < /proc/1/cmdline");
  task.env = {{"MINE", "a=secret"}};
  const std::string out = walled.run(task).out();
  EXPECT_EQ(out.find("a=secret\n"), 0u) << out;
  EXPECT_NE(out.find("--args"), std::string::npos) << out;
  EXPECT_EQ(out.find("secret", 9), std::string::npos) << out;
}

TEST(Confinement, HiddenFoldersAreEmptyInTheSandbox) {
  const JobFolder folder;
  Recorder walled(options_of("auto"));
  if (walled.await_ready().protection != "bubblewrap")
    GTEST_SKIP() << "this host has no bubblewrap that works";
  CommandTask task =
      shell(folder, "ls /usr/share | wc -l; touch /usr/x; ls /proc | grep -c '^[0-9]'");
  task.hidden_folders = {"/usr/share"};
  const Seen seen = walled.run(task);
  EXPECT_EQ(seen.out().substr(0, 2), "0\n") << seen.out();
  EXPECT_NE(seen.text(CommandStream::standard_error).find("Read-only"), std::string::npos)
      << seen.text(CommandStream::standard_error);
}

}  // namespace
}  // namespace fastgpu::exec::test
