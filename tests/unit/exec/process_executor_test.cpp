// The promise of the Executor port, by each implementation, and what only the process has.

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;
using base::FailureReason;

ExecutorTask small_task(TaskToken token) {
  ExecutorTask task;
  task.token = token;
  task.source = base::Bytes::copy_of("__global__ void k(int* p) { *p = 1; }");
  task.kernel = "k";
  task.arguments = {Argument::out(4)};
  return task;
}

struct Kind {
  const char* name;
  std::unique_ptr<Executor> (*make)();
};

class AnyExecutor : public ::testing::TestWithParam<Kind> {};

TEST_P(AnyExecutor, IsReadyThenEndsEachTaskOnce) {
  Recorder recorder(GetParam().make());
  EXPECT_FALSE(recorder.await_ready().device.model.empty());
  std::vector<TaskToken> tokens;
  for (int i = 0; i < 50; ++i) {
    tokens.push_back(recorder.next_token());
    ASSERT_TRUE(recorder.executor().submit(small_task(tokens.back()))) << i;
  }
  for (const TaskToken token : tokens) {
    const ExecutorResult result = recorder.await_done(token);
    EXPECT_EQ(result.reason, FailureReason::none) << result.message;
    EXPECT_EQ(result.outputs.size(), 1u);
  }
  EXPECT_EQ(recorder.unread_results(), 0u);
}

TEST_P(AnyExecutor, ComesBackAfterAKill) {
  Recorder recorder(GetParam().make());
  recorder.await_ready();
  recorder.executor().kill("a test");
  EXPECT_EQ(recorder.await_died().reason, "killed: a test");
  recorder.await_ready();
  EXPECT_EQ(recorder.run(small_task({})).reason, FailureReason::none);
}

