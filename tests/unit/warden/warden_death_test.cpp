// Nothing of a command survives its node or its warden, and no lease is outlived.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "runtime/exec/warden/leftovers.hpp"
#include "tests/unit/warden/warden_support.hpp"

extern char** environ;

namespace fastgpu::exec::test {
namespace {

using base::FailureReason;

/// The node's side in a process of its own.
class Host {
 public:
  Host(const JobFolder& data, const JobFolder& job, const std::string& sandbox, int lease_ms,
       const std::string& script)
      : Host(data.path(), job, sandbox, lease_ms, script) {}
  Host(const std::string& data, const JobFolder& job, const std::string& sandbox, int lease_ms,
       const std::string& script) {
    int in[2], out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::vector<std::string> texts{FASTGPU_TEST_WARDEN_HOST,
                                   FASTGPU_TEST_EXECUTOR,
                                   data,
                                   job.path(),
                                   sandbox,
                                   std::to_string(lease_ms),
                                   script};
    std::vector<char*> words;
    for (auto& text : texts)
      words.push_back(text.data());
    words.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, words[0], &actions, nullptr, words.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    input_ = FileDescriptor(in[1]);
    output_ = FileDescriptor(out[0]);
  }
  ~Host() { end(SIGKILL); }

  pid_t pid() const { return pid_; }
  void send(int signal) const { kill(pid_, signal); }
  void end(int signal) {
    if (pid_ == 0)
      return;
    kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  /// Reads what it prints until this is there.
  void await(const std::string& text) {
    const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
    while (printed_.find(text) == std::string::npos) {
      pollfd readable{output_.get(), POLLIN, 0};
      char piece[4096];
      const ssize_t got = poll(&readable, 1, static_cast<int>(limit)) > 0
                              ? read(output_.get(), piece, sizeof piece)
                              : 0;
      ASSERT_GT(got, 0) << "it only printed: " << printed_;
      printed_.append(piece, static_cast<std::size_t>(got));
    }
  }

 private:
  pid_t pid_{0};
  FileDescriptor input_;
  FileDescriptor output_;
  std::string printed_;
};

pid_t warden_of(pid_t node) {
  for (const pid_t child : children_of(node))
    if (read_process_file(child, "cmdline").find("--warden") != std::string::npos)
      return child;
  return 0;
}

/// Waits for the end of processes that are found by a word of theirs.
void expect_end_of_all(const std::vector<pid_t>& processes) {
  for (const pid_t process : processes)
    EXPECT_TRUE(await_end_of(process)) << read_process_file(process, "cmdline");
}

class Death : public ::testing::TestWithParam<const char*> {
 protected:
  /// Leaves nothing undone that a command can do in good faith to be left behind.
  std::string stubborn() const {
    const std::string sleeper = "sleep " + word_;
    return "trap '' TERM; (env -i setsid " + sleeper + " &); " + sleeper +
           " & until [ $(ps -eo args | grep -c '^" + sleeper +
           "') -ge 2 ]; do :; done; echo up; wait; " + sleeper;
  }

