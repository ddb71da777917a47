// The kernels of tests/data/kernels as jobs: through the public client library, on the CPU devices
// of a cluster, each against the host.

#include <gtest/gtest.h>

#include "client/results.hpp"
#include "fastgpu/client.hpp"
#include "node/embedded/embedded_cluster.hpp"
#include "runtime/base/limits.hpp"
#include "tests/support/kernels/sample_kernels.hpp"

namespace fastgpu {
namespace {

using fastgpu::testing::SampleKernel;
using std::chrono::minutes;
using std::chrono::seconds;

/// The same job in two tasks: each must find its buffers and the module's variables as new.
constexpr std::uint32_t tasks = 2;

struct AddArgument {
  JobSpec& spec;
  void operator()(std::int32_t value) const { spec.arg(value); }
  void operator()(std::uint64_t value) const { spec.arg(value); }
  void operator()(float value) const { spec.arg(value); }
  void operator()(const fastgpu::testing::SampleIn& buffer) const { spec.in(buffer.data); }
  void operator()(const fastgpu::testing::SampleInOut& buffer) const { spec.inout(buffer.data); }
  void operator()(const fastgpu::testing::SampleOut& buffer) const { spec.out(buffer.size_bytes); }
  void operator()(const fastgpu::testing::SampleScratch& buffer) const {
    spec.scratch(buffer.size_bytes);
  }
};

JobSpec job_of(const SampleKernel& sample) {
  JobSpec spec;
  spec.kernel(sample.kernel).source(sample.source()).shared(sample.shared_bytes).tasks(tasks);
  spec.grid(sample.grid[0], sample.grid[1], sample.grid[2]);
  spec.block(sample.block[0], sample.block[1], sample.block[2]);
  for (const auto& argument : sample.arguments) {
    std::visit(AddArgument{spec}, argument);
  }
  spec.device("cpu");
  return spec;
}

/// What is too large for a record must not travel in it.
void expect_small_or_object(const protocol::Data& data, std::size_t inline_bytes_max) {
  if (const auto* bytes = std::get_if<base::Bytes>(&data)) {
    EXPECT_LE(bytes->size(), inline_bytes_max);
  }
}

class KernelJobs : public ::testing::TestWithParam<SampleKernel> {
 protected:
  static void SetUpTestSuite() {
    node::EmbeddedOptions options;
    options.nodes = 2;
    options.start_limit = seconds(120);
    auto started = node::EmbeddedCluster::start(options);
    ASSERT_TRUE(started.ok()) << started.error().message;
    cluster_ = std::move(started).value();
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  /// Looks behind the public library at how the job's data went.
  static void expect_large_data_in_objects(JobId id) {
    const auto connection =
        client::Connection::open({cluster_->addresses(), "test", cluster_->credentials()});
    ASSERT_TRUE(connection.ok());
    const auto detail =
        client::fetch_detail(*connection.value(), {id.value}, client::in(minutes(2)));
    ASSERT_TRUE(detail.ok()) << detail.error().message;
    for (const protocol::Argument& argument : detail.value().spec->kernel.arguments) {
      if (const auto* buffer = std::get_if<protocol::BufferArgument>(&argument)) {
        for (const protocol::Data& data : buffer->data) {
          expect_small_or_object(data, base::limits::inline_data_bytes_max);
        }
      }
    }
    for (const protocol::TaskReport& report : detail.value().reports) {
      for (const protocol::Data& data : report.outcome.outputs) {
        expect_small_or_object(data, base::limits::inline_output_bytes_max);
      }
    }
  }

  static std::unique_ptr<node::EmbeddedCluster> cluster_;
};

std::unique_ptr<node::EmbeddedCluster> KernelJobs::cluster_;

TEST_P(KernelJobs, GiveTheAnswerOfTheHost) {
  const Client client = Client::open({.credentials = cluster_->credentials()}).value();
  const Job submitted = client.submit(job_of(GetParam())).value();
  const JobResult result = submitted.result(minutes(2)).value();
  ASSERT_EQ(result.tasks.size(), std::size_t{tasks});
  for (const TaskResult& task : result.tasks) {
    SCOPED_TRACE("task " + std::to_string(task.task) + " on " + task.node);
    ASSERT_EQ(task.state, JobState::succeeded) << task.reason << ": " << task.message;
    std::vector<Bytes> outputs;
    for (const Output& output : task.outputs) {
      outputs.push_back(output.data);
    }
    GetParam().expect_right(outputs);
  }
  expect_large_data_in_objects(submitted.id());
}

INSTANTIATE_TEST_SUITE_P(Sample, KernelJobs, ::testing::ValuesIn(testing::sample_kernels()),
                         [](const auto& made) { return made.param.test_name(); });

}  // namespace
}  // namespace fastgpu
