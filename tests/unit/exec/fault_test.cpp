// Kernels that misbehave, through a real executor process: what the user is told, and that the next
// task runs.

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using Argument = ExecutorArgument;
using base::FailureReason;

ExecutorTask faulty(const std::string& body, bool precise = false) {
  ExecutorTask task;
  task.source = base::Bytes::copy_of(
      "__global__ void k(int* p, int n) {\n  int i = blockIdx.x * "
      "blockDim.x + threadIdx.x;\n  " +
      body + "\n}\n");
  task.kernel = "k";
  task.grid = {4, 1, 1};
  task.block = {256, 1, 1};
  task.arguments = {Argument::out(1000 * sizeof(int)), Argument::i32(0)};
  task.precise = precise;
  return task;
}

class Fault : public ::testing::Test {
 protected:
  Fault() : recorder_(make_process_executor(cpu_options())) { recorder_.await_ready(); }

  /// Runs a task that ends the process, sees that it comes back and still works.
  ExecutorResult crash(ExecutorTask task) {
    ExecutorResult result = recorder_.run(std::move(task));
    const ExecutorDied died = recorder_.await_died();
    EXPECT_TRUE(died.in_flight.empty());
    EXPECT_EQ(died.reason, "exit code 86");
    EXPECT_TRUE(died.charged);
    EXPECT_TRUE(died.proven);
    recorder_.await_ready();
    EXPECT_EQ(recorder_.run(faulty("if (i < 1000) p[i] = i;")).reason, FailureReason::none);
    return result;
  }
  Recorder recorder_;
};

TEST_F(Fault, NamesBufferBlockAndThreadOfAWildWriteInFibres) {
  const ExecutorResult result = crash(faulty("__syncthreads(); p[i] = i;"));
  EXPECT_EQ(result.reason, FailureReason::out_of_bounds);
  EXPECT_NE(result.message.find("out-of-bounds write of buffer argument 0 (4000 bytes): 0 bytes "
                                "past its end; kernel k, grid (4,1,1), block size (256,1,1), block "
                                "(3,0,0), thread (232,0,0)"),
            std::string::npos)
      << result.message;
}

TEST_F(Fault, NamesTheBlocksInLoopModeAndTheThreadWhenPrecise) {
  const ExecutorResult loop = crash(faulty("p[i + 4096] = i;"));
  EXPECT_EQ(loop.reason, FailureReason::out_of_bounds);
  EXPECT_NE(loop.message.find("precise=true"), std::string::npos) << loop.message;
  const ExecutorResult precise = crash(faulty("p[i] = i;", true));
  EXPECT_NE(precise.message.find("block (3,0,0), thread (232,0,0)"), std::string::npos)
      << precise.message;
}

TEST_F(Fault, SeesAReadBeforeTheBegin) {
  const ExecutorResult result = crash(faulty("p[0] = p[i - 2000];", true));
  EXPECT_EQ(result.reason, FailureReason::out_of_bounds);
  EXPECT_NE(result.message.find("out-of-bounds read of buffer argument 0 (4000 bytes): 8000 bytes "
                                "before its begin"),
            std::string::npos)
      << result.message;
}

TEST_F(Fault, TellsANullPointer) {
  const ExecutorResult result = crash(faulty("if (i == 519) *(volatile int*)0 = 1;", true));
  EXPECT_EQ(result.reason, FailureReason::out_of_bounds);
  EXPECT_NE(result.message.find("write through a null pointer"), std::string::npos);
  EXPECT_NE(result.message.find("block (2,0,0), thread (7,0,0)"), std::string::npos);
}

TEST_F(Fault, QuotesAFailedAssertWithItsLine) {
  const ExecutorResult result = crash(faulty("assert(i < 900);"));
  EXPECT_EQ(result.reason, FailureReason::kernel_assert);
  EXPECT_NE(result.message.find("assertion failed: i < 900 at job.cu:3"), std::string::npos)
      << result.message;
}

TEST_F(Fault, TellsADivisionByZero) {
  const ExecutorResult result = crash(faulty("p[i % 1000] = i / n;"));
  EXPECT_EQ(result.reason, FailureReason::executor_crash);
  EXPECT_NE(result.message.find("division by zero"), std::string::npos) << result.message;
}

TEST_F(Fault, BlamesAKernelThatEndsTheProcess) {
  ExecutorTask task = faulty("if (i == 0) abort();");
  task.source =
      base::Bytes::copy_of("extern \"C\" void abort();\n" + std::string(task.source.text()));
  const ExecutorResult result = recorder_.run(task);
  EXPECT_EQ(result.reason, FailureReason::executor_crash);
  EXPECT_EQ(result.message,
            "the kernel ended the executor process; kernel k, grid (4,1,1), block size (256,1,1) "
            "(signal 6 SIGABRT)");
  const ExecutorDied died = recorder_.await_died();
  EXPECT_TRUE(died.in_flight.empty());
  EXPECT_TRUE(died.charged);
  EXPECT_FALSE(died.proven) << "a broken device could have done the same";
  recorder_.await_ready();
}