TEST_P(AnyExecutor, CanBeDestroyedAtAnyTime) {
  { Recorder at_once(GetParam().make()); }
  Recorder recorder(GetParam().make());
  recorder.await_ready();
  EXPECT_TRUE(recorder.executor().submit(small_task(recorder.next_token())));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, AnyExecutor,
    ::testing::Values(Kind{"null", [] { return make_process_executor(null_options()); }},
                      Kind{"cpu", [] { return make_process_executor(cpu_options()); }}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(ProcessExecutor, TellsThatAKernelIsMadeAndWhenItRunsAndNothingOfOneThatIsThere) {
  Recorder recorder(make_process_executor(cpu_options()));
  recorder.await_ready();
  ExecutorTask task = small_task(recorder.next_token());
  task.source = base::Bytes::copy_of("__global__ void k(int* p) { *p = 2; }  // made once");
  const TaskToken first = task.token;
  EXPECT_EQ(recorder.run(task).reason, FailureReason::none);
  EXPECT_EQ(recorder.makings(), (std::vector<ExecutorMaking>{{first, false}, {first, true}}));
  task.token = recorder.next_token();
  EXPECT_EQ(recorder.run(task).reason, FailureReason::none);
  EXPECT_EQ(recorder.makings().size(), 2u);
}

TEST(ProcessExecutor, DescribesTheDevice) {
  Recorder recorder(make_process_executor(cpu_options()));
  const DeviceDescription device = recorder.await_ready().device;
  EXPECT_EQ(device.kind, DeviceKind::cpu);
  EXPECT_EQ(device.threads, 2u);
  EXPECT_GT(device.memory_bytes, 0u);
  EXPECT_NE(device.uuid.find("-0"), std::string::npos);
}

TEST(ProcessExecutor, SaysNoUntilReadyAndWhenTheWindowIsFull) {
  ProcessExecutorOptions options = cpu_options();
  options.window = 2;
  auto executor = make_process_executor(options);
  EXPECT_FALSE(executor->submit(small_task({1})));
  Recorder recorder(std::move(executor));
  recorder.await_ready();
  ExecutorTask slow = small_task(recorder.next_token());
  slow.source = base::Bytes::copy_of("__global__ void k(volatile int* p) { while (*p == 0) {} }");
  ASSERT_TRUE(recorder.executor().submit(slow));
  slow.token = recorder.next_token();
  ASSERT_TRUE(recorder.executor().submit(slow));
  EXPECT_FALSE(recorder.executor().submit(small_task(recorder.next_token())));
  recorder.executor().kill("done with it");
  EXPECT_EQ(recorder.await_died().in_flight.size(), 2u);
}

TEST(ProcessExecutor, AnOversizedTaskFailsWithNumbers) {
  ProcessExecutorOptions options = null_options();
  options.arena_bytes = 1 << 20;
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  ExecutorTask task = small_task({});
  task.arguments = {Argument::out(2 << 20)};
  const ExecutorResult result = recorder.run(task);
  EXPECT_EQ(result.reason, FailureReason::cuda_out_of_memory);
  EXPECT_NE(result.message.find("1048576"), std::string::npos) << result.message;
  task.arguments[0] = Argument::out(~0ull);
  task.token = {};
  EXPECT_EQ(recorder.run(task).reason, FailureReason::cuda_out_of_memory);
  EXPECT_EQ(recorder.run(small_task({})).reason, FailureReason::none);
}

TEST(ProcessExecutor, BuffersBeyondTheDevicesMemoryFailWithNumbers) {
  ProcessExecutorOptions options = cpu_options();
  options.memory_bytes = 1 << 20;
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  ExecutorTask task = small_task({});
  task.arguments = {Argument::scratch(2 << 20)};
  const ExecutorResult result = recorder.run(task);
  EXPECT_EQ(result.reason, FailureReason::cuda_out_of_memory);
  EXPECT_EQ(result.message, "the buffers need 2097152 bytes, the device has 1048576");
}

TEST(ProcessExecutor, VariablesBeyondTheDevicesMemoryFailWithNumbers) {
  ProcessExecutorOptions options = cpu_options();
  options.memory_bytes = 1 << 20;
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  ExecutorTask task = small_task({});
  task.source = base::Bytes::copy_of(
      "__device__ char large[2 << 20]; __global__ void k(int* p) { large[*p] = 1; *p = large[7]; "
      "}");
  const ExecutorResult result = recorder.run(task);
  EXPECT_EQ(result.reason, FailureReason::cuda_out_of_memory);
  EXPECT_NE(result.message.find("the buffers need 4 bytes and the source's variables 2"),
            std::string::npos)
      << result.message;
}

TEST(ProcessExecutor, TooManyArgumentsAreRefused) {
  Recorder recorder(make_process_executor(null_options()));
  recorder.await_ready();
  ExecutorTask task = small_task({});
  task.arguments.assign(65, Argument::i32(0));
  EXPECT_EQ(recorder.run(task).reason, FailureReason::bad_argument);
}

TEST(ProcessExecutor, AFullArenaSaysNoAndServesLater) {
  ProcessExecutorOptions options = null_options();
  options.arena_bytes = 4 << 20;
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  ExecutorTask task = small_task({});
  task.arguments = {Argument::out(3 << 20)};
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(recorder.run(task).reason, FailureReason::none);
}

TEST(ProcessExecutor, TellsThatTheProgramIsMissingAndKeepsTrying) {
  ProcessExecutorOptions options = cpu_options();
  options.program = "/nonexistent/fastgpu-executor";
  options.restart_pause_ms = 1;
  Recorder recorder(make_process_executor(options));
  const ExecutorDied died = recorder.await_died();
  EXPECT_NE(died.reason.find("/nonexistent/fastgpu-executor"), std::string::npos) << died.reason;
  recorder.await_died();
}

TEST(ProcessExecutor, ReportsAForeignKillWithWhatWasRunning) {
  Recorder recorder(make_process_executor(cpu_options()));
  recorder.await_ready();
  ExecutorTask task = small_task(recorder.next_token());
  task.source =
      base::Bytes::copy_of("extern \"C\" int raise(int);\n__global__ void k(int* p) { raise(9); }");
  ASSERT_TRUE(recorder.executor().submit(task));
  const ExecutorDied died = recorder.await_died();
  EXPECT_EQ(died.reason, "signal 9 SIGKILL");
  EXPECT_EQ(died.in_flight, std::vector<TaskToken>{task.token});
  EXPECT_EQ(died.running, task.token);
  EXPECT_FALSE(died.charged);
  recorder.await_ready();
}

/// The children of a process, by /proc.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> result;
  for (const auto& item : std::filesystem::directory_iterator("/proc")) {
    std::ifstream stat(item.path() / "stat");
    std::string line;
    if (!std::getline(stat, line))
      continue;
    std::istringstream fields(line.substr(line.rfind(')') + 2));
    std::string state;
    pid_t father = 0;
    fields >> state >> father;
    if (father == parent && state != "Z")
      result.push_back(static_cast<pid_t>(std::stol(item.path().filename())));
  }
  return result;
}

TEST(ProcessExecutor, TheChildDiesWithANodeThatIsKilled) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const ProcessExecutorOptions options = null_options();  // its folder is removed here
  const pid_t node = fork();
  if (node == 0) {
    auto executor = make_process_executor(options);
    executor->start([&ready](const ExecutorEvent& event) {
      if (std::holds_alternative<ExecutorReady>(event)) [[maybe_unused]]
        const ssize_t told = write(ready[1], "r", 1);
    });
    for (;;)
      ::pause();
  }
  close(ready[1]);
  char letter = 0;
  ASSERT_EQ(read(ready[0], &letter, 1), 1);
  const auto children = children_of(node);
  ASSERT_EQ(children.size(), 1u);
  ::kill(node, SIGKILL);
  ASSERT_EQ(waitpid(node, nullptr, 0), node);
  // The executor inherited nothing of the pipe, so only /proc tells; a deadline that only matters
  // on failure.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  const std::string process = "/proc/" + std::to_string(children[0]) + "/stat";
  bool gone = false;
  while (!gone && std::chrono::steady_clock::now() < deadline) {
    std::ifstream stat(process);
    std::string line;
    gone = !std::getline(stat, line) || line.find(") Z") != std::string::npos;
    if (!gone)
      sched_yield();
  }
  EXPECT_TRUE(gone);
  close(ready[0]);
}

