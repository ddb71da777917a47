/// A node that stands still: its process is stopped, its children are not. What it ran goes on
/// elsewhere, commands only once they have certainly ended there, and what it says when it wakes up
/// changes nothing.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <sstream>

#include "tests/system/command_cluster.hpp"
#include "tests/system/lives.hpp"
#include "tests/system/processor_clock.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;

// --- commands ------------------------------------------------------------------------------------

constexpr double lease_seconds = 12;

/// Two devices on each of three nodes, and a command on each of them. The ledger is n1's.
class FrozenNodeWithCommands : public CommandCluster {
 protected:
  static constexpr std::uint32_t tasks = 6;

  FrozenNodeWithCommands() : CommandCluster({.cpu_devices = 2}) {}

  /// A node other than n1 that runs two of the commands by now, and these two.
  std::vector<Life> two_on_another_node(const std::string& job) const {
    std::vector<Life> two;
    EXPECT_TRUE(await([&] {
      const std::vector<Life> lives = lives_of(cluster_, job);
      for (int node = 1; node < cluster_.size() && two.size() != 2; ++node) {
        two.clear();
        std::copy_if(lives.begin(), lives.end(), std::back_inserter(two),
                     [node](const Life& life) { return life.node == node; });
      }
      return two.size() == 2;
    })) << "no other node runs two commands";
    return two;
  }
  /// The next life of the same task, on another node.
  Life await_successor(const std::string& job, const Life& former) const {
    Life found;
    EXPECT_TRUE(await([&] {
      for (const Life& life : lives_of(cluster_, job)) {
        if (life.task == former.task && life.node != former.node) {
          found = life;
        }
      }
      return !found.stamps.empty();
    })) << "task "
        << former.task << " does not run elsewhere";
    return found;
  }
  /// What it has written by now; itself if its folder is gone.
  Life again(const std::string& job, const Life& life) const {
    for (Life& now : lives_of(cluster_, job)) {
      if (now.folder == life.folder) {
        return now;
      }
    }
    return life;
  }
  bool has_folder(const std::string& job, const Life& life) const {
    const std::vector<Life> lives = lives_of(cluster_, job);
    return std::any_of(lives.begin(), lives.end(),
                       [&](const Life& now) { return now.folder == life.folder; });
  }
  std::size_t tasks_ended(const std::string& job) const {
    return show(job).value("tasks", json::array()).size();
  }
};

TEST_F(FrozenNodeWithCommands, LosesThemAtTheirLeaseAndTheyRunOnceMoreAfterIt) {
  ASSERT_TRUE(await_devices(cluster_, 0, 3));
  cluster_.await_replicas();
  const std::string job = submit_through(
      cluster_.address(0),
      {"--tasks", std::to_string(tasks), "--lease", "12s", "--out", "result-{}"}, living_script);
  const std::vector<Life> old = two_on_another_node(job);
  ASSERT_EQ(old.size(), 2u);
  const Life& stubborn = old[0];  // lives on until it is killed
  const Life& late = old[1];      // ends well, and its node cannot tell
  const int frozen = stubborn.node;
  cluster_.freeze(frozen);
  const double frozen_at = boot_seconds();
  late.let_go();
  // By task: one of them may have stood behind these two, and come late to another node.
  const auto is_one_of_the_others = [&](const Life& life) {
    return life.task != stubborn.task && life.task != late.task;
  };
  // The others end, so that there are devices for these two.
  ASSERT_TRUE(await([&] {
    for (const Life& life : lives_of(cluster_, job)) {
      if (is_one_of_the_others(life)) {
        life.let_go();
      }
    }
    return tasks_ended(job) == tasks - 2;
  }));

  const Life stubborn_again = await_successor(job, stubborn);
  const Life late_again = await_successor(job, late);
  const Life stubborn_dead = again(job, stubborn);
  const Life late_dead = again(job, late);
  EXPECT_LT(stubborn_dead.last(), frozen_at + lease_seconds + 0.02) << "it outlives its lease";
  EXPECT_GT(stubborn_dead.last(), frozen_at + lease_seconds / 2) << "it was to live that long";
  EXPECT_GE(stubborn_again.first(), stubborn_dead.last()) << "two executions at once";
  EXPECT_GE(late_again.first(), late_dead.last()) << "two executions at once";
  // Nobody but the frozen node knows that the late one has ended before its lease.
  EXPECT_GE(late_again.first(), frozen_at + lease_seconds / 2) << "its lease was not waited for";

  cluster_.thaw(frozen);
  ASSERT_TRUE(await_seen(cluster_, 0, "n" + std::to_string(frozen + 1)));
  // It drops a folder once nobody wants anything of its attempt.
  ASSERT_TRUE(await([&] { return !has_folder(job, stubborn) && !has_folder(job, late); }));
  EXPECT_EQ(tasks_ended(job), tasks - 2) << "a late result was recorded";
  stubborn_again.let_go();
  late_again.let_go();
  EXPECT_EQ(fastgpu({"wait", job}).exit_code, 0);

  const json document = show(job);
  ASSERT_EQ(document["tasks"].size(), tasks) << document.dump();
  for (const json& record : document["tasks"]) {
    EXPECT_EQ(record["state"], "succeeded") << record.dump();
    EXPECT_EQ(decoded(record["outputs"][0]["data_base64"]),
              record["node"].get<std::string>() + "\n");
  }
  for (const Life& life : {stubborn_again, late_again}) {
    EXPECT_EQ(document["tasks"][life.task]["node"], "n" + std::to_string(life.node + 1));
  }
}

