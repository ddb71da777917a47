// What a program behind the walls can see and reach; each wall that this host cannot have is
// skipped with the host's reason.

#include "runtime/exec/sandbox/sandbox.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

/// Below the folder that the tests run in: /tmp is private to every sandbox anyway. Belongs to who
/// runs commands.
class Place {
 public:
  Place() {
    std::string name = (std::filesystem::current_path() / "sandbox-test.XXXXXX").string();
    path_ = mkdtemp(name.data());
    EXPECT_EQ(chmod(path_.c_str(), 0755), 0);
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string folder(const std::string& name) const {
    std::filesystem::create_directory(path_ + "/" + name);
    give(path_ + "/" + name);
    return path_ + "/" + name;
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    give(path_ + "/" + name);
    return path_ + "/" + name;
  }

 private:
  static void give(const std::string& path) {
    const UnprivilegedUser user;
    if (geteuid() == 0) {
      EXPECT_EQ(chown(path.c_str(), user.uid, user.gid), 0);
    }
  }
  std::string path_;
};

struct Said {
  int exit_code{-1};
  std::string text;
};

/// In a child, as commands start: `before` the exec, then the words.
Said run(const std::vector<std::string>& words, const std::function<int()>& before = {}) {
  std::vector<char*> pointers;
  for (const auto& word : words)
    pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    alarm(static_cast<unsigned>(patience.count()));  // only matters when something is broken
    if (drop_root({}) != 0 || (before && before() != 0))
      _exit(126);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  close(ends[1]);
  Said said;
  char buffer[4096];
  for (ssize_t count = 0; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
    said.text.append(buffer, static_cast<std::size_t>(count));
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  said.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return said;
}

const SandboxMeans& means() {
  static const SandboxMeans found = probe_sandbox(SandboxMode::automatic);
  return found;
}

class Sandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    if (means().bubblewrap.empty())
      GTEST_SKIP() << means().why_not;
    const Said seen = run({"/bin/sh", "-c", "cd '" + place_.path() + "'"});
    if (seen.exit_code != 0)
      GTEST_SKIP() << "the user of commands cannot reach the folder of this test: " << seen.text;
    mine_ = place_.folder("mine");
    policy_.writable = {{mine_, mine_}};
    policy_.folder = mine_;
    policy_.tmp_bytes = 1 << 20;
  }
  Said shell(const std::string& script) const {
    return run(sandboxed(means(), policy_, {"/bin/sh", "-c", script}));
  }
  Place place_;
  std::string mine_;
  SandboxPolicy policy_;
};

TEST_F(Sandbox, WritesInItsOwnFolderAndNowhereElse) {
  const std::string foreign = place_.folder("foreign");
  const Said said = shell("echo kept > here && echo bad > " + foreign + "/there");
  EXPECT_NE(said.exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(mine_ + "/here")) << said.text;
  EXPECT_FALSE(std::filesystem::exists(foreign + "/there"));
  for (const char* folder : {"/", "/dev", "/run", "/proc", "/etc"})
    EXPECT_NE(shell(std::string("echo bad > ") + folder + "/fastgpu-test").exit_code, 0) << folder;
}

TEST_F(Sandbox, DoesNotSeeWhatIsHidden) {
  const std::string data = place_.folder("data");
  place_.file("data/key", "the secret");
  const std::string key = place_.file("key", "the other secret");
  policy_.hidden = {data, key, place_.path() + "/missing", "/tmp/missing"};
  const Said said = shell("ls -A " + data + "; cat " + data + "/key " + key);
  EXPECT_NE(said.exit_code, 0);
  EXPECT_EQ(said.text.find("secret"), std::string::npos) << said.text;
  EXPECT_EQ(said.text.find("key\n"), std::string::npos) << said.text;
  EXPECT_NE(shell("echo x > " + data + "/x").exit_code, 0);
}

TEST_F(Sandbox, SeesItsOwnFolderInsideAHiddenOne) {
  const std::string jobs = place_.folder("jobs");
  const std::string own = place_.folder("jobs/1");
  place_.folder("jobs/2");
  place_.file("jobs/1/input", "mine");
  policy_.hidden = {jobs};
  policy_.writable = {{own, own}};
  policy_.folder = own;
  EXPECT_EQ(shell("cat input && ls -A " + jobs).text, "mine1\n");
}

TEST_F(Sandbox, SeesNoOtherProcessAndSignalsNone) {
  const std::string self = std::to_string(getpid());
  const Said said = shell("ls -d /proc/[0-9]* | wc -l; kill -0 " + self);
  EXPECT_NE(said.exit_code, 0);
  EXPECT_LE(std::stoi(said.text), 5) << said.text;  // bubblewrap, the shell, and the pipe's two
  EXPECT_EQ(shell("cat /proc/" + self + "/cmdline").text.find("unit_exec"), std::string::npos);
}