/// Whether a process works in a folder below this one.
bool somebody_works_in(const std::string& folder) {
  for (const auto& item : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    const auto place = std::filesystem::read_symlink(item.path() / "cwd", error);
    if (!error && place.string().starts_with(folder))
      return true;
  }
  return false;
}

TEST(ProcessExecutor, AKillEndsTheCompilerToo) {
  const TemporaryFolder folder;
  ProcessExecutorOptions options = cpu_options();
  options.cache_folder = folder.path();
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  ExecutorTask task = small_task(recorder.next_token());
  task.source = base::Bytes::copy_of(  // two to the power of thirty instantiations
      "template <int N, int M> struct S { static constexpr int v = S<N - 1, 2 * M>::v + S<N - 1, 2 "
      "* M + 1>::v; }; template <int M> struct S<0, M> { static constexpr int v = M; };\n"
      "__global__ void k(int* p) { *p = S<24, 0>::v; }");
  ASSERT_TRUE(recorder.executor().submit(task));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!somebody_works_in(folder.path()) && std::chrono::steady_clock::now() < deadline)
    sched_yield();
  recorder.executor().kill("cancelled");
  EXPECT_EQ(recorder.await_died().in_flight, std::vector<TaskToken>{task.token});
  while (somebody_works_in(folder.path()) && std::chrono::steady_clock::now() < deadline)
    sched_yield();
  EXPECT_FALSE(somebody_works_in(folder.path()));
}

/// As one does that waits in a driver for its device: killed, and still there.
class HangingProcess {
 public:
  HangingProcess() { kill_ = std::make_shared<std::atomic<bool>>(false); }
  SendKill send_kill() const {
    return [kill = kill_](pid_t pid) {
      if (*kill)
        ::kill(pid, SIGKILL);
    };
  }
  void let_it_go() const { *kill_ = true; }

 private:
  std::shared_ptr<std::atomic<bool>> kill_;
};

TEST(ChildProcess, ThatDoesNotEndIsWaitedForNoLongerThanIsSaid) {
  const HangingProcess hanging;
  ChildProcess child(hanging.send_kill());
  ASSERT_TRUE(child.start({"/bin/sleep", "1000"}, {}).ok());
  EXPECT_EQ(child.end_within(std::chrono::milliseconds(20)), std::nullopt);
  EXPECT_TRUE(child.running());
  hanging.let_it_go();
  EXPECT_EQ(child.end_within(patience), "signal 9 SIGKILL");
  EXPECT_FALSE(child.running());
}

TEST(ProcessExecutor, WhoseChildHangsGivesItsTasksBackAndStartsNoOtherBesideIt) {
  const HangingProcess hanging;
  ProcessExecutorOptions options = cpu_options();
  options.send_kill = hanging.send_kill();
  options.end_limit_ms = 20;
  options.restart_pause_max_ms = 20;
  Recorder recorder(make_process_executor(options));
  recorder.await_ready();
  ExecutorTask task = small_task(recorder.next_token());
  task.source =
      base::Bytes::copy_of("__global__ void k(int* p) { while (*(volatile int*)p == 0) {} }");
  ASSERT_TRUE(recorder.executor().submit(task));
  recorder.executor().kill("time limit");
  const ExecutorDied died = recorder.await_died();
  EXPECT_TRUE(died.reason.starts_with("killed: time limit; process ")) << died.reason;
  EXPECT_TRUE(died.reason.ends_with(" was killed and does not end")) << died.reason;
  EXPECT_EQ(died.in_flight, std::vector<TaskToken>{task.token});
  for (int round = 0; round < 2; ++round) {
    const std::string reason = recorder.await_died().reason;
    EXPECT_TRUE(reason.starts_with("the executor cannot start: the process before it, "));
    EXPECT_TRUE(reason.ends_with(", hangs in the host's kernel")) << reason;
  }
  hanging.let_it_go();
  recorder.await_ready();
  EXPECT_EQ(recorder.run(small_task({})).reason, FailureReason::none);
}

}  // namespace
}  // namespace fastgpu::exec::test
