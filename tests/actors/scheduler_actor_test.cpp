#include "actors/scheduler_actor.hpp"

#include <gtest/gtest.h>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

protocol::SharedView view_with_a_device() {
  auto view = std::make_shared<protocol::ClusterView>();
  protocol::NodeView node;
  node.info.node = {2};
  node.incarnation = {9};
  protocol::DeviceBooks books;
  books.device = {{2}, 0};
  books.incarnation = {9};
  books.version = 1;
  books.queue_room = 10;
  node.devices.push_back(books);
  view->nodes.push_back(node);
  return view;
}

protocol::TasksReady tasks(std::uint32_t shard) {
  protocol::TasksReady ready;
  ready.shard = {shard};
  ready.job = {8};
  ready.ranges = {{0, 1}};
  return ready;
}

TEST(SchedulerActor, PlacesWhatAShardHasReadyOnADeviceOfTheView) {
  testing::ActorBench bench;
  bench.spawn<SchedulerActor>();
  bench.send(view_with_a_device());
  bench.send(tasks(0));
  const auto place = bench.shard.take<protocol::Place>();
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->job, base::JobId{8});
  EXPECT_EQ(place->device, (base::DeviceId{{2}, 0}));
  EXPECT_EQ(place->incarnation, base::Incarnation{9});
  EXPECT_EQ(bench.shard.size(), 0u);
}

TEST(SchedulerActor, SaysWhyAJobWaitsAndLooksAgainByItself) {
  testing::ActorBench bench;
  bench.spawn<SchedulerActor>();
  auto ready = tasks(0);
  ready.request.memory_bytes = 1;
  bench.send(ready);
  ASSERT_TRUE(bench.shard.take<protocol::Waiting>().has_value());
  bench.send(view_with_a_device());
  bench.pass(std::chrono::seconds(2));
  const auto waiting = bench.shard.take<protocol::Waiting>();
  ASSERT_TRUE(waiting.has_value());
  EXPECT_EQ(waiting->reason.code, protocol::WaitingCode::infeasible);
}

TEST(SchedulerActor, AShardThatThisNodeDoesNotKeepIsToldNothing) {
  testing::ActorBench bench;
  bench.spawn<SchedulerActor>();
  bench.send(view_with_a_device());
  bench.send(tasks(3));
  EXPECT_EQ(bench.shard.size(), 0u);
}

}  // namespace
}  // namespace fastgpu::actors