TEST_F(Sandbox, HasPrivateTemporaryFoldersOfBoundedSize) {
  const std::string marker = "/tmp/fastgpu-sandbox." + std::to_string(getpid());
  std::ofstream(marker) << "the host's";
  const Said said = shell(
      "for f in /tmp /var/tmp /dev/shm; do ls -A $f; echo small > $f/x && cat $f/x; "
      "head -c 3000000 /dev/zero > $f/large; done");
  const std::string full = "No space left on device";
  std::size_t refusals = 0;
  for (auto at = said.text.find(full); at != std::string::npos; at = said.text.find(full, at + 1))
    ++refusals;
  EXPECT_EQ(refusals, 3u) << said.text;
  // Not that it is empty: a folder of the test's own may lie below it, and the way there is made.
  EXPECT_EQ(said.text.find("fastgpu-sandbox."), std::string::npos) << said.text;
  std::filesystem::remove(marker);
  EXPECT_FALSE(std::filesystem::exists("/tmp/large"));
}

TEST_F(Sandbox, HasOnlyTheLoopbackWithoutANetwork) {
  if (!means().cuts_network)
    GTEST_SKIP() << means().why_not;
  const auto interfaces = [this] {
    return shell("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '").text;
  };
  EXPECT_EQ(interfaces(), "lo\n");
  std::ifstream host("/proc/net/dev");
  const auto lines = std::count(std::istreambuf_iterator<char>(host), {}, '\n');
  policy_.network = true;
  const std::string seen = interfaces();
  EXPECT_EQ(std::count(seen.begin(), seen.end(), '\n'), lines - 2);
}

TEST_F(Sandbox, IsNotRootAndHasNoCapabilities) {
  policy_.uid = 1234;
  policy_.gid = 1235;
  policy_.hostname = "somewhere";
  const Said said = shell(
      "id -u; id -g; cat /proc/sys/kernel/hostname; grep -E 'CapEff|CapBnd|NoNewPrivs' "
      "/proc/self/status | tr -d '\\t'");
  EXPECT_EQ(said.text,
            "1234\n1235\nsomewhere\nCapEff:0000000000000000\nCapBnd:0000000000000000\n"
            "NoNewPrivs:1\n");
  EXPECT_NE(shell("unshare --user true").exit_code, 0);
}

TEST_F(Sandbox, SeesOnlyTheChosenRoots) {
  policy_.roots = {"/usr", "/bin", "/lib", "/lib64"};
  const Said said = shell("echo /*; cat /etc/passwd; echo x > /x");
  EXPECT_NE(said.exit_code, 0);
  EXPECT_EQ(said.text.find("root:"), std::string::npos) << said.text;
  EXPECT_EQ(said.text.find("/etc /"), std::string::npos) << said.text;
  EXPECT_NE(said.text.find("Read-only file system"), std::string::npos) << said.text;
}

TEST_F(Sandbox, EndsWithWhoStartedIt) {
  int alive[2];
  ASSERT_EQ(pipe(alive), 0);  // inherited: closed when the last process inside is gone
  const auto words = sandboxed(means(), policy_, {"/bin/sh", "-c", "echo up; sleep 1000 & wait"});
  std::vector<char*> pointers;
  for (const auto& word : words)
    pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(alive[1], 1);
    close(alive[0]);
    close(alive[1]);
    if (drop_root({}) == 0)
      execv(pointers[0], pointers.data());
    _exit(127);
  }
  close(alive[1]);
  char text[8];
  ASSERT_EQ(read(alive[0], text, 3), 3);
  ::kill(pid, SIGKILL);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_EQ(read(alive[0], text, sizeof text), 0);
  close(alive[0]);
}

TEST(SandboxMeans, WithoutBubblewrapTheCommandStaysAsItIs) {
  ProbeOptions options;
  options.program = "/nonexistent/bwrap";
  const SandboxMeans none = probe_sandbox(SandboxMode::automatic, options);
  EXPECT_TRUE(none.bubblewrap.empty());
  EXPECT_EQ(none.why_not, "bubblewrap is not installed; install the package bubblewrap");
  const std::vector<std::string> command{"/bin/true", "x"};
  EXPECT_EQ(sandboxed(none, {}, command), command);
  EXPECT_EQ(protection_of(none, true).word, "uid only");
  EXPECT_EQ(protection_of(none, false).word, "none");
  EXPECT_NE(protection_of(none, false).sentence.find("install the package"), std::string::npos);
}