// The warden stands still as well, so that nobody ends what the killed node ran, but its next life.
TEST_F(FrozenNodeWithCommands, LeavesThemToItsNextLifeWhichEndsThemBeforeItIsHeard) {
  ASSERT_TRUE(await_devices(cluster_, 0, 3));
  const std::string job = submit_through(
      cluster_.address(0),
      {"--tasks", std::to_string(tasks), "--lease", "1h", "--out", "result-{}"}, living_script);
  const std::vector<Life> old = two_on_another_node(job);
  ASSERT_EQ(old.size(), 2u);
  const int node = old[0].node;
  std::istringstream wardens(
      run_command({"pgrep", "-P", std::to_string(cluster_.pid(node)), "-f", "--", "--warden"}).out);
  std::vector<pid_t> frozen;
  for (pid_t warden = 0; wardens >> warden;) {
    ASSERT_EQ(kill(warden, SIGSTOP), 0);
    frozen.push_back(warden);
  }
  ASSERT_EQ(frozen.size(), 2u);
  cluster_.kill(node);
  const double killed_at = boot_seconds();
  ASSERT_TRUE(await([&] { return again(job, old[0]).last() > killed_at; })) << "it lives on";
  cluster_.start(node);
  const double heard_at = boot_seconds();
  for (const Life& life : old) {
    EXPECT_LE(again(job, life).last(), heard_at);
  }
  ASSERT_TRUE(await([&] {
    for (const Life& life : lives_of(cluster_, job)) {
      life.let_go();
    }
    return tasks_ended(job) == tasks;
  })) << "the next life is proof enough, whatever the lease";
  for (const json& record : show(job).value("tasks", json::array())) {
    EXPECT_EQ(record["state"], "succeeded") << record.dump();
  }
  for (const pid_t warden : frozen) {
    kill(warden, SIGKILL);
  }
}

// --- kernels -------------------------------------------------------------------------------------

/// How many tasks run now on the node of that name, as the ledger of n1 knows.
json attempts_on(const ProcessCluster& cluster, const std::string& job, const std::string& node) {
  json found = json::array();
  for (const json& attempt : job_of(cluster, job).value("attempts", json::array())) {
    if (attempt.value("node", "") == node) {
      found.push_back(attempt);
    }
  }
  return found;
}

TEST(FrozenNodeWithKernels, DoesNotHoldThemUp) {
  const ProcessorClockRate rate;
  ProcessCluster cluster;
  const TemporaryFolder folder;
  ASSERT_TRUE(await_devices(cluster, 0, 3));
  cluster.await_replicas();
  const std::string source = folder.write("hold.cu", hold_source);
  const Seconds held = Seconds{4} + rate.measured();
  const long long until = processor_clock() + rate.in(held);
  const auto end_of_hold = std::chrono::steady_clock::now() + held;
  const Finished submitted = cluster.fastgpu_at(
      0, {"submit", "-q", "--kernel", "hold", "--source", source, "--arg", "u32:{}", "--arg",
          "i64:" + std::to_string(until), "--arg", "out:o_{}=4", "--tasks", "3"});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.err;
  const std::string job = submitted.out.substr(0, submitted.out.find('\n'));
  ASSERT_TRUE(await([&] { return !attempts_on(cluster, job, "n2").empty(); }));
  cluster.freeze(1);
  EXPECT_LT(processor_clock(), until) << "the machine is too slow: it may have told its result";

  ASSERT_EQ(cluster.fastgpu_at(0, {"wait", job}).exit_code, 0);
  // A node is silent for a second, its tasks are placed anew and end at once.
  EXPECT_LT(std::chrono::steady_clock::now() - end_of_hold, Seconds{6});
  const std::vector<json> records = tasks_of(cluster, job);
  ASSERT_EQ(records.size(), 3u);
  for (const json& record : records) {
    EXPECT_EQ(record["state"], "succeeded") << record.dump();
    EXPECT_NE(record["node"], "n2") << "the frozen node cannot have told";
  }
  cluster.thaw(1);
  ASSERT_TRUE(await_seen(cluster, 0, "n2"));
  ASSERT_EQ(cluster
                .fastgpu_at(1, {"run", "--kernel", "hold", "--source", source, "--arg", "u32:1",
                                "--arg", "i64:0", "--arg", "out:" + folder.file("o") + "=4"})
                .exit_code,
            0)
      << "it works again";
  EXPECT_EQ(tasks_of(cluster, job), records) << "its late results have changed nothing";
}

}  // namespace
}  // namespace fastgpu::testing
