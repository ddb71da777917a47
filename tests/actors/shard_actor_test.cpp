#include "actors/shard_actor.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/actors/shard_disk.hpp"
#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

constexpr base::ShardId shard{0};
constexpr base::NodeId worker{2};

ShardActorOptions options(const ShardDisk& disk) {
  ShardActorOptions value;
  value.shard = shard;
  value.contents = disk.contents();
  return value;
}

protocol::ShardRequest submit(std::uint64_t call, std::uint64_t number) {
  auto spec = std::make_shared<protocol::JobSpec>();
  spec->kernel.source = base::Bytes::copy_of(std::string_view("__global__ void k() {}"));
  spec->kernel.name = "k";
  spec->tasks = 3;
  return {{call}, shard, protocol::Submit{{shard, 1, number}, {std::move(spec)}}};
}

template <class Answer>
Answer answer(testing::ActorBench& bench) {
  const auto reply = bench.gateway.take<protocol::ShardReply>();
  return reply ? std::get<Answer>(reply->reply) : Answer{};
}

TEST(ShardActor, LeadsOnceItsNewTermIsDurable) {
  ShardDisk disk;
  testing::ActorBench bench;
  bench.spawn<ShardActor>(options(disk));
  EXPECT_FALSE(bench.monitor.take<ShardLed>());
  disk.sync(bench);
  const auto led = bench.monitor.take<ShardLed>();
  ASSERT_TRUE(led);
  EXPECT_EQ(led->shard.term, base::Term{1});
}

TEST(ShardActor, AcceptsASubmitOnceTheStoreHasIt) {
  ShardDisk disk;
  testing::ActorBench bench;
  bench.spawn<ShardActor>(options(disk));
  disk.sync(bench);
  bench.send(submit(7, 1));
  EXPECT_FALSE(bench.gateway.take<protocol::ShardReply>()) << "nothing is durable yet";
  disk.sync(bench);
  const auto reply = bench.gateway.take<protocol::ShardReply>();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->call, base::CallId{7});
  EXPECT_EQ(std::get<protocol::Accepted>(reply->reply).job, base::JobId{4});
  EXPECT_TRUE(bench.scheduler.take<protocol::TasksReady>());
}

TEST(ShardActor, BringsAJobFromSubmitToItsEnd) {
  ShardDisk disk;
  testing::ActorBench bench;
  bench.spawn<ShardActor>(options(disk));
  disk.sync(bench);
  bench.send(submit(7, 1));
  disk.sync(bench);
  const base::JobId job = answer<protocol::Accepted>(bench).job;

  const base::DeviceId device{worker, 0};
  bench.send(protocol::Place{shard, job, {{0, 3}}, device, {1}});
  const auto assign = bench.take_to_node<protocol::Assign>();
  ASSERT_TRUE(assign);
  EXPECT_EQ(assign->first, worker);
  bench.send_peer(worker, protocol::AssignReply{assign->second.attempt, job, device, {}, {}});
  EXPECT_TRUE(bench.scheduler.take<protocol::AssignAnswered>());
  bench.send(protocol::ShardRequest{{8}, shard, protocol::WaitJob{job, 60'000'000'000}});

  protocol::TaskOutcome outcome;
  outcome.device = device;
  bench.send_peer(worker,
                  protocol::Finish{assign->second.attempt, job, device, {{{0, 3}, outcome}}, 9});
  EXPECT_FALSE(bench.take_to_node<protocol::Settled>()) << "its commit is not durable yet";
  disk.sync(bench);
  EXPECT_TRUE(bench.take_to_node<protocol::Settled>());
  EXPECT_EQ(answer<protocol::JobList>(bench).jobs.at(0).state, protocol::TaskState::succeeded);
}

TEST(ShardActor, FindsItsJobsAgainInTheNextLifeUnderAGreaterTerm) {
  ShardDisk disk;
  {
    testing::ActorBench bench;
    bench.spawn<ShardActor>(options(disk));
    disk.sync(bench);
    bench.send(submit(7, 1));
    disk.sync(bench);
  }
  testing::ActorBench bench;
  bench.spawn<ShardActor>(options(disk));
  disk.sync(bench);
  EXPECT_EQ(bench.monitor.take<ShardLed>()->shard.term, base::Term{2});
  EXPECT_TRUE(bench.scheduler.take<protocol::TasksReady>());
  bench.send(submit(9, 1));
  EXPECT_EQ(answer<protocol::Accepted>(bench).job, base::JobId{4}) << "the same job, at once";
}

TEST(ShardActor, AnswersARenewalThroughItsLogsReadRound) {
  ShardDisk disk;
  testing::ActorBench bench;
  bench.spawn<ShardActor>(options(disk));
  disk.sync(bench);
  protocol::Renew renew;
  renew.shard = shard;
  renew.epoch = {1};
  renew.term = {1};
  renew.device = {worker, 0};
  renew.incarnation = {1};
  renew.asked_at_ns = 33;
  bench.send_peer(worker, renew);
  const auto renewed = bench.take_to_node<protocol::Renewed>();
  ASSERT_TRUE(renewed);
  EXPECT_EQ(renewed->second.asked_at_ns, 33);
}

TEST(ShardActor, SendsAnUnansweredAssignAgainWhenItsTimeComes) {
  ShardDisk disk;
  testing::ActorBench bench;
  bench.spawn<ShardActor>(options(disk));
  disk.sync(bench);
  bench.send(submit(7, 1));
  disk.sync(bench);
  bench.send(protocol::Place{shard, {4}, {{0, 3}}, {worker, 0}, {1}});
  ASSERT_TRUE(bench.take_to_node<protocol::Assign>());
  bench.pass(base::limits::rpc_timeout - std::chrono::milliseconds{1});
  EXPECT_FALSE(bench.take_to_node<protocol::Assign>());
  bench.pass(std::chrono::milliseconds{1});
  EXPECT_TRUE(bench.take_to_node<protocol::Assign>());
}

TEST(ShardActor, TellsTheMonitorTheFoundersOfTheCluster) {
  ShardDisk disk;
  testing::ActorBench bench;
  ShardActorOptions founded = options(disk);
  founded.founders = {{{1}, "n1", "127.0.0.1:7601"}, {{2}, "n2", "127.0.0.1:7602"}};
  bench.spawn<ShardActor>(std::move(founded));
  disk.sync(bench);
  disk.sync(bench);
  protocol::Members newest;
  while (const auto members = bench.monitor.take<protocol::Members>()) {
    newest = *members;
  }
  EXPECT_EQ(newest.members.size(), 2u);
}

TEST(ShardActorDeathTest, DoesNotGoOnWithALogThatIsDamaged) {
  ShardDisk disk;
  {
    testing::ActorBench bench;
    bench.spawn<ShardActor>(options(disk));
    disk.sync(bench);
  }
  const auto start_damaged = [&disk] {
    testing::ActorBench bench;
    ShardActorOptions damaged = options(disk);
    for (store::KeyValue& one : damaged.contents) {
      std::vector<std::uint8_t> bytes(one.value.span().begin(), one.value.span().end());
      bytes.at(bytes.size() / 2) ^= 0x40;
      one.value = base::Bytes(std::move(bytes));
    }
    bench.spawn<ShardActor>(std::move(damaged));
  };
  EXPECT_DEATH(start_damaged(), "broken invariant");
}

}  // namespace
}  // namespace fastgpu::actors
