#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

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
// Occupies its device until that moment of the processor's clock, whenever it was started.
constexpr const char* hold_source =
    "__global__ void hold(unsigned task, long long until, unsigned* out) {\n"
    "  while (clock64() < until) { }\n"
    "  *out = task + 7;\n"
    "}\n";

/// What clock64() reads on a CPU device: the processor's clock, the same one in every process.
long long processor_clock() {
  return static_cast<long long>(__builtin_ia32_rdtsc());
}

/// How fast it goes: measured from when this is made until it is asked.
class ProcessorClockRate {
 public:
  /// For how long it has been measured, rounded up.
  Seconds measured() const {
    return std::chrono::ceil<Seconds>(std::chrono::steady_clock::now() - started_);
  }
  long long in(Seconds time) const {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
    const double per_second = static_cast<double>(processor_clock() - first_) / passed.count();
    return static_cast<long long>(per_second * static_cast<double>(time.count()));
  }

 private:
  long long first_{processor_clock()};
  std::chrono::steady_clock::time_point started_{std::chrono::steady_clock::now()};
};

std::string decoded(const std::string& base64) {
  static const std::string digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int held = 0;
  for (const char c : base64) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string::npos) {
      break;
    }
    bits = bits << 6 | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes += static_cast<char>(bits >> held & 0xff);
    }
  }
  return bytes;
}

/// All task records of a job, by index, as `fastgpu show --json` gives them.
std::vector<json> tasks_of(const ProcessCluster& cluster, const std::string& job) {
  const Finished shown = cluster.fastgpu({"show", job, "--json"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  const json document = json::parse(shown.out, nullptr, false);
  return document.contains("tasks") ? document["tasks"].get<std::vector<json>>()
                                    : std::vector<json>{};
}

/// True once the answer of node `asked` has an item that is so; asks until then.
bool await_item(const ProcessCluster& cluster, int asked, std::vector<std::string> words,
                const std::function<bool(const json&)>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  words.push_back("--json");
  do {
    const Finished listed = cluster.fastgpu_at(asked, words);
    const json document = json::parse(listed.out, nullptr, false);
    for (const json& item : document.value("items", json::array())) {
      if (is_so(item)) {
        return true;
      }
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

/// True once node `asked` sees the node of that name up.
bool await_seen(const ProcessCluster& cluster, int asked, const std::string& name) {
  return await_item(cluster, asked, {"node", "list"}, [&name](const json& node) {
    return node.value("name", "") == name && node.value("state", "") == "up";
  });
}

/// True once node `asked` sees that the devices of so many nodes, n1 and on, can be used.
bool await_devices(const ProcessCluster& cluster, int asked, int nodes) {
  bool all = true;
  for (int node = 0; node < nodes; ++node) {
    all = all && await_item(cluster, asked, {"gpus"}, [node](const json& device) {
            return device.value("node", "") == "n" + std::to_string(node + 1) &&
                   device.value("node_state", "") == "up" && device.value("healthy", false);
          });
  }
  return all;
}

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
/// ran and waited then does so at the kill if that comes before `until`.
void kill_amid_work(ProcessCluster& cluster, int victim, int keeper, const std::string& job,
                    unsigned least, unsigned most, long long until) {
  SCOPED_TRACE("node " + std::to_string(victim + 1) + ", job " + job);
  const Counts counts = await_running(cluster, keeper, job, least, most);
  cluster.kill(victim);
  EXPECT_LT(processor_clock(), until) << "the machine is too slow: tasks may have ended already";
  EXPECT_GE(counts.running, least);
  EXPECT_LE(counts.running, most);
  EXPECT_GT(counts.pending + counts.running, 3u) << "more than there are devices: some wait";
  EXPECT_EQ(counts.ended, 0u);
  cluster.start(victim);
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
  // It takes as long as this machine makes it: less than the three starts so far.
  const Seconds both_kills = Seconds{14} + 2 * rate.measured();
  std::vector<std::string> jobs;
  for (int round = 0; round < rounds; ++round) {
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
    kill_amid_work(cluster, accepting, accepting, jobs.back(), devices, tasks, until);
    // The two that stayed up, this one among them, still have what they ran.
    kill_amid_work(cluster, other, accepting, jobs.back(), devices - 1, tasks, until);
    expect_all_recorded_once(cluster, jobs.back(), tasks);
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
