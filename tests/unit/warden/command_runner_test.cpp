// What a command is given, and how its end is told.

#include "tests/unit/warden/warden_support.hpp"

namespace fastgpu::exec::test {
namespace {

using base::FailureReason;

class Runner : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    recorder_.emplace(options_of(GetParam()));
    recorder_->await_ready();
  }
  Seen run(const std::string& script) { return recorder_->run(shell(folder_, script)); }
  /// The runner still serves, whatever happened before.
  void expect_good() {
    const Seen good = run("echo good");
    EXPECT_EQ(good.ended->reason, FailureReason::none) << good.ended->message;
    EXPECT_EQ(good.out(), "good\n");
  }

  JobFolder folder_;
  std::optional<Recorder> recorder_;
};

TEST_P(Runner, TellsSuccessWithTimesAndMemory) {
  const Seen seen = run("i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done");
  EXPECT_EQ(seen.ended->reason, FailureReason::none);
  EXPECT_EQ(seen.ended->exit_code, 0);
  EXPECT_EQ(seen.ended->message, "");
  EXPECT_GT(seen.ended->wall_ns, 0);
  EXPECT_GT(seen.ended->peak_memory_bytes, 100'000u);
  ASSERT_TRUE(seen.started);
  EXPECT_EQ(seen.started->protection, seen.ended->protection);
  EXPECT_FALSE(seen.ended->protection.empty());
}

TEST_P(Runner, TellsTheExitCode) {
  const Seen seen = run("exit 3");
  EXPECT_EQ(seen.ended->reason, FailureReason::exit_code);
  EXPECT_EQ(seen.ended->exit_code, 3);
  EXPECT_EQ(seen.ended->message, "exited with code 3");
  expect_good();
}

TEST_P(Runner, TellsTheSignal) {
  const Seen seen = run("kill -SEGV $$");
  EXPECT_EQ(seen.ended->reason, FailureReason::signal);
  EXPECT_EQ(seen.ended->signal, SIGSEGV);
  EXPECT_EQ(seen.ended->message, "ended by signal 11 (SIGSEGV)");
  expect_good();
}

TEST_P(Runner, SaysThatAProgramIsMissing) {
  CommandTask task = shell(folder_, "");
  task.argv = {"no-such-program", "x"};
  Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::bad_argument);
  EXPECT_EQ(seen.ended->message, "cannot start 'no-such-program': No such file or directory");
  EXPECT_EQ(seen.ended->exit_code, -1);
  EXPECT_FALSE(seen.started);
  task.argv = {"./no-such-program"};
  seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->message, "cannot start './no-such-program': No such file or directory");
  expect_good();
}

TEST_P(Runner, SaysThatAFileIsNoProgram) {
  std::ofstream(folder_.file("text")) << "just words\n";
  CommandTask task = shell(folder_, "");
  task.argv = {"./text"};
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::bad_argument);
  EXPECT_EQ(seen.ended->message, "cannot start './text': Permission denied");
  expect_good();
}

TEST_P(Runner, SaysThatAProgramCannotBeLoaded) {
  std::ofstream(folder_.file("broken")) << "#!/no/such/interpreter\n";
  chmod(folder_.file("broken").c_str(), 0755);
  CommandTask task = shell(folder_, "");
  task.argv = {"./broken"};
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::bad_argument) << seen.ended->message;
  EXPECT_NE(seen.ended->message.find("cannot start"), std::string::npos) << seen.ended->message;
  expect_good();
}

TEST_P(Runner, RunsAScriptThatNamesNoShell) {
  std::ofstream(folder_.file("script")) << "echo $0 $1\n";
  chmod(folder_.file("script").c_str(), 0755);
  CommandTask task = shell(folder_, "");
  task.argv = {"./script", "one"};
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_NE(seen.out().find("script one\n"), std::string::npos) << seen.out();
}

TEST_P(Runner, SaysThatTheFolderIsMissing) {
  CommandTask task = shell(folder_, "true");
  task.folder = folder_.file("none");
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::staging_failed);
  EXPECT_NE(seen.ended->message.find(task.folder), std::string::npos) << seen.ended->message;
  expect_good();
}

TEST_P(Runner, SaysThatTheFolderToStartInIsNotMadeByTheJob) {
  CommandTask task = shell(folder_, "true");
  task.cwd = "nowhere";
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::bad_argument) << "it would fail elsewhere as well";
  EXPECT_NE(seen.ended->message.find("'nowhere'"), std::string::npos) << seen.ended->message;
}

