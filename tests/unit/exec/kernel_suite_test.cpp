// The kernels of tests/data/kernels through a real executor process, each against the host.

#include "tests/support/kernels/sample_kernels.hpp"
#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {
namespace {

using testing::SampleKernel;

struct ToArgument {
  ExecutorArgument operator()(std::int32_t value) const { return ExecutorArgument::i32(value); }
  ExecutorArgument operator()(std::uint64_t value) const { return ExecutorArgument::u64(value); }
  ExecutorArgument operator()(float value) const { return ExecutorArgument::f32(value); }
  ExecutorArgument operator()(const testing::SampleIn& buffer) const {
    return ExecutorArgument::in(bytes_of(buffer.data));
  }
  ExecutorArgument operator()(const testing::SampleInOut& buffer) const {
    return ExecutorArgument::inout(bytes_of(buffer.data));
  }
  ExecutorArgument operator()(const testing::SampleOut& buffer) const {
    return ExecutorArgument::out(buffer.size_bytes);
  }
  ExecutorArgument operator()(const testing::SampleScratch& buffer) const {
    return ExecutorArgument::scratch(buffer.size_bytes);
  }
};

class KernelSuite : public ::testing::TestWithParam<SampleKernel> {
 protected:
  static void SetUpTestSuite() {
    recorder_ = new Recorder(make_process_executor(cpu_options()));
    recorder_->await_ready();
  }
  static void TearDownTestSuite() {
    delete recorder_;
    recorder_ = nullptr;
  }
  static void expect_right(const SampleKernel& sample, bool precise = false) {
    ExecutorTask task;
    task.source = base::Bytes::copy_of(sample.source());
    task.kernel = sample.kernel;
    task.grid = sample.grid;
    task.block = sample.block;
    task.shared_bytes = sample.shared_bytes;
    for (const testing::SampleArgument& argument : sample.arguments)
      task.arguments.push_back(std::visit(ToArgument{}, argument));
    task.precise = precise;
    const ExecutorResult result = recorder_->run(std::move(task));
    ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
    std::vector<testing::SampleBytes> outputs;
    for (const base::Bytes& output : result.outputs)
      outputs.push_back(values_of<std::uint8_t>(output));
    sample.expect_right(outputs);
  }
  static Recorder* recorder_;
};
Recorder* KernelSuite::recorder_ = nullptr;

TEST_P(KernelSuite, AgreesWithTheHost) {
  expect_right(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Sample, KernelSuite, ::testing::ValuesIn(testing::sample_kernels()),
                         [](const auto& made) { return made.param.test_name(); });

TEST_F(KernelSuite, RunsALoopAlsoAsFibres) {
  expect_right(testing::sample_kernel("saxpy"), true);
}

TEST_F(KernelSuite, HasDeviceVariablesFreshEachTime) {
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    expect_right(testing::sample_kernel("last_block"));
  }
}

}  // namespace
}  // namespace fastgpu::exec::test
