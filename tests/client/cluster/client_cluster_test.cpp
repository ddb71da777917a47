#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "fastgpu/client.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace fastgpu {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kernels = R"(
extern "C" __global__ void scale(int n, float a, const float* x, float* y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = a * x[i];
}
extern "C" __global__ void add_to(int n, const float* x, float* y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += x[i];
}
extern "C" __global__ void who(int task, int tasks, int* out) { out[0] = task * 1000 + tasks; }
extern "C" __global__ void spin(long long n, int* out) {
  volatile long long i = 0;
  while (i < n) i = i + 1;
  out[0] = (int)i;
}
)";

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(values.data());
  return {data, data + values.size() * sizeof(T)};
}

class ClientOfACluster : public testing::Test {
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

  static Client connect(std::vector<std::string> servers = cluster_->addresses()) {
    return Client::open({.servers = std::move(servers),
                         .credentials = cluster_->credentials(),
                         .timeout = seconds(60)})
        .value();
  }
  static JobSpec job(const char* kernel) {
    return std::move(JobSpec{}.kernel(kernel).source(kernels));
  }

  static std::unique_ptr<node::EmbeddedCluster> cluster_;
};

std::unique_ptr<node::EmbeddedCluster> ClientOfACluster::cluster_;

TEST_F(ClientOfACluster, RunsAKernelOnUploadedDataAndBringsItBack) {
  std::vector<float> x(100'000);
  std::iota(x.begin(), x.end(), 0.0f);
  const JobSpec spec = job("scale").grid(400).block(256).arg(100'000).arg(2.0f).in(x, "x").out(
      x.size() * sizeof(float), "y");
  const Job submitted = connect().submit(spec).value();
  const JobResult result = submitted.result(minutes(2)).value();
  EXPECT_EQ(result.state, JobState::succeeded);
  ASSERT_EQ(result.tasks.size(), 1u);
  const TaskResult& task = result.tasks[0];
  EXPECT_TRUE(task.node == "n1" || task.node == "n2") << task.node;
  EXPECT_EQ(task.reason, "none");
  EXPECT_GT(task.timings.run.count(), 0);
  ASSERT_EQ(task.outputs.size(), 1u);
  EXPECT_EQ(task.outputs[0].name, "y");
  const auto y = task.outputs[0].as<float>();
  ASSERT_EQ(y.size(), x.size());
  EXPECT_EQ(y[99'999], 199'998.0f);
}

TEST_F(ClientOfACluster, GivesEachTaskItsOwnDataSmallOrLarge) {
  constexpr int large = 3000;
  std::vector<Bytes> each{bytes_of(std::vector<float>{1, 2, 3}),
                          bytes_of(std::vector<float>(large, 5.0f)),
                          bytes_of(std::vector<float>{7})};
  const JobSpec spec = job("add_to")
                           .grid(12)
                           .block(256)
                           .arg(1)
                           .in(std::vector<float>{100})
                           .inout_each(each, "y_{}")
                           .tasks(3);
  const JobResult result = connect().submit(spec).value().result(minutes(2)).value();
  ASSERT_EQ(result.state, JobState::succeeded);
  ASSERT_EQ(result.tasks.size(), 3u);
  EXPECT_EQ(result.tasks[0].outputs.at(0).as<float>(), (std::vector<float>{101, 2, 3}));
  EXPECT_EQ(result.tasks[1].outputs.at(0).as<float>().size(), std::size_t{large});
  EXPECT_EQ(result.tasks[2].outputs.at(0).as<float>(), (std::vector<float>{107}));
}

TEST_F(ClientOfACluster, RunsAnArrayAndKnowsItFromAnotherConnection) {
  const JobSpec spec = job("who")
                           .name("array")
                           .arg_text(Scalar::i32, "{}")
                           .arg_text(Scalar::i32, "{n}")
                           .out(4)
                           .tasks(50);
  const JobId id = connect().submit(spec).value().id();
  const Client other = connect({cluster_->addresses()[1]});
  const JobResult result = other.job(id).result(minutes(2)).value();
  ASSERT_EQ(result.tasks.size(), 50u);
  for (std::uint32_t task = 0; task < 50; ++task) {
    EXPECT_EQ(result.tasks[task].task, task);
    EXPECT_EQ(result.tasks[task].outputs.at(0).as<int>(),
              (std::vector<int>{static_cast<int>(task) * 1000 + 50}));
  }
  const JobStatus status = other.show(id).value();
  EXPECT_EQ(status.name, "array");
  EXPECT_EQ(status.succeeded, 50u);
  bool listed = false;
  for (const JobStatus& one : other.list(true).value()) {
    listed = listed || one.id == id;
  }
  EXPECT_TRUE(listed);
}

TEST_F(ClientOfACluster, TellsWhyATaskFailed) {
  const JobResult result = connect()
                               .submit(std::move(JobSpec{}.kernel("k").source(
                                   "extern \"C\" __global__ void k() { nonsense; }")))
                               .value()
                               .result(minutes(2))
                               .value();
  EXPECT_EQ(result.state, JobState::failed);
  EXPECT_EQ(result.tasks.at(0).reason, "compile_error");
  EXPECT_NE(result.tasks.at(0).message.find("nonsense"), std::string::npos);
}

TEST_F(ClientOfACluster, RefusesWhatIsWrongBeforeItIsAccepted) {
  const Client client = connect();
  EXPECT_EQ(client.submit(job("who").block(4096)).error().kind, "usage");
  EXPECT_EQ(client.submit(job("who").device("tpu")).error().kind, "usage");
  EXPECT_EQ(client.submit(job("who").device("gpu")).error().kind, "infeasible");
  EXPECT_EQ(client.show({1'000'000'000}).error().kind, "not_found");
}

TEST_F(ClientOfACluster, GivesUpAWaitAndCancelsAJob) {
  const Job running =
      connect()
          .submit(job("spin").arg(std::int64_t{1} << 50).out(4).time_limit(minutes(5)))
          .value();
  EXPECT_EQ(running.wait(std::chrono::milliseconds(300)).error().kind, "timeout");
  EXPECT_TRUE(running.cancel());
  EXPECT_EQ(running.wait(minutes(2)).value(), JobState::cancelled);
  EXPECT_EQ(running.cancel().error().kind, "conflict");
}

TEST_F(ClientOfACluster, RunsJobsAfterOthersAndCancelsThoseThatNeverCan) {
  const auto after = [](std::uint64_t id, const char* how) {
    return std::move(job("who").arg(1).arg(2).out(4).after(id, how));
  };
  const Client client = connect();
  const Job first =
      client.submit(job("spin").arg(std::int64_t{1} << 50).out(4).time_limit(minutes(5))).value();
  const Job second = client.submit(after(first.id().value, "ok")).value();
  const Job third = client.submit(after(second.id().value, "fail")).value();
  const Job fourth = client.submit(after(third.id().value, "ok")).value();
  const Job fifth = client.submit(after(fourth.id().value, "fail")).value();
  const JobStatus waiting = connect({cluster_->addresses()[1]}).show(second.id()).value();
  EXPECT_EQ(waiting.waiting_code, "dependency");
  const std::string named = "waits for job " + std::to_string(first.id().value) + " to end well";
  EXPECT_EQ(waiting.waiting_sentence.substr(0, named.size()), named);

  EXPECT_TRUE(first.cancel());
  const JobResult held_back = second.result(minutes(2)).value();
  EXPECT_EQ(held_back.state, JobState::cancelled);
  EXPECT_EQ(held_back.tasks.at(0).node, "");
  EXPECT_EQ(held_back.tasks.at(0).message,
            "job " + std::to_string(first.id().value) +
                " was cancelled, and this job was to run only after it succeeded");
  EXPECT_EQ(third.wait(minutes(2)).value(), JobState::succeeded);
  EXPECT_EQ(fourth.wait(minutes(2)).value(), JobState::succeeded);
  EXPECT_EQ(fifth.wait(minutes(2)).value(), JobState::cancelled);
}

TEST_F(ClientOfACluster, ServesSeveralThreadsAtOnce) {
  const Client client = connect();
  std::vector<std::thread> threads;
  std::vector<int> values(4, 0);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&client, &values, i] {
      const JobSpec spec = std::move(job("who").arg(i).arg(1).out(4));
      const JobResult result = client.submit(spec).value().result(minutes(2)).value();
      values[i] = result.tasks.at(0).outputs.at(0).as<int>().at(0);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(values, (std::vector<int>{1, 1001, 2001, 3001}));
}

TEST_F(ClientOfACluster, KnowsTheNodesAndTheirDevices) {
  // A machine that stands still for a second makes each node suspect for a moment.
  const Client client = connect({cluster_->addresses()[0]});
  const auto deadline = std::chrono::steady_clock::now() + seconds(120);
  auto nodes = client.cluster().value();
  while (nodes.at(1).state != "up" && std::chrono::steady_clock::now() < deadline) {
    nodes = client.cluster().value();
  }
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].name, "n1");
  EXPECT_EQ(nodes[1].state, "up");
  ASSERT_EQ(nodes[1].devices.size(), 1u);
  EXPECT_EQ(nodes[1].devices[0].kind, "cpu");
}

TEST_F(ClientOfACluster, GoesOnThroughAnotherNodeWhenItsOwnEnds) {
  const Client client = connect();
  cluster_->stop(0);
  const auto nodes = client.cluster();
  EXPECT_TRUE(nodes) << nodes.error().text();
  const JobSpec spec = std::move(job("who").arg(3).arg(4).out(4));
  const auto submitted = client.submit(spec);
  ASSERT_TRUE(submitted) << submitted.error().text();
  EXPECT_EQ(submitted->result(minutes(2)).value().state, JobState::succeeded);
  EXPECT_TRUE(cluster_->restart(0).ok());
  EXPECT_TRUE(connect({cluster_->addresses()[0]}).cluster());
}

TEST_F(ClientOfACluster, BringsItsInputsAgainWhenTheNodeEndsThatHadThem) {
  const Client client = connect();
  const std::vector<float> x(100'000, 3.0f);
  const JobSpec spec =
      job("scale").grid(400).block(256).arg(100'000).arg(2.0f).in(x).out(x.size() * sizeof(float));
  EXPECT_EQ(client.submit(JobSpec(spec).device("gpu")).error().kind, "infeasible")
      << "they are uploaded by then";
  cluster_->stop(0);
  EXPECT_TRUE(client.cluster()) << "a submit must not be lost with the node: what became of it "
                                   "would be unknown, and it would not be repeated";
  const auto submitted = client.submit(spec);
  ASSERT_TRUE(submitted) << submitted.error().text();
  EXPECT_EQ(submitted->result(minutes(2)).value().state, JobState::succeeded);
  EXPECT_TRUE(cluster_->restart(0).ok());
  EXPECT_TRUE(connect({cluster_->addresses()[0]}).cluster());
}

TEST_F(ClientOfACluster, SaysThatNoNodeIsReachable) {
  const auto client = Client::open(
      {.servers = {"127.0.0.1:1"}, .credentials = cluster_->credentials(), .timeout = seconds(1)});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().kind, "unreachable");
  EXPECT_FALSE(client.error().outcome_unknown);
}

}  // namespace
}  // namespace fastgpu
