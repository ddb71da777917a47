// What the news about a node's GPUs become: words to their workers, sentences, ends of processes.

#include "node/daemon/gpu_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "runtime/exec/warden/process_table.hpp"

namespace fastgpu::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::uint32_t warden = 77;
const std::string gpu = "GPU-1";

exec::GpuSample sample() {
  exec::GpuSample sample;
  sample.uuid = gpu;
  sample.memory_used_bytes = 3;
  sample.memory_total_bytes = 8;
  sample.utilisation_percent = 87;
  sample.temperature_celsius = 61;
  sample.power_milliwatts = 312'000;
  sample.ecc_errors = 2;
  return sample;
}

/// Sleeps until it is killed, as a child of a process that is gone.
class Orphan {
 public:
  explicit Orphan(bool marked) {
    int numbers[2];
    EXPECT_EQ(pipe(numbers), 0);
    const pid_t between = fork();
    if (between == 0) {
      const pid_t child = fork();
      if (child == 0) {
        become(marked, numbers[1]);
      }
      _exit(0);
    }
    waitpid(between, nullptr, 0);
    EXPECT_EQ(read(numbers[0], &process_, sizeof(process_)), sizeof(process_));
    close(numbers[0]);
    close(numbers[1]);
    descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, process_, 0));
    EXPECT_GE(descriptor_, 0);
  }
  Orphan(const Orphan&) = delete;
  Orphan& operator=(const Orphan&) = delete;
  ~Orphan() {
    kill(process_, SIGKILL);
    close(descriptor_);
  }

  pid_t process() const { return process_; }
  /// Waits for its end.
  bool is_ended() const {
    pollfd end{descriptor_, POLLIN, 0};
    return poll(&end, 1, 30'000) == 1;
  }

 private:
  [[noreturn]] static void become(bool marked, int numbers) {
    if (marked) {
      const rlim_t limit = exec::to_limit({warden, 5});
      const rlimit mark{limit, limit};
      setrlimit(RLIMIT_RTTIME, &mark);
    }
    const pid_t self = getpid();
    if (write(numbers, &self, sizeof(self)) == sizeof(self)) {
      for (;;) {
        pause();
      }
    }
    _exit(1);
  }

  pid_t process_{0};
  int descriptor_{-1};  ///< of the process
};

class Guard : public ::testing::Test {
 protected:
  std::vector<std::pair<std::string, GpuWord>> words_;
  std::vector<std::string> said_;
  GpuGuard guard_{
      {{gpu},
       {warden},
       [this](const std::string& uuid, const GpuWord& word) { words_.emplace_back(uuid, word); },
       [this](const std::string& what) { said_.push_back(what); }}};
};

TEST_F(Guard, ASampleBecomesTheTelemetryOfTheWorkersDeviceWithTheLastXid) {
  guard_.hear(exec::GpuXid{gpu, 13});
  guard_.hear(sample());
  EXPECT_THAT(words_, ElementsAre(std::pair<std::string, GpuWord>{
                          gpu, protocol::DeviceTelemetry{3, 87, 61, 312'000, 2, 13, ""}}));
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(Guard, WhatSpeaksAgainstADeviceGoesToItsWorker) {
  guard_.hear(exec::GpuXid{gpu, 79});
  exec::GpuSample lost;
  lost.uuid = gpu;
  lost.lost = true;
  guard_.hear(lost);
  EXPECT_THAT(words_, ElementsAre(
                          std::pair<std::string, GpuWord>{
                              gpu, worker::DeviceAccused{"its driver reported Xid 79"}},
                          std::pair<std::string, GpuWord>{
                              gpu, worker::DeviceAccused{"its driver cannot reach it any more"}}));
}

TEST_F(Guard, AnothersDeviceIsNoneOfItsBusiness) {
  guard_.hear(exec::GpuXid{"GPU-2", 79});
  exec::GpuSample other = sample();
  other.uuid = "GPU-2";
  guard_.hear(other);
  guard_.hear(exec::GpuProcesses{"GPU-2", {{1, 5}}});
  EXPECT_THAT(words_, IsEmpty());
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(Guard, SaysThatNothingIsWatched) {
  guard_.hear(exec::GpuWatchTrouble{"there is no NVML"});
  EXPECT_THAT(said_, ElementsAre("the GPUs' health is not watched: there is no NVML"));
}

TEST_F(Guard, WhatRunsBelowTheNodeIsItsOwnAndAnothersProcessIsOnlyTold) {
  const exec::GpuProcesses use{gpu, {{getpid(), 5}, {1, 7}}};
  guard_.hear(use);
  EXPECT_THAT(words_, ElementsAre(std::pair<std::string, GpuWord>{gpu, use}));
  EXPECT_THAT(said_, ElementsAre(StartsWith("process 1 (")));
}

TEST_F(Guard, EndsWhatACommandOfThisNodeHasLeftAndNothingElse) {
  const Orphan marked(true);
  const Orphan plain(false);
  guard_.hear(exec::GpuProcesses{gpu, {{marked.process(), 5}, {plain.process(), 5}}});
  EXPECT_TRUE(marked.is_ended());
  EXPECT_EQ(kill(plain.process(), 0), 0);
  EXPECT_THAT(said_, SizeIs(2));
}

}  // namespace
}  // namespace fastgpu::node
