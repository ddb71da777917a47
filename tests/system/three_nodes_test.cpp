#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "tests/system/cluster_views.hpp"
#include "tests/system/processor_clock.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;

// Takes some milliseconds of a device each time: a node that is late, still compiling, gets its
// part.
constexpr const char* fill_source =
    "__global__ void fill(unsigned base, unsigned* out) {\n"
    "  if (threadIdx.x == 0)\n"
    "    for (long long start = clock64(); clock64() - start < 50000000;) { }\n"
    "  out[threadIdx.x] = base * 1000 + threadIdx.x;\n"
    "}\n";

TEST(ThreeNodes, ShareAnArrayThatWasGivenToOneOfThem) {
  const ProcessCluster cluster;
  ASSERT_TRUE(await_devices(cluster, 0, 3));
  const TemporaryFolder folder;
  const std::string source = folder.write("fill.cu", fill_source);
  const Finished run = cluster.fastgpu_at(
      0,
      {"run", "--kernel", "fill", "--source", source, "--grid", "1", "--block", "64", "--arg",
       "u32:{}", "--arg", "out:" + folder.file("o_{}.bin") + "=256", "--tasks", "300"},
      Seconds{240});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Finished listed = cluster.fastgpu({"ps", "-a", "-q"});
  const std::string job = listed.out.substr(0, listed.out.find('\n'));
  const std::vector<json> tasks = tasks_of(cluster, job);
  ASSERT_EQ(tasks.size(), 300u) << listed.out;
  std::map<std::string, int> by_node;
  for (unsigned task = 0; task < 300; ++task) {
    const std::string output = read_file(folder.file("o_" + std::to_string(task) + ".bin"));
    ASSERT_EQ(output.size(), 256u) << "task " << task;
    unsigned values[64];
    std::memcpy(values, output.data(), sizeof values);
    for (unsigned i = 0; i < 64; ++i) {
      ASSERT_EQ(values[i], task * 1000 + i);
    }
    EXPECT_EQ(tasks[task]["task"], task);
    EXPECT_EQ(tasks[task]["state"], "succeeded");
    EXPECT_EQ(decoded(tasks[task]["outputs"][0]["data_base64"]), output);
    ++by_node[tasks[task]["node"]];
  }
  ASSERT_EQ(by_node.size(), 3u);
  for (const auto& [node, count] : by_node) {
    EXPECT_GE(count, 30) << node << " ran less than a tenth";
  }
}

TEST(ThreeNodes, CarryBuffersThatAreTooLargeForARecordToAndFromEveryNode) {
  const ProcessCluster cluster;
  const TemporaryFolder folder;
  const std::string source = folder.write(
      "twice.cu",
      "__global__ void twice(unsigned task, const unsigned* in, unsigned* out, unsigned n) {\n"
      "  for (unsigned i = threadIdx.x; i < n; i += blockDim.x) out[i] = 2 * in[i] + task;\n"
      "}\n");
  constexpr unsigned count = 300'000;
  std::vector<unsigned> values(count);
  for (unsigned i = 0; i < count; ++i) {
    values[i] = i * 2654435761u;
  }
  const std::string input = folder.write(
      "in", std::string(reinterpret_cast<const char*>(values.data()), count * sizeof(unsigned)));
  const Finished run = cluster.fastgpu_at(
      1,
      {"run", "--kernel", "twice", "--source", source, "--block", "64", "--arg", "u32:{}", "--arg",
       "in:" + input, "--arg",
       "out:" + folder.file("out_{}") + "=" + std::to_string(count * sizeof(unsigned)), "--arg",
       "u32:" + std::to_string(count), "--tasks", "12"},
      Seconds{240});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  for (unsigned task = 0; task < 12; ++task) {
    const std::string output = read_file(folder.file("out_" + std::to_string(task)));
    ASSERT_EQ(output.size(), count * sizeof(unsigned));
    for (unsigned i = 0; i < count; i += 997) {
      unsigned value = 0;
      std::memcpy(&value, output.data() + i * sizeof value, sizeof value);
      ASSERT_EQ(value, 2 * values[i] + task) << "task " << task << ", element " << i;
    }
  }
}

struct Counts {
  unsigned pending{};
  unsigned running{};
  unsigned ended{};
};

/// How many tasks of the job wait, run and have ended, as the node says that keeps the job.
Counts counts_of(const ProcessCluster& cluster, int keeper, const std::string& job) {
  const Finished shown = cluster.fastgpu_at(keeper, {"show", job, "--json"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  const json document = json::parse(shown.out, nullptr, false);
  const json counts = document.value("task_counts", json::object());
  Counts result{counts.value("pending", 0u), counts.value("running", 0u), 0};
  result.ended = counts.value("total", 0u) - result.pending - result.running;
  return result;
}

/// Asks until from `least` to `most` tasks are known to run. A task that a device has granted
/// counts as running until its worker's next renewal, some seconds later, says what it has
/// launched; but each device that granted some runs one of them. Gives what was heard last.
Counts await_running(const ProcessCluster& cluster, int keeper, const std::string& job,
                     unsigned least, unsigned most) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const Counts counts = counts_of(cluster, keeper, job);
    if ((least <= counts.running && counts.running <= most) || counts.ended > 0 ||
        std::chrono::steady_clock::now() > deadline) {
      return counts;
    }
  }
}