TEST_P(Runner, RefusesWordsThatNoProgramCanGet) {
  CommandTask task = shell(folder_, "true");
  task.argv.push_back(std::string("a\0b", 3));
  EXPECT_EQ(recorder_->run(task).ended->reason, FailureReason::bad_argument);
  task = shell(folder_, "true");
  task.env = {{"A=B", "c"}};
  EXPECT_EQ(recorder_->run(task).ended->message, "'A=B' cannot be a variable of the environment");
  task = shell(folder_, "true");
  task.argv.push_back(std::string(200'000, 'x'));
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::bad_argument);
  EXPECT_NE(seen.ended->message.find("the limit is 163840"), std::string::npos)
      << seen.ended->message;
  expect_good();
}

TEST_P(Runner, KeepsBothStreamsApartInOrderAndWithTimes) {
  const Seen seen = run("for i in 1 2 3; do echo out $i; echo err $i >&2; done");
  EXPECT_EQ(seen.out(), "out 1\nout 2\nout 3\n");
  EXPECT_EQ(seen.text(CommandStream::standard_error), "err 1\nerr 2\nerr 3\n");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  for (const auto& output : seen.outputs) {
    EXPECT_LE(output.wall_time_ns, std::chrono::nanoseconds(now).count());
    EXPECT_GT(output.wall_time_ns, std::chrono::nanoseconds(now).count() - 600'000'000'000);
  }
}

TEST_P(Runner, DeliversOutputWhileTheCommandRuns) {
  const CommandToken token =
      recorder_->begin(shell(folder_, "echo first; until [ -e go ]; do :; done; echo second"));
  recorder_->await_text(token, "first\n");
  std::ofstream(folder_.file("go")) << "";
  EXPECT_EQ(recorder_->await_end(token).out(), "first\nsecond\n");
}

TEST_P(Runner, CutsAGigabyteOfOutputWithOneMark) {
  CommandTask task = shell(folder_, "head -c 1073741824 /dev/zero; echo done >&2");
  task.log_bytes_max = 1u << 20;
  const Seen seen = recorder_->run(task);
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_EQ(seen.out().size(), task.log_bytes_max);
  EXPECT_EQ(seen.ended->dropped_log_bytes, 1073741824 - task.log_bytes_max + 5);
  const auto marks = std::count_if(seen.outputs.begin(), seen.outputs.end(),
                                   [](const auto& output) { return output.is_mark; });
  EXPECT_EQ(marks, 1);
  EXPECT_NE(seen.outputs.back().bytes.text().find("1 MiB"), std::string_view::npos);
  expect_good();
}

TEST_P(Runner, GivesACompleteEnvironmentAndNothingOfItsOwn) {
  setenv("FASTGPU_TEST_SECRET", "of the node", 1);
  CommandTask task = shell(folder_, "");
  task.argv = {"env"};
  task.env = {{"MINE", "a b=c"}, {"LANG", "C"}};
  const Seen seen = recorder_->run(task);
  std::istringstream lines(seen.out());
  std::set<std::string> names;
  for (std::string line; std::getline(lines, line);)
    names.insert(line.substr(0, line.find('=')));
  names.erase("PWD");  // the sandbox's program sets it
  EXPECT_EQ(names, (std::set<std::string>{"FASTGPU_WARDEN", "HOME", "LANG", "LOGNAME", "MINE",
                                          "PATH", "USER"}));
  EXPECT_NE(seen.out().find("MINE=a b=c\n"), std::string::npos);
  EXPECT_NE(seen.out().find("LANG=C\n"), std::string::npos);
  EXPECT_NE(seen.out().find("HOME=" + folder_.path() + "\n"), std::string::npos);
  unsetenv("FASTGPU_TEST_SECRET");
}

TEST_P(Runner, GivesNothingButTheThreeStreams) {
  const Seen seen = run("ls /proc/self/fd");
  EXPECT_EQ(seen.out(), "0\n1\n2\n3\n") << "3 is the listing itself";
}

TEST_P(Runner, NeverRunsACommandAsRoot) {
  const Seen seen =
      run("id -u; id -G; grep -E 'NoNewPrivs|CapEff' /proc/self/status; echo x > made");
  EXPECT_EQ(seen.ended->reason, FailureReason::none) << seen.ended->message;
  EXPECT_NE(seen.out().substr(0, 2), "0\n");
  EXPECT_NE(seen.out().find("NoNewPrivs:\t1"), std::string::npos) << seen.out();
  EXPECT_NE(seen.out().find("CapEff:\t0000000000000000"), std::string::npos) << seen.out();
  struct stat facts {};
  ASSERT_EQ(stat(folder_.file("made").c_str(), &facts), 0);
  EXPECT_NE(facts.st_uid, 0u);
}

TEST_P(Runner, TheHostsMemoryKillerTakesACommandBeforeANode) {
  EXPECT_EQ(run("cat /proc/self/oom_score_adj").out(), "500\n");
  for (const pid_t child : children_of(getpid()))
    EXPECT_EQ(read_process_file(child, "oom_score_adj"),
              read_process_file(getpid(), "oom_score_adj"));
}

TEST_P(Runner, StartsInItsFolderAndFindsProgramsThere) {
  std::ofstream(folder_.file("mine")) << "#!/bin/sh\npwd\n";
  chmod(folder_.file("mine").c_str(), 0755);
  CommandTask task = shell(folder_, "");
  task.argv = {"./mine"};
  EXPECT_EQ(recorder_->run(task).out(), folder_.path() + "\n");
}

TEST_P(Runner, ReadsTheFirstLineOfTheErrorFile) {
  Seen seen = run("echo 'no licence\tleft' > .fastgpu-error; echo more >> .fastgpu-error; exit 1");
  EXPECT_EQ(seen.ended->error_text, "no licence left");
  seen = run("rm .fastgpu-error; ln -s /etc/hostname .fastgpu-error; exit 1");
  EXPECT_EQ(seen.ended->error_text, "") << "a link leads out of the folder";
  seen = run("rm .fastgpu-error; mkfifo .fastgpu-error; exit 1");
  EXPECT_EQ(seen.ended->error_text, "") << "a fifo has no end";
}

TEST_P(Runner, RunsAHundredCommandsAtOnce) {
  std::vector<CommandToken> tokens;
  for (int i = 0; i < 100; ++i)
    tokens.push_back(recorder_->begin(
        shell(folder_, "until [ -e go ]; do sleep 0.05; done; echo " + std::to_string(i))));
  for (const CommandToken token : tokens)
    EXPECT_FALSE(recorder_->seen(token).ended);
  std::ofstream(folder_.file("go")) << "";
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(recorder_->await_end(tokens[static_cast<std::size_t>(i)]).out(),
              std::to_string(i) + "\n");
}

TEST_P(Runner, SaysNoBeforeItIsReadyAndWhenTheWindowIsFull) {
  ProcessRunnerOptions options = options_of(GetParam());
  options.window = 1;
  auto early = make_process_runner(options);
  CommandTask task = shell(folder_, "sleep 1000");
  task.token = {1};
  EXPECT_FALSE(early->run(task));
  Recorder small(options);
  small.await_ready();
  const CommandToken token = small.begin(shell(folder_, "sleep 1000"));
  task.token = small.next_token();
  EXPECT_FALSE(small.runner().run(task));
  small.runner().stop(token, "a test");
  EXPECT_EQ(small.await_end(token).ended->reason, FailureReason::cancelled);
  EXPECT_TRUE(small.runner().run(task));
}

INSTANTIATE_TEST_SUITE_P(Protections, Runner, ::testing::Values("none", "auto"),
                         [](const auto& one) { return std::string(one.param); });

TEST(ProcessRunner, TellsThatTheProgramIsMissingAndKeepsTrying) {
  ProcessRunnerOptions options = options_of("none");
  options.program = "/nonexistent/fastgpu-executor";
  options.restart_pause_ms = 1;
  Recorder recorder(options);
  const WardenDied died = recorder.await_died();
  EXPECT_NE(died.reason.find("/nonexistent/fastgpu-executor"), std::string::npos) << died.reason;
  recorder.await_died();
}

TEST(ProcessRunner, CanBeDestroyedAtAnyTime) {
  { Recorder at_once(options_of("none")); }
  const JobFolder folder;
  const std::string word = unique_word();
  std::optional<Recorder> recorder(options_of("none"));
  recorder->await_ready();
  const CommandToken token =
      recorder->begin(shell(folder, "setsid sleep " + word + " & echo up; exec sleep " + word));
  recorder->await_text(token, "up\n");
  recorder.reset();
  EXPECT_TRUE(processes_with(word).empty());
}

}  // namespace
}  // namespace fastgpu::exec::test