TEST(SandboxMeans, IsNotTriedWhenSwitchedOff) {
  EXPECT_TRUE(probe_sandbox(SandboxMode::none).bubblewrap.empty());
  EXPECT_EQ(parse_sandbox_mode("auto"), SandboxMode::automatic);
  EXPECT_EQ(parse_sandbox_mode("bubblewrap"), SandboxMode::bubblewrap);
  EXPECT_EQ(parse_sandbox_mode("none"), SandboxMode::none);
  EXPECT_FALSE(parse_sandbox_mode("on").has_value());
}

std::string script(const Place& place, const std::string& text) {
  std::string path = place.file("bwrap", "#!/bin/sh\n" + text + "\n");
  chmod(path.c_str(), 0755);
  return path;
}

TEST(SandboxMeans, SaysWhatAHostForbidsAndTheRemedy) {
  const Place place;
  ProbeOptions options;
  options.program = script(
      place, "echo 'bwrap: No permissions to create new namespace, likely because' >&2; exit 1");
  const SandboxMeans means = probe_sandbox(SandboxMode::automatic, options);
  EXPECT_TRUE(means.bubblewrap.empty());
  EXPECT_NE(means.why_not.find("No permissions to create"), std::string::npos) << means.why_not;
  EXPECT_NE(means.why_not.find("user.max_user_namespaces"), std::string::npos) << means.why_not;
}

TEST(SandboxMeans, KeepsTheNetworkWhereItCannotBeCut) {
  const Place place;
  ProbeOptions options;
  options.program = script(place,
                           "case \"$*\" in *--unshare-net*) echo 'bwrap: loopback: Failed' >&2; "
                           "exit 1;; esac");
  const SandboxMeans means = probe_sandbox(SandboxMode::automatic, options);
  EXPECT_EQ(means.bubblewrap, options.program);
  EXPECT_FALSE(means.cuts_network);
  EXPECT_NE(means.why_not.find("loopback"), std::string::npos) << means.why_not;
  EXPECT_NE(protection_of(means, false).sentence.find("network"), std::string::npos);
}

TEST(SandboxMeans, GivesUpOnATrialThatHangs) {
  const Place place;
  ProbeOptions options;
  options.program = script(place, "sleep 1000");
  options.limit = std::chrono::milliseconds(50);
  const SandboxMeans means = probe_sandbox(SandboxMode::automatic, options);
  EXPECT_TRUE(means.bubblewrap.empty());
  EXPECT_NE(means.why_not.find("within 50 ms"), std::string::npos) << means.why_not;
}

TEST(ProcessLimits, RootBecomesSomebodyElseForGood) {
  const Said said =
      run({"/bin/sh", "-c", "id -u; id -G; grep -c 'NoNewPrivs:.1' /proc/self/status"});
  const std::string uid = std::to_string(geteuid() == 0 ? UnprivilegedUser{}.uid : geteuid());
  EXPECT_TRUE(said.text.starts_with(uid + "\n")) << said.text;
  EXPECT_TRUE(said.text.ends_with("\n1\n")) << said.text;
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can show that its groups are gone";
  EXPECT_EQ(said.text, "65534\n65534\n1\n");
}

TEST(ProcessLimits, RootNeverStaysRoot) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can show it";
  const pid_t pid = fork();
  if (pid == 0)
    _exit(drop_root({0, 65534}) == EPERM && drop_root({65534, 0}) == EPERM ? 0 : 1);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(ProcessLimits, BindWhatFollows) {
  ProcessLimits limits;
  limits.address_space_bytes = 64ull << 30;
  limits.cpu_seconds = 100;
  limits.file_bytes = 1 << 20;
  limits.processes = 1000;
  limits.open_files = 64;
  const Said said =
      run({"/bin/sh", "-c", "cat /proc/self/limits"}, [&limits] { return set_limits(limits); });
  const auto has = [&said](const std::string& name, const std::string& soft,
                           const std::string& hard) {
    const auto at = said.text.find(name);
    std::istringstream line(said.text.substr(at == std::string::npos ? 0 : at + name.size()));
    std::string first, second;
    line >> first >> second;
    return first == soft && second == hard;
  };
  EXPECT_TRUE(has("Max address space", "68719476736", "68719476736")) << said.text;
  EXPECT_TRUE(has("Max cpu time", "100", "101")) << said.text;
  EXPECT_TRUE(has("Max file size", "1048576", "1048576")) << said.text;
  EXPECT_TRUE(has("Max processes", "1000", "1000")) << said.text;
  EXPECT_TRUE(has("Max open files", "64", "64")) << said.text;
  EXPECT_TRUE(has("Max core file size", "0", "0")) << said.text;
}

}  // namespace
}  // namespace fastgpu::exec::test
