// A node whose disk fills up: it refuses new work in time, goes on with what it has accepted, and
// what it acknowledged is there when it starts again with room. On a small file system of its own.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/link/reserved_ports.hpp"
#include "tests/support/process/credentials.hpp"
#include "tests/support/process/process.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::uint64_t disk_bytes = 96u << 20;  ///< an eighth of it is the reserve: 12 MiB

/// A tmpfs, where this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    const std::string options = "mode=0711,size=" + std::to_string(disk_bytes);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    why_not_ = mounted_ ? "" : std::strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) {
      ::umount2(path_.c_str(), MNT_DETACH);
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& why_not() const { return why_not_; }
  std::uint64_t free_bytes() const { return std::filesystem::space(path_).available; }
  /// Somebody else's file leaves so much free.
  void fill(std::uint64_t left_bytes) const {
    const int file = ::open(ballast().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    const std::uint64_t free = free_bytes();
    if (free > left_bytes) {
      EXPECT_EQ(::posix_fallocate(file, 0, static_cast<off_t>(free - left_bytes)), 0);
    }
    ::close(file);
  }
  void make_room() const { std::filesystem::remove(ballast()); }

 private:
  std::string ballast() const { return path_ + "/ballast"; }

  const std::string path_;
  bool mounted_{false};
  std::string why_not_;
};

class FullDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) {
      GTEST_SKIP() << "no file system can be mounted here: " << disk_.why_not();
    }
    ports_ = std::move(link::ReservedPorts::take(1)).value();
    address_ = "127.0.0.1:" + std::to_string(ports_.ports()[0]);
    const Finished made =
        run_command({program("fastgpu-node"), "init", "--dir", folder(), "--listen", address_,
                     "--name", "n1", "--devices", "1", "--null-devices", "0"});
    ASSERT_EQ(made.exit_code, 0) << made.err;
    use_credentials(folder() + "/client.toml");
    start();
  }
  std::string folder() const { return scratch_.file("disk/n1"); }
  void start() {
    node_.emplace(std::vector<std::string>{program("fastgpu-node"), "run", "--dir", folder()});
    ASSERT_TRUE(node_->await_line("ready")) << node_->err();
  }
  Finished fastgpu(std::vector<std::string> words, Seconds limit = patience) const {
    words.insert(words.begin(), {program("fastgpu"), "--server", address_});
    return run_command(words, limit);
  }
  Finished submit(const std::string& script, const std::vector<std::string>& flags = {}) const {
    std::vector<std::string> words{"--timeout", "3s", "submit", "-q"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.insert(words.end(), {"--", "sh", "-c", script});
    return fastgpu(words);
  }
  static std::string first_line(const Finished& done) {
    return done.out.substr(0, done.out.find('\n'));
  }
  std::string state_of(const std::string& job) const {
    const json document = json::parse(fastgpu({"show", job, "--json"}).out, nullptr, false);
    return document.is_object() ? document.value("state", "") : "";
  }
  /// Until the node has looked at its disk and says no (or, again, yes).
  Finished submit_until(int exit_code) const {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    Finished last;
    do {
      last = submit("true");
    } while (last.exit_code != exit_code && std::chrono::steady_clock::now() < deadline);
    return last;
  }

  TemporaryFolder scratch_;
  const SmallDisk disk_{scratch_.file("disk")};
  link::ReservedPorts ports_;
  std::string address_;
  std::optional<Process> node_;
};

TEST_F(FullDisk, RefusesNewWorkGoesOnWithTheOldAndLosesNothing) {
  const Finished held = submit("sleep 5");  // ends when the disk is full already
  ASSERT_EQ(held.exit_code, 0) << held.err;
  const Finished done = submit("echo done");
  ASSERT_EQ(done.exit_code, 0) << done.err;

  disk_.fill(8u << 20);
  const Finished refused = submit_until(9);
  ASSERT_EQ(refused.exit_code, 9) << refused.out << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("FG2202"));
  EXPECT_THAT(refused.err, HasSubstr("new work is taken from 12 MiB on"));
  EXPECT_THAT(refused.err, HasSubstr("free some room"));
  const std::string input = scratch_.write("input", std::string(100'000, 'i'));
  EXPECT_EQ(submit("true", {"--in", input}).exit_code, 9) << "an upload as well";

  EXPECT_EQ(fastgpu({"wait", first_line(held)}).exit_code, 0) << "what was accepted goes on";
  EXPECT_EQ(fastgpu({"wait", first_line(done)}).exit_code, 0);

  node_->kill();
  disk_.make_room();
  start();
  EXPECT_EQ(state_of(first_line(held)), "succeeded");
  EXPECT_EQ(state_of(first_line(done)), "succeeded");
  const Finished again = submit_until(0);
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(fastgpu({"wait", first_line(again)}).exit_code, 0);
}

TEST_F(FullDisk, StopsAStartWithAClearWordAndLosesNothing) {
  std::vector<std::string> accepted;
  for (int i = 0; i < 3; ++i) {
    const Finished done = submit("true");
    ASSERT_EQ(done.exit_code, 0) << done.err;
    accepted.push_back(first_line(done));
    EXPECT_EQ(fastgpu({"wait", accepted.back()}).exit_code, 0);
  }
  node_->kill();
  disk_.fill(0);
  const Finished failed = run_command({program("fastgpu-node"), "run", "--dir", folder()});
  EXPECT_EQ(failed.exit_code, 9) << failed.err;
  EXPECT_THAT(failed.err, HasSubstr("FG2202"));
  EXPECT_THAT(failed.err, HasSubstr("nothing is lost"));

  disk_.make_room();
  start();
  for (const std::string& job : accepted) {
    EXPECT_EQ(state_of(job), "succeeded");
  }
}

}  // namespace
}  // namespace fastgpu::testing
