#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {
namespace {

using nlohmann::json;

constexpr const char* fill_source =
    "__global__ void fill(unsigned base, unsigned* out) {\n"
    "  out[threadIdx.x] = base * 1000 + threadIdx.x;\n"
    "}\n";
// Busy for about as long as 100 million cycles, so that kills find tasks queued and running.
constexpr const char* slow_source =
    "__global__ void slow(unsigned task, unsigned* out) {\n"
    "  long long start = clock64();\n"
    "  while (clock64() - start < 100000000ll) { }\n"
    "  *out = task + 7;\n"
    "}\n";

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

std::string submit(const ProcessCluster& cluster, int node, const std::string& source,
                   const std::string& kernel, int tasks) {
  const Finished done = cluster.fastgpu_at(
      node, {"submit", "-q", "--kernel", kernel, "--source", source, "--grid", "1", "--block", "1",
             "--arg", "u32:{}", "--arg", "out:o_{}=4", "--tasks", std::to_string(tasks)});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  return done.out.substr(0, done.out.find('\n'));
}

TEST(ThreeNodes, ShareAnArrayThatWasGivenToOneOfThem) {
  const ProcessCluster cluster;
  const TemporaryFolder folder;
  const std::string source = folder.write("fill.cu", fill_source);
  const Finished run = cluster.fastgpu_at(
      0,
      {"run", "--kernel", "fill", "--source", source, "--grid", "1", "--block", "64", "--arg",
       "u32:{}", "--arg", "out:" + folder.file("o_{}.bin") + "=256", "--tasks", "300"},
      Seconds{120});
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
      Seconds{120});
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

TEST(ThreeNodes, RecordEveryAcceptedTaskOnceThoughNodesAreKilled) {
  ProcessCluster cluster;
  const TemporaryFolder folder;
  const std::string source = folder.write("slow.cu", slow_source);
  constexpr int tasks = 20;
  constexpr int kills_each = 5;
  std::set<std::string> jobs;
  for (int round = 0; round < 2 * kills_each; ++round) {
    const std::string job = submit(cluster, 0, source, "slow", tasks);
    EXPECT_TRUE(jobs.insert(job).second) << "job id " << job << " was given twice";
    const int victim = round % 2 == 0 ? 0 : 1 + round / 2 % 2;
    cluster.kill(victim);
    cluster.start(victim);
  }
  for (const std::string& job : jobs) {
    const Finished waited = cluster.fastgpu({"--timeout", "120s", "wait", job}, Seconds{150});
    EXPECT_EQ(waited.exit_code, 0) << "job " << job << ": " << waited.out << waited.err;
    const std::vector<json> records = tasks_of(cluster, job);
    ASSERT_EQ(records.size(), static_cast<std::size_t>(tasks)) << "job " << job;
    for (unsigned task = 0; task < tasks; ++task) {
      EXPECT_EQ(records[task]["task"], task) << "job " << job;
      EXPECT_EQ(records[task]["state"], "succeeded") << records[task].dump();
      unsigned value = 0;
      const std::string output = decoded(records[task]["outputs"][0]["data_base64"]);
      ASSERT_EQ(output.size(), sizeof value);
      std::memcpy(&value, output.data(), sizeof value);
      EXPECT_EQ(value, task + 7);
    }
  }
}

/// True once node `asked` sees the node of that name up; asks until then, at most half a minute.
bool await_seen(const ProcessCluster& cluster, int asked, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + Seconds{30};
  while (std::chrono::steady_clock::now() < deadline) {
    const Finished listed = cluster.fastgpu_at(asked, {"node", "list", "--json"});
    const json document = json::parse(listed.out, nullptr, false);
    for (const json& node : document.value("items", json::array())) {
      if (node.value("name", "") == name && node.value("state", "") == "up") {
        return true;
      }
    }
  }
  return false;
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
