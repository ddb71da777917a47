// What a cluster says to itself while nobody asks anything of it.

#include <gtest/gtest.h>

#include "tests/sim/group_watch.hpp"
#include "tests/support/sim_world.hpp"

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

SimOptions eight_shards(std::uint32_t nodes, std::uint32_t replicas) {
  SimOptions options;
  options.nodes = nodes;
  options.founding_nodes = nodes;
  options.replicas = replicas;
  options.shards = 8;
  return options;
}

TEST(Idle, TheHeartbeatsOfAllGroupsToOneNodeTravelTogether) {
  auto watch = std::make_shared<GroupWatch>();
  SimWorld world(eight_shards(3, 3), watch);
  world.run_for(30s);  // the leaderships have found their places
  std::map<base::NodeId, int> led;
  for (std::uint32_t shard = 0; shard < 8; ++shard) {
    ASSERT_TRUE(watch->leader_of({shard}));
    ++led[*watch->leader_of({shard})];
  }
  EXPECT_EQ(led.size(), 3u) << "each node leads some";
  const std::uint64_t before = world.network().counters().delivered;
  const std::uint64_t steps = world.steps();
  world.run_for(20s);
  const std::uint64_t frames = (world.network().counters().delivered - before) / 20;
  RecordProperty("frames_per_second", std::to_string(frames));
  RecordProperty("steps_per_second", std::to_string((world.steps() - steps) / 20));
  // From each to both others: the monitor's heartbeats, 5/s, and one frame with what all replicas
  // say in each interval, 20/s; beside them the links' own signs, on two channels for each pair and
  // both ways. One by one, heartbeats and answers of eight groups alone were 640.
  EXPECT_LT(frames, 3 * 2 * (5 + 20 + 2 * 4) + 30u);
  EXPECT_TRUE(watch->watch().violations().empty());
}

TEST(Idle, ANodeAloneLeadsAtOnceAndSaysNothing) {
  auto watch = std::make_shared<GroupWatch>();
  SimOptions options = eight_shards(2, 3);
  options.founding_nodes = 1;
  SimWorld world(options, watch);
  ASSERT_TRUE(world.run_until(
      [&] {
        for (std::uint32_t shard = 0; shard < 8; ++shard) {
          if (!watch->leader_of({shard})) {
            return false;
          }
        }
        return true;
      },
      300ms))
      << "there is nobody to wait for";
}

}  // namespace
}  // namespace fastgpu::testing