  JobFolder data_;
  JobFolder job_;
  const std::string word_ = unique_word();
};

TEST_P(Death, TheLeaseEndsACommandWhoseNodeIsFrozen) {
  Host host(data_, job_, GetParam(), 1500, stubborn());
  host.await("up\n");
  host.send(SIGSTOP);
  const auto processes = processes_with(word_);
  EXPECT_GE(processes.size(), 2u);
  const auto begin = std::chrono::steady_clock::now();
  expect_end_of_all(processes);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  host.send(SIGCONT);
  host.await("ended node_lost\n");
}

TEST_P(Death, NothingSurvivesTheKillOfItsNode) {
  Host host(data_, job_, GetParam(), 3'600'000, stubborn());
  host.await("up\n");
  const auto processes = processes_with(word_);
  EXPECT_GE(processes.size(), 2u);
  const pid_t warden = warden_of(host.pid());
  ASSERT_NE(warden, 0);
  host.end(SIGKILL);
  EXPECT_TRUE(await_end_of(warden));
  EXPECT_TRUE(processes_with(word_).empty()) << "the warden exits after its commands, not before";
}

TEST_P(Death, AForkStormOfAKilledWardenIsEndedToo) {
  ProcessRunnerOptions options = options_of(GetParam());
  options.data_folder = data_.path();
  options.processes_max = 300;
  Recorder recorder(options);
  recorder.await_ready();
  const CommandToken storm = recorder.begin(fork_storm(job_, word_));
  recorder.await_complaint(storm, "fork");
  kill(warden_of(getpid()), SIGKILL);
  recorder.await_died();
  EXPECT_TRUE(processes_with(word_).empty());
  recorder.await_ready();
  EXPECT_EQ(recorder.run(shell(job_, "echo again")).out(), "again\n");
}

TEST_P(Death, AKilledWardenIsToldOnceItsCommandsAreGoneAndComesBack) {
  ProcessRunnerOptions options = options_of(GetParam());
  options.data_folder = data_.path();
  Recorder recorder(options);
  recorder.await_ready();
  const CommandToken token = recorder.begin(shell(job_, stubborn()));
  recorder.await_text(token, "up\n");
  kill(warden_of(getpid()), SIGKILL);
  const WardenDied died = recorder.await_died();
  EXPECT_TRUE(processes_with(word_).empty()) << "told before it was proven";
  EXPECT_EQ(died.reason, "signal 9 SIGKILL");
  EXPECT_EQ(died.in_flight, std::vector<CommandToken>{token});
  EXPECT_FALSE(recorder.seen(token).ended);
  recorder.await_ready();
  EXPECT_EQ(recorder.run(shell(job_, "echo again")).out(), "again\n");
}

TEST_P(Death, TheNextLifeSweepsWhatNodeAndWardenLeftWhenBothWereKilled) {
  Host host(data_, job_, GetParam(), 3'600'000, stubborn());
  host.await("up\n");
  const pid_t warden = warden_of(host.pid());
  ASSERT_NE(warden, 0);
  host.send(SIGSTOP);  // it must not see its warden's end
  kill(warden, SIGKILL);
  host.end(SIGKILL);
  const Sweep swept =
      sweep_leftovers(marker_of(data_.path()).value(), std::chrono::milliseconds(5000));
  EXPECT_TRUE(swept.proven()) << swept.doubt;
  EXPECT_TRUE(processes_with(word_).empty());
}

TEST_P(Death, TheNextLifeEndsACommandWhoseNodeIsKilledAndWhoseWardenIsStopped) {
  const JobFolder lives;
  const std::string data = lives.file("0");
  Host host(data, job_, GetParam(), 3'600'000, stubborn());
  host.await("up\n");
  const pid_t warden = warden_of(host.pid());
  ASSERT_NE(warden, 0);
  kill(warden, SIGSTOP);
  host.end(SIGKILL);
  EXPECT_GE(processes_with(word_).size(), 2u) << "nobody has ended them yet";
  EarlierLives earlier;
  earlier.folder = lives.path();
  const base::Status ended = end_earlier_lives(earlier);
  EXPECT_TRUE(ended.ok()) << ended.error().message;
  EXPECT_TRUE(processes_with(word_).empty());
  EXPECT_TRUE(await_end_of(warden)) << "resumed, it would start what it has not read yet";
}

TEST_P(Death, AWardenThatOutlivesItsNodeKeepsTheUserOfItsCommands) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only a node that is root gives commands another user";
  Host host(data_, job_, GetParam(), 3'600'000, "echo up; exec sleep " + word_);
  host.await("up\n");
  struct stat facts {};
  ASSERT_EQ(stat(job_.path().c_str(), &facts), 0);
  const UserRange only{facts.st_uid, 1};
  const pid_t warden = warden_of(host.pid());
  kill(warden, SIGSTOP);
  host.end(SIGKILL);
  EXPECT_FALSE(claim_user(only, 0).ok()) << "resumed, it would start what it has not read yet";
  const Sweep swept =
      sweep_leftovers(marker_of(data_.path()).value(), std::chrono::milliseconds(5000));
  EXPECT_TRUE(swept.proven()) << swept.doubt;
  EXPECT_TRUE(await_end_of(warden));
}

INSTANTIATE_TEST_SUITE_P(Protections, Death, ::testing::Values("none", "auto"),
                         [](const auto& one) { return std::string(one.param); });

/// The first look after the start finds nothing; later ones find what the test says.
struct HeldSweeps {
  std::mutex mutex;
  std::vector<pid_t> remain;
  Sweep look() {
    std::lock_guard lock(mutex);
    return {0, remain, ""};
  }
  void set(std::vector<pid_t> processes) {
    std::lock_guard lock(mutex);
    remain = std::move(processes);
  }
};

TEST(WardenDeath, IsToldWithWhatRemainsWhileItsCommandsAreNotGone) {
  const JobFolder data;
  const JobFolder job;
  HeldSweeps sweeps;
  ProcessRunnerOptions options = options_of("none");
  options.data_folder = data.path();
  options.sweep = [&](const std::string&, std::chrono::milliseconds) { return sweeps.look(); };
  Recorder recorder(options);
  recorder.await_ready();
  const CommandToken token = recorder.begin(shell(job, "exec sleep 100"));
  sweeps.set({4242, 4243});
  kill(warden_of(getpid()), SIGKILL);
  EXPECT_EQ(recorder.await_away().reason,
            "signal 9 SIGKILL; 2 processes of earlier commands cannot be ended, the first is 4242");
  sweeps.set({4243});
  EXPECT_EQ(recorder.await_away().reason,
            "signal 9 SIGKILL; 1 process of earlier commands cannot be ended, the first is 4243");
  sweeps.set({});
  EXPECT_EQ(recorder.await_died().in_flight, std::vector<CommandToken>{token});
  recorder.await_ready();
  sweep_leftovers(marker_of(data.path()).value(), std::chrono::milliseconds(5000));
}

TEST(WardenDeath, AWardenThatCannotStartSaysWhy) {
  const JobFolder data;
  std::ofstream(data.file("warden.marker")) << "no marker at all, but long enough";
  ProcessRunnerOptions options = options_of("none");
  options.data_folder = data.path();
  Recorder recorder(options);
  EXPECT_EQ(recorder.await_died().reason, "cannot start: '" + data.file("warden.marker") +
                                              "' does not hold 32 hexadecimal digits");
}

TEST(Leftovers, TheMarkerIsKeptInTheDataFolder) {
  const JobFolder data;
  const auto marker = marker_of(data.path());
  ASSERT_TRUE(marker.ok());
  EXPECT_EQ(marker.value().size(), 32u);
  EXPECT_EQ(marker_of(data.path()).value(), marker.value());
  EXPECT_NE(marker_of("").value(), marker_of("").value());
  std::ofstream(data.file("warden.marker")) << "no marker at all, but long enough";
  EXPECT_FALSE(marker_of(data.path()).ok());
}

TEST(EarlierLives, AreWaitedForWithAWordAndThenGivenUp) {
  const JobFolder lives;
  ASSERT_TRUE(marker_of(lives.file("3")).ok());
  std::vector<std::string> told;
  std::vector<pid_t> remain{4242, 4243};
  EarlierLives earlier;
  earlier.folder = lives.path();
  earlier.tell = [&](const std::string& what) { told.push_back(what); };
  earlier.sweep = [&](const std::string&, std::chrono::milliseconds) {
    const Sweep swept{0, remain, ""};
    if (!remain.empty())
      remain.pop_back();
    return swept;
  };
  EXPECT_TRUE(end_earlier_lives(earlier).ok());
  EXPECT_EQ(told, (std::vector<std::string>{
                      "2 processes of earlier commands cannot be ended, the first is 4242",
                      "1 process of earlier commands cannot be ended, the first is 4242"}));
  remain = {4242};
  earlier.limit = std::chrono::milliseconds(0);
  const base::Status given_up = end_earlier_lives(earlier);
  ASSERT_FALSE(given_up.ok());
  EXPECT_NE(given_up.error().message.find("the first is 4242"), std::string::npos);
  EXPECT_NE(given_up.error().hint, "");
}

TEST(EarlierLives, WithoutAReadableMarkerNothingIsProven) {
  const JobFolder lives;
  EarlierLives earlier;
  earlier.folder = lives.file("none");
  EXPECT_TRUE(end_earlier_lives(earlier).ok()) << "no warden has ever been here";
  earlier.folder = lives.path();
  std::filesystem::create_directory(lives.file("0"));
  EXPECT_TRUE(end_earlier_lives(earlier).ok()) << "a warden without a marker has run nothing";
  std::ofstream(lives.file("0") + "/warden.marker") << "no marker at all, but long enough";
  const base::Status unknown = end_earlier_lives(earlier);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("warden.marker"), std::string::npos);
}

TEST(Leftovers, SweepsByTheEnvironmentAlone) {
  const std::string word = unique_word();
  const std::string marker = marker_of("").value();
  const std::string variable = std::string(marker_variable) + "=" + marker + ".1";
  std::vector<std::string> texts{"/bin/sleep", word};
  char* words[] = {texts[0].data(), texts[1].data(), nullptr};
  char* env[] = {const_cast<char*>(variable.c_str()), nullptr};
  pid_t process = 0;
  ASSERT_EQ(posix_spawn(&process, words[0], nullptr, nullptr, words, env), 0);
  const Sweep other = sweep_leftovers(marker_of("").value(), std::chrono::milliseconds(1000));
  EXPECT_EQ(other.ended, 0u) << "a stranger's process was killed";
  const Sweep swept = sweep_leftovers(marker, std::chrono::milliseconds(5000));
  EXPECT_EQ(swept.ended, 1u);
  EXPECT_TRUE(swept.proven());
  int status = 0;
  EXPECT_EQ(waitpid(process, &status, 0), process);
  EXPECT_TRUE(WIFSIGNALED(status));
}

}  // namespace
}  // namespace fastgpu::exec::test