TEST_F(Fault, TellsAStackThatOverflowed) {
  const ExecutorResult result =
      crash(faulty("volatile char a[300 << 10]; a[i] = 1; __syncthreads(); p[0] = a[i];", true));
  EXPECT_EQ(result.reason, FailureReason::cuda_out_of_memory);
  EXPECT_NE(result.message.find("more than 262144 bytes"), std::string::npos) << result.message;
}

TEST_F(Fault, TellsThatSharedMemoryWasForgotten) {
  const ExecutorResult result =
      crash(faulty("extern __shared__ int s[]; s[threadIdx.x] = i; __syncthreads(); p[0] = s[0];"));
  EXPECT_EQ(result.reason, FailureReason::out_of_bounds);
  EXPECT_NE(result.message.find("out-of-bounds write beyond the block's dynamic shared memory, of "
                                "which the job asked 0 bytes"),
            std::string::npos)
      << result.message;
}

TEST_F(Fault, SeesAWriteIntoTheLastFewBytesBesideABuffer) {
  ExecutorTask task = faulty("if (i == 0) ((char*)p)[1001] = 1;");
  task.arguments[0] = Argument::out(1001);
  const ExecutorResult result = recorder_.run(task);
  EXPECT_EQ(result.reason, FailureReason::out_of_bounds);
  EXPECT_EQ(result.message,
            "the kernel wrote 1 bytes past the end of buffer argument 0 (1001 bytes)");
}

TEST_F(Fault, TellsThatTheHeapOfTheTaskIsExhausted) {
  ExecutorTask task = faulty(
      "if (i == 0) for (int j = 0; j < 64; ++j) { volatile int* piece = new int[1 << 18]; "
      "piece[j] = j; p[j] += piece[j]; }");
  const ExecutorResult result = crash(task);
  EXPECT_EQ(result.reason, FailureReason::cuda_out_of_memory);
  EXPECT_NE(result.message.find("malloc of 1048576 bytes gave null, since 7340256 of the 8388608 "
                                "bytes"),
            std::string::npos)
      << result.message;
}

TEST_F(Fault, ReportsADeadlockWithoutDying) {
  const ExecutorResult result =
      recorder_.run(faulty("if (threadIdx.x < 32) __shfl_sync(0xffffffff, threadIdx.x == 5 ? "
                           "(__syncthreads(), 1) : 1, 0);"));
  EXPECT_EQ(result.reason, FailureReason::barrier_deadlock);
  EXPECT_NE(result.message.find("wait at a barrier that the others never reach"), std::string::npos)
      << result.message;
  EXPECT_EQ(recorder_.run(faulty("__syncthreads(); if (i < 1000) p[i] = i;")).reason,
            FailureReason::none);
}

TEST_F(Fault, AWarpBarrierWithDifferentMasksIsADeadlock) {
  const ExecutorResult result =
      recorder_.run(faulty("__syncwarp(threadIdx.x % 2 ? 0xffffffffu : 0x55555555u | 2u);"));
  EXPECT_EQ(result.reason, FailureReason::barrier_deadlock) << result.message;
}

TEST_F(Fault, HandsBackTheOthersWhenOneCrashes) {
  // The crashing one goes first and is slow to crash, so that the others wait behind it.
  ExecutorTask warm = faulty("if (i < 1000) p[i] = i;");
  ASSERT_EQ(recorder_.run(warm).reason, FailureReason::none);
  ExecutorTask crasher =
      faulty("for (volatile int k = 0; k < 30000000; ++k) {}\n  p[i + 4096] = 1;", true);
  crasher.grid = {1, 1, 1};
  crasher.block = {1, 1, 1};
  ExecutorTask benign = crasher;
  benign.arguments[0] = Argument::out(64 << 10);
  ASSERT_EQ(recorder_.run(benign).reason, FailureReason::none);  // now it is compiled
  crasher.token = recorder_.next_token();
  std::vector<TaskToken> others;
  ASSERT_TRUE(recorder_.executor().submit(crasher));
  for (int i = 0; i < 3; ++i) {
    warm.token = recorder_.next_token();
    others.push_back(warm.token);
    ASSERT_TRUE(recorder_.executor().submit(warm));
  }
  EXPECT_EQ(recorder_.await_done(crasher.token).reason, FailureReason::out_of_bounds);
  const ExecutorDied died = recorder_.await_died();
  EXPECT_EQ(died.in_flight, others);
  EXPECT_EQ(died.running, std::nullopt);
  recorder_.await_ready();
  EXPECT_EQ(recorder_.unread_results(), 0u);
}

TEST_F(Fault, AnEndlessKernelCanBeKilled) {
  ExecutorTask task = faulty("volatile int* q = p; while (q[0] == 0) {}");
  task.token = recorder_.next_token();
  ASSERT_TRUE(recorder_.executor().submit(task));
  recorder_.executor().kill("time limit");
  const ExecutorDied died = recorder_.await_died();
  EXPECT_EQ(died.reason, "killed: time limit");
  EXPECT_EQ(died.in_flight, std::vector<TaskToken>{task.token});
  recorder_.await_ready();
  EXPECT_EQ(recorder_.run(faulty("if (i < 1000) p[i] = i;")).reason, FailureReason::none);
}

}  // namespace
}  // namespace fastgpu::exec::test
