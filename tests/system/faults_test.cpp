/// A thousand tasks of which every tenth is bad in a way of its own, on two CPU devices: the good
/// ones have their answers, the bad ones their own errors, and nothing is left behind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <sstream>

#include "client/fastgpu/client.hpp"
#include "tests/system/cluster_views.hpp"

namespace fastgpu::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr unsigned tasks = 1000;
constexpr unsigned threads = 64;

// Of a hundred tasks five store out of bounds, two never end, two fail an assertion, and one takes
// more memory than its heap has.
constexpr const char* source = R"(
#include <cassert>
__global__ void mixed(unsigned task, int* out) {
  const int i = threadIdx.x, fate = task % 100;
  __syncthreads();
  if (fate % 20 == 3 && i == 7) out[blockDim.x + 100] = 1;
  if (fate == 11 || fate == 61) while (*(volatile int*)out == 0) { }
  assert((fate != 27 && fate != 77) || i != 9);
  if (fate == 50)
    for (int k = 0; k < 100; ++k) *(volatile int*)malloc(1 << 20) = k;
  out[i] = task * 1000 + i;
}
)";

std::string expected_reason(unsigned task) {
  const unsigned fate = task % 100;
  return fate % 20 == 3             ? "out_of_bounds"
         : fate == 11 || fate == 61 ? "time_limit"
         : fate == 27 || fate == 77 ? "kernel_assert"
         : fate == 50               ? "cuda_out_of_memory"
                                    : "none";
}

/// What the message must say beside the kernel and its launch.
std::string expected_words(const std::string& reason) {
  static const std::map<std::string, std::string> words{
      {"out_of_bounds",
       "out-of-bounds write of buffer argument 1 (256 bytes): 400 bytes past its end"},
      {"time_limit", "killed after 2 s (limit)"},
      {"kernel_assert", "at job.cu:8"},
      {"cuda_out_of_memory", "malloc of 1048576 bytes gave null"},
  };
  return words.at(reason);
}

/// Blocks of memory behind a process's memory files of that name.
std::uint64_t shared_bytes(pid_t pid, const std::string& name) {
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code gone;
    struct stat info {};
    if (fs::read_symlink(entry, gone).string().find(name) != std::string::npos &&
        stat(entry.path().c_str(), &info) == 0) {
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

/// Open files of a process that have no path: sockets, pipes, events, memory.
std::size_t open_files(pid_t pid) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code gone;
    count += fs::read_symlink(entry, gone).string().starts_with("/") ? 0 : 1;
  }
  return count;
}

std::uint64_t resident_bytes(pid_t pid) {
  std::istringstream sizes(read_file("/proc/" + std::to_string(pid) + "/statm"));
  std::uint64_t all = 0, resident = 0;
  sizes >> all >> resident;
  return resident * 4096;
}

/// What a node and its executors hold.
struct Held {
  std::size_t executors{};
  std::size_t open_files{};
  std::uint64_t arena_bytes{};
  std::uint64_t executor_bytes{};
};

Held held_by(pid_t node) {
  Held held{0, open_files(node), shared_bytes(node, "fastgpu-arena"), 0};
  std::istringstream pids(
      run_command({"pgrep", "-P", std::to_string(node), "-f", "--", "--device cpu"}).out);
  for (pid_t pid = 0; pids >> pid;) {
    ++held.executors;
    held.executor_bytes += resident_bytes(pid);
  }
  return held;
}

fastgpu::JobSpec job_of_tasks(unsigned count) {
  return fastgpu::JobSpec{}
      .kernel("mixed")
      .source(source)
      .block(threads)
      .tasks(count)
      .arg_text(fastgpu::Scalar::u32, "{}")
      .out(threads * sizeof(int));
}

void expect_right(const fastgpu::TaskResult& task) {
  const std::string reason = expected_reason(task.task);
  ASSERT_EQ(task.reason, reason) << "task " << task.task << ": " << task.message;
  if (reason == "none") {
    const std::vector<int> values = task.outputs.at(0).as<int>();
    for (unsigned i = 0; i < threads; ++i) {
      ASSERT_EQ(values.at(i), static_cast<int>(task.task * 1000 + i)) << "task " << task.task;
    }
    return;
  }
  EXPECT_THAT(task.message, AllOf(HasSubstr(expected_words(reason)),
                                  HasSubstr("kernel mixed, grid (1,1,1), block size (64,1,1)")));
  if (reason == "out_of_bounds" || reason == "kernel_assert") {
    EXPECT_THAT(task.message, HasSubstr("block (0,0,0), thread ("));
  }
}

TEST(Faults, OfSomeTasksAreTheirOwnAndLeaveNothingBehind) {
  const ProcessCluster cluster({.nodes = 1, .cpu_devices = 2});
  ASSERT_TRUE(await_devices(cluster, 0, 1));
  const fastgpu::Client client = fastgpu::Client::open({.servers = {cluster.address(0)}}).value();
  // Compiled before: the short limit below is for endless kernels, not for the compiler.
  ASSERT_EQ(client.submit(job_of_tasks(3)).value().wait(patience).value(),
            fastgpu::JobState::succeeded);
  const Held before = held_by(cluster.pid(0));
  ASSERT_EQ(before.executors, 2u);

  const fastgpu::Job job = client.submit(job_of_tasks(tasks).time_limit(Seconds{2})).value();
  const fastgpu::JobResult result = job.result(Seconds{400}).value();
  ASSERT_EQ(result.tasks.size(), tasks);
  std::map<std::uint32_t, int> by_device;
  for (const fastgpu::TaskResult& task : result.tasks) {
    expect_right(task);
    ++by_device[task.device];
  }
  EXPECT_EQ(by_device.size(), 2u) << "both devices took part to the end";

  Held after;
  EXPECT_TRUE(await([&] {
    after = held_by(cluster.pid(0));
    return after.executors == before.executors && after.open_files <= before.open_files;
  })) << after.executors
      << " executors, " << after.open_files << " open files, " << before.open_files
      << " at the start";
  EXPECT_LE(after.arena_bytes, before.arena_bytes + (1u << 20));
  EXPECT_LE(after.executor_bytes, before.executor_bytes + (32u << 20));
}

}  // namespace
}  // namespace fastgpu::testing
