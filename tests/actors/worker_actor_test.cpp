#include "actors/worker_actor.hpp"

#include <gtest/gtest.h>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

using namespace std::chrono_literals;

/// What an executor was told, and the sink by which the test speaks for it.
struct Device {
  std::vector<exec::ExecutorTask> tasks;
  std::vector<std::string> kills;
  exec::Executor::Sink sink;
  bool full{false};
};

class HeldExecutor final : public exec::Executor {
 public:
  explicit HeldExecutor(Device& device) : device_(device) {}
  void start(Sink sink) override { device_.sink = std::move(sink); }
  bool submit(exec::ExecutorTask task) override {
    if (!device_.full)
      device_.tasks.push_back(std::move(task));
    return !device_.full;
  }
  void kill(const char* why) override { device_.kills.push_back(why); }

 private:
  Device& device_;
};

constexpr base::NodeId leader{3};
constexpr base::AttemptId attempt{{2}, {1}, {1}, 1};

/// A runner of commands that the test speaks for.
struct Warden {
  std::vector<exec::CommandTask> tasks;
  std::vector<exec::GpuProcess> gpu_use;
  exec::CommandRunner::Sink sink;
};

class HeldRunner final : public exec::CommandRunner {
 public:
  explicit HeldRunner(Warden& warden) : warden_(warden) {}
  void start(Sink sink) override { warden_.sink = std::move(sink); }
  bool run(exec::CommandTask task) override {
    warden_.tasks.push_back(std::move(task));
    return true;
  }
  void stop(exec::CommandToken, const std::string&) override {}
  void extend_lease(exec::CommandToken, base::Time) override {}
  void note_gpu_use(const std::vector<exec::GpuProcess>& processes) override {
    warden_.gpu_use = processes;
  }

 private:
  Warden& warden_;
};

struct Worked {
  WorkerParts parts(std::unique_ptr<exec::CommandRunner> runner) {
    WorkerParts parts;
    parts.executor = std::make_unique<HeldExecutor>(device);
    parts.runner = std::move(runner);
    return parts;
  }
  explicit Worked(std::unique_ptr<exec::CommandRunner> runner = nullptr) {
    bench.spawn<WorkerActor>(std::uint16_t{0}, parts(std::move(runner)));
    tell({exec::ExecutorReady{{exec::DeviceKind::cpu, "model", 1 << 20, "uuid", 2}}});
  }
  void tell(exec::ExecutorEvent event) {
    device.sink(event);
    bench.run();
  }
  void assign() {
    protocol::JobSpec spec;
    spec.kernel.source = base::Bytes::copy_of(std::string_view("source"));
    spec.kernel.name = "k";
    spec.kernel.defines = {{"A", "1"}, {"B", ""}};
    spec.kernel.standard = "c++20";
    spec.kernel.arguments.emplace_back(protocol::ScalarArgument{protocol::ScalarType::u64, "{n}"});
    spec.kernel.arguments.emplace_back(
        protocol::BufferArgument{protocol::BufferUse::out, "y", 64, {}});
    spec.time_limit_ns = base::Duration(2s).count();
    protocol::Assign assign{attempt, {6}, {{0, 1}}, {{1}, 0}, bench.context()->incarnation, {}};
    assign.spec.value = std::make_shared<const protocol::JobSpec>(spec);
    bench.send_peer(leader, assign);
  }
  void lease() {
    const auto renew = bench.take_to_node<protocol::Renew>();
    ASSERT_TRUE(renew.has_value());
    EXPECT_EQ(renew->first, leader);
    bench.send_peer(leader, protocol::Renewed{{2},
                                              {1},
                                              {1},
                                              {{1}, 0},
                                              renew->second.asked_at_ns,
                                              base::limits::lease_safe.count(),
                                              {}});
  }
  testing::ActorBench bench;
  Device device;
};

