/// A thousand jobs of which every tenth is bad in a way of its own, on two devices of one node: the
/// good ones have their answers, the bad ones their own errors, and nothing is left behind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <ostream>
#include <sstream>

#include "client/fastgpu/client.hpp"
#include "tests/system/cluster_views.hpp"
#include "tests/system/fake_driver.hpp"

namespace fastgpu::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr unsigned jobs = 1000;
constexpr unsigned threads = 64;

// Of a hundred jobs five store out of bounds, two never end, two fail an assertion, and one takes
// more memory than there is: of its heap, if it is launched at all.
constexpr const char* source = R"(
#include <cassert>
__global__ void mixed(unsigned job, int* out, char* scratch) {
  const int i = threadIdx.x, fate = job % 100;
  __syncthreads();
  if (fate % 20 == 3 && i == 7) out[blockDim.x + 100] = 1;
  if (fate == 11 || fate == 61) while (*(volatile int*)out == 0) { }
  assert((fate != 27 && fate != 77) || i != 9);
  if (fate == 50)
    for (int k = 0; k < 100; ++k) *(volatile int*)malloc(1 << 20) = k;
  out[i] = job * 1000 + i;
}
)";

std::string expected_reason(unsigned job) {
  const unsigned fate = job % 100;
  return fate % 20 == 3             ? "out_of_bounds"
         : fate == 11 || fate == 61 ? "time_limit"
         : fate == 27 || fate == 77 ? "kernel_assert"
         : fate == 50               ? "cuda_out_of_memory"
                                    : "none";
}

/// What runs the kernels.
struct BackEnd {
  std::string name;
  std::string kind;     ///< as jobs ask for it
  std::string process;  ///< in the words of its executors
  ProcessClusterOptions cluster;
  /// Of a job that takes too much: what the device cannot give, or what it can and the kernel goes
  /// on to exhaust its heap.
  std::uint64_t scratch_bytes;
  std::map<std::string, std::string> words;  ///< that a message has, by its reason
};

std::ostream& operator<<(std::ostream& out, const BackEnd& back_end) {
  return out << back_end.name;
}

const char* const launch = "kernel mixed, grid (1,1,1), block size (64,1,1)";

BackEnd cpu_devices() {
  const std::string at = std::string(launch) + ", block (0,0,0), thread (";
  return {"cpu",
          "cpu",
          "--device cpu",
          {.nodes = 1, .cpu_devices = 2},
          64,
          {{"out_of_bounds",
            "out-of-bounds write of buffer argument 1 (256 bytes): 400 bytes past its end; " + at},
           {"time_limit", std::string("killed after 1 s (limit); ") + launch},
           {"kernel_assert", "at job.cu:8; " + at},
           {"cuda_out_of_memory", "malloc of 1048576 bytes gave null"}}};
}

/// Two of them, of which none gives more than 32 MiB.
BackEnd fake_gpus() {
  const ProcessClusterOptions cluster = node_with_fake_gpus(
      1, (fs::path(FASTGPU_TEST_FAKE_CUDA).parent_path() / "two_small_gpus.knobs").string());
  return {"gpu",
          "gpu",
          "--device cuda",
          cluster,
          64u << 20,
          {{"out_of_bounds", "CUDA_ERROR_ILLEGAL_ADDRESS (700)"},
           {"time_limit", std::string("killed after 1 s (limit); ") + launch},
           {"kernel_assert", "assertion failed: as faked at job.cu:"},
           {"cuda_out_of_memory",
            "the device gives no memory for buffer argument 2 (67108864 bytes)"}}};
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

Held held_by(pid_t node, const std::string& process) {
  Held held{0, open_files(node), shared_bytes(node, "fastgpu-arena"), 0};
  std::istringstream pids(
      run_command({"pgrep", "-P", std::to_string(node), "-f", "--", process}).out);
  for (pid_t pid = 0; pids >> pid;) {
    ++held.executors;
    held.executor_bytes += resident_bytes(pid);
  }
  return held;
}

fastgpu::JobSpec job_of(const BackEnd& back_end, unsigned number) {
  const std::string reason = expected_reason(number);
  fastgpu::JobSpec spec = fastgpu::JobSpec{}
                              .kernel("mixed")
                              .source(source)
                              .block(threads)
                              .arg(number)
                              .out(threads * sizeof(int))
                              .scratch(reason == "cuda_out_of_memory" ? back_end.scratch_bytes : 64)
                              .device(back_end.kind);
  // No good job has a limit that a busy machine could make too short.
  if (reason == "time_limit") {
    spec.time_limit(Seconds{1});
  }
  return spec;
}

void expect_right(const BackEnd& back_end, unsigned job, const fastgpu::TaskResult& task) {
  const std::string reason = expected_reason(job);
  ASSERT_EQ(task.reason, reason) << "job " << job << ": " << task.message;
  if (reason != "none") {
    EXPECT_THAT(task.message, HasSubstr(back_end.words.at(reason)));
    return;
  }
  const std::vector<int> values = task.outputs.at(0).as<int>();
  ASSERT_EQ(values.size(), threads);
  for (unsigned i = 0; i < threads; ++i) {
    ASSERT_EQ(values[i], static_cast<int>(job * 1000 + i)) << "job " << job;
  }
}

class Faults : public ::testing::TestWithParam<BackEnd> {};

TEST_P(Faults, OfSomeJobsAreTheirOwnAndLeaveNothingBehind) {
  const BackEnd& back_end = GetParam();
  const ProcessCluster cluster(back_end.cluster);
  ASSERT_TRUE(await([&] { return held_by(cluster.pid(0), back_end.process).executors == 2; }));
  const fastgpu::Client client = fastgpu::Client::open({.servers = {cluster.address(0)}}).value();
  // Compiled before: the time limit is for endless kernels, not for the compiler.
  const auto first = client.submit(job_of(back_end, 0)).value().result(patience).value();
  expect_right(back_end, 0, first.tasks.at(0));
  const Held before = held_by(cluster.pid(0), back_end.process);

  std::vector<fastgpu::Job> submitted;
  for (unsigned job = 0; job < jobs; ++job) {
    submitted.push_back(client.submit(job_of(back_end, job)).value());
  }
  std::map<std::uint32_t, int> by_device;
  for (unsigned job = 0; job < jobs; ++job) {
    const fastgpu::JobResult result = submitted[job].result(Seconds{400}).value();
    expect_right(back_end, job, result.tasks.at(0));
    ++by_device[result.tasks.at(0).device];
  }
  EXPECT_EQ(by_device.size(), 2u) << "both devices took part";

  Held after;
  EXPECT_TRUE(await([&] {
    after = held_by(cluster.pid(0), back_end.process);
    return after.executors == 2 && after.open_files <= before.open_files;
  })) << after.executors
      << " executors, " << after.open_files << " open files, " << before.open_files
      << " at the start";
  EXPECT_LE(after.arena_bytes, before.arena_bytes + (1u << 20));
  EXPECT_LE(after.executor_bytes, before.executor_bytes + (32u << 20));
}

INSTANTIATE_TEST_SUITE_P(Devices, Faults, ::testing::Values(cpu_devices(), fake_gpus()),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace fastgpu::testing
