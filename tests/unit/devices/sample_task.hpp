#pragma once

/// A sample kernel as a task of an executor.

#include "tests/support/kernels/sample_kernels.hpp"
#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {

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

inline ExecutorTask task_of(const testing::SampleKernel& sample) {
  ExecutorTask task;
  task.source = base::Bytes::copy_of(sample.source());
  task.kernel = sample.kernel;
  task.grid = sample.grid;
  task.block = sample.block;
  task.shared_bytes = sample.shared_bytes;
  for (const testing::SampleArgument& argument : sample.arguments)
    task.arguments.push_back(std::visit(ToArgument{}, argument));
  return task;
}

/// Runs it and compares with what the host computes.
inline void expect_right(Recorder& recorder, const testing::SampleKernel& sample,
                         bool precise = false) {
  ExecutorTask task = task_of(sample);
  task.precise = precise;
  const ExecutorResult result = recorder.run(std::move(task));
  ASSERT_EQ(result.reason, base::FailureReason::none) << result.message;
  std::vector<testing::SampleBytes> outputs;
  for (const base::Bytes& output : result.outputs)
    outputs.push_back(values_of<std::uint8_t>(output));
  sample.expect_right(outputs);
}

}  // namespace fastgpu::exec::test