TEST(WorkerActor, GrantsLaunchesAndReportsATask) {
  Worked worked;
  auto& bench = worked.bench;
  EXPECT_EQ(bench.monitor.take<protocol::DeviceBooks>().value().model, "model");
  worked.assign();
  const auto reply = bench.take_to_node<protocol::AssignReply>();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->second.refused, protocol::RefusalReason::none);
  EXPECT_TRUE(worked.device.tasks.empty());
  worked.lease();
  ASSERT_EQ(worked.device.tasks.size(), 1u);
  const exec::ExecutorTask& task = worked.device.tasks[0];
  EXPECT_EQ(task.kernel, "k");
  EXPECT_EQ(task.defines, (std::vector<std::string>{"A=1", "B"}));
  EXPECT_EQ(task.standard, exec::Standard::cpp20);
  EXPECT_EQ(task.arguments.at(0), exec::ExecutorArgument::u64(1));
  EXPECT_EQ(task.arguments.at(1), exec::ExecutorArgument::out(64));

  exec::ExecutorResult result;
  result.token = task.token;
  result.outputs = {base::Bytes::copy_of(std::string_view("out"))};
  result.timings.run_ns = 77;
  worked.tell({exec::ExecutorDone{result}});
  const auto finish = bench.take_to_node<protocol::Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->first, leader);
  const auto& outcome = finish->second.reports.at(0).outcome;
  EXPECT_EQ(outcome.state, protocol::TaskState::succeeded);
  EXPECT_EQ(outcome.timings.run_ns, 77);
  EXPECT_EQ(outcome.outputs, (std::vector<protocol::Data>{result.outputs[0]}));
}

TEST(WorkerActor, KillsWhatRunsTooLongWithoutBeingTold) {
  Worked worked;
  worked.assign();
  worked.lease();
  worked.bench.pass(3s);
  ASSERT_EQ(worked.device.kills.size(), 1u);
  worked.tell({exec::ExecutorDied{"killed", {worked.device.tasks.at(0).token}, std::nullopt}});
  const auto finish = worked.bench.take_to_node<protocol::Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->second.reports.at(0).outcome.state, protocol::TaskState::timed_out);
}

TEST(WorkerActor, TellsInItsBooksWhetherAndWhyCommandsAreTaken) {
  Warden warden;
  Worked worked(std::make_unique<HeldRunner>(warden));
  auto& bench = worked.bench;
  const auto tell = [&](const exec::CommandEvent& event) {
    warden.sink(event);
    bench.run();
    return bench.monitor.take<protocol::DeviceBooks>().value().no_commands_why;
  };
  EXPECT_NE(bench.monitor.take<protocol::DeviceBooks>().value().no_commands_why, "");
  EXPECT_EQ(tell(exec::WardenReady{"none"}), "");
  EXPECT_EQ(tell(exec::WardenAway{"4242 remains"}), "the warden of its commands: 4242 remains");
  EXPECT_EQ(tell(exec::WardenReady{"none"}), "");
  EXPECT_EQ(tell(exec::WardenDied{"signal 9", {}}), "the warden of its commands: signal 9");
}

TEST(WorkerActor, PassesOnWhoUsesItsGpu) {
  Warden warden;
  Worked worked(std::make_unique<HeldRunner>(warden));
  const std::vector<exec::GpuProcess> use{{17, 1u << 20}, {18, std::nullopt}};
  worked.bench.send(exec::GpuProcesses{"uuid", use});
  worked.bench.run();
  EXPECT_EQ(warden.gpu_use, use);
}

TEST(WorkerActor, WithoutARunnerOfCommandsTakesKernelsOnly) {
  Worked worked;
  EXPECT_EQ(worked.bench.monitor.take<protocol::DeviceBooks>().value().no_commands_why,
            "this device runs kernels only");
}

TEST(WorkerActor, TriesAgainWhatTheExecutorDidNotTake) {
  Worked worked;
  worked.device.full = true;
  worked.assign();
  worked.lease();
  worked.device.full = false;
  worked.bench.pass(10ms);
  EXPECT_EQ(worked.device.tasks.size(), 1u);
}

TEST(WorkerActor, KeepsLargeOutputsBeforeItReports) {
  Worked worked;
  auto& bench = worked.bench;
  worked.assign();
  worked.lease();
  exec::ExecutorResult result;
  result.token = worked.device.tasks.at(0).token;
  result.outputs = {base::Bytes(std::vector<std::uint8_t>(5000, 1))};
  worked.tell({exec::ExecutorDone{result}});
  const auto keep = bench.objects.take<protocol::Keep>();
  ASSERT_TRUE(keep.has_value());
  EXPECT_FALSE(bench.take_to_node<protocol::Finish>().has_value());
  const protocol::ObjectRef object{{}, 5000, {1}};
  bench.send(protocol::Kept{keep->device, keep->token, {object}, {}});
  const auto finish = bench.take_to_node<protocol::Finish>();
  ASSERT_TRUE(finish.has_value());
  EXPECT_EQ(finish->second.reports.at(0).outcome.outputs, (std::vector<protocol::Data>{object}));
}

}  // namespace
}  // namespace fastgpu::actors