/// Kills the node right after its job was seen to have at least `least` tasks running and others
/// waiting. Each task holds its device until `until`, and there are more of them than devices: what
/// ran and waited then does so at the kill if that comes before `until`. False where it came later:
/// then the kill may have met nothing.
bool kill_amid_work(ProcessCluster& cluster, int victim, int keeper, const std::string& job,
                    unsigned least, unsigned most, long long until) {
  SCOPED_TRACE("node " + std::to_string(victim + 1) + ", job " + job);
  const Counts counts = await_running(cluster, keeper, job, least, most);
  cluster.kill(victim);
  const bool in_time = processor_clock() < until;
  if (in_time) {
    EXPECT_GE(counts.running, least);
    EXPECT_LE(counts.running, most);
    EXPECT_GT(counts.pending + counts.running, 3u) << "more than there are devices: some wait";
    EXPECT_EQ(counts.ended, 0u);
  }
  cluster.start(victim);
  return in_time;
}

/// Each task has exactly one record, whoever is asked: it succeeded, with its right answer.
void expect_all_recorded_once(const ProcessCluster& cluster, const std::string& job,
                              unsigned tasks) {
  SCOPED_TRACE("job " + job);
  const Finished waited = cluster.fastgpu({"--timeout", "120s", "wait", job});
  ASSERT_EQ(waited.exit_code, 0) << waited.out << waited.err;
  const std::vector<json> records = tasks_of(cluster, job);
  ASSERT_EQ(records.size(), std::size_t{tasks});
  for (unsigned task = 0; task < tasks; ++task) {
    EXPECT_EQ(records[task]["task"], task);
    EXPECT_EQ(records[task]["state"], "succeeded") << records[task].dump();
    unsigned value = 0;
    const std::string output = decoded(records[task]["outputs"][0]["data_base64"]);
    ASSERT_EQ(output.size(), sizeof value);
    std::memcpy(&value, output.data(), sizeof value);
    EXPECT_EQ(value, task + 7);
  }
}

TEST(ThreeNodes, RecordEveryAcceptedTaskOnceThoughNodesAreKilledAmidWork) {
  const ProcessorClockRate rate;
  ProcessCluster cluster;
  const TemporaryFolder folder;
  const std::string source = folder.write("hold.cu", hold_source);
  constexpr int rounds = 5;
  constexpr unsigned devices = 3;
  constexpr unsigned tasks = 300;  // more than devices take in advance
  ASSERT_TRUE(await_devices(cluster, 0, devices));
  // It takes as long as this machine makes it, as a rule less than the three starts so far. A round
  // whose tasks were over before its kills is one more in which nothing is lost, but does not
  // count.
  Seconds both_kills = Seconds{14} + 2 * rate.measured();
  std::vector<std::string> jobs;
  for (int round = 0; round < rounds;) {
    ASSERT_LT(jobs.size(), std::size_t{2 * rounds})
        << "this machine never comes to both kills in time";
    const int accepting = round % 3;
    const int other = (accepting + 1 + round % 2) % 3;
    ASSERT_TRUE(await_devices(cluster, accepting, devices));
    const long long until = processor_clock() + rate.in(both_kills);
    const Finished submitted =
        cluster.fastgpu_at(accepting, {"submit", "-q", "--kernel", "hold", "--source", source,
                                       "--arg", "u32:{}", "--arg", "i64:" + std::to_string(until),
                                       "--arg", "out:o_{}=4", "--tasks", std::to_string(tasks)});
    ASSERT_EQ(submitted.exit_code, 0) << submitted.err;
    jobs.push_back(submitted.out.substr(0, submitted.out.find('\n')));
    // After the first one the two that stayed up, the other among them, still have what they ran.
    const bool in_time =
        kill_amid_work(cluster, accepting, accepting, jobs.back(), devices, tasks, until) &&
        kill_amid_work(cluster, other, accepting, jobs.back(), devices - 1, tasks, until);
    expect_all_recorded_once(cluster, jobs.back(), tasks);
    if (in_time) {
      ++round;
    } else {
      both_kills *= 2;
    }
  }
  EXPECT_EQ(std::set<std::string>(jobs.begin(), jobs.end()).size(), jobs.size());
  for (const std::string& job : jobs) {
    expect_all_recorded_once(cluster, job, tasks);  // later kills have changed nothing
  }
}

TEST(ThreeNodes, FindEachOtherAgainWhileTheFirstOneStaysAway) {
  ProcessCluster cluster;
  ASSERT_TRUE(await_seen(cluster, 1, "n3"));
  for (int node = 0; node < 3; ++node) {
    cluster.kill(node);
  }
  cluster.start(1);
  cluster.start(2);
  EXPECT_TRUE(await_seen(cluster, 1, "n3")) << "n2 had joined before n3 was there";
  EXPECT_TRUE(await_seen(cluster, 2, "n2"));
}

TEST(ThreeNodes, LeaveNoExecutorBehindWhenTheyAreKilled) {
  ProcessCluster cluster({.nodes = 1});
  ASSERT_TRUE(await_devices(cluster, 0, 1));
  const Finished before =
      run_command({"pgrep", "-P", std::to_string(cluster.pid(0)), "-f", "fastgpu-executor"});
  ASSERT_FALSE(before.out.empty());
  cluster.kill(0);
  std::istringstream pids(before.out);
  for (std::string pid; pids >> pid;) {
    // PR_SET_PDEATHSIG: the kernel ends them; wait for it on their pidfd.
    EXPECT_TRUE(await_gone(std::stoi(pid))) << "executor " << pid << " outlives its node";
  }
}

}  // namespace
}  // namespace fastgpu::testing
