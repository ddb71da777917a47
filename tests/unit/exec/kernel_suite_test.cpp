// The kernels of tests/data/kernels through a real executor process, each against a host reference.

#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

class KernelSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    recorder_ = new Recorder(make_process_executor(cpu_options()));
    recorder_->await_ready();
  }
  static void TearDownTestSuite() {
    delete recorder_;
    recorder_ = nullptr;
  }
  static ExecutorResult run(ExecutorTask task) { return recorder_->run(std::move(task)); }
  static Recorder* recorder_;
};
Recorder* KernelSuite::recorder_ = nullptr;

TEST_F(KernelSuite, RunsSaxpy) {
  const int n = 1000;
  std::vector<float> x(n), y(n);
  for (int i = 0; i < n; ++i) {
    x[i] = static_cast<float>(i);
    y[i] = 1;
  }
  ExecutorTask task;
  task.source = kernel_file("saxpy.cu");
  task.kernel = "saxpy";
  task.grid = {8, 1, 1};
  task.block = {128, 1, 1};
  task.arguments = {ExecutorArgument::i32(n), ExecutorArgument::f32(2.0f),
                    ExecutorArgument::in(bytes_of(x)), ExecutorArgument::inout(bytes_of(y))};
  const ExecutorResult result = run(task);
  ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
  ASSERT_EQ(result.outputs.size(), 1u);
  const auto out = values_of<float>(result.outputs[0]);
  ASSERT_EQ(out.size(), static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i)
    ASSERT_EQ(out[i], 2.0f * x[i] + 1.0f) << i;
}

}  // namespace
}  // namespace fastgpu::exec::test
