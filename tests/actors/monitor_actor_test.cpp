#include "actors/monitor_actor.hpp"

#include <gtest/gtest.h>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

using namespace std::chrono_literals;

const protocol::NodeInfo other{{2}, "n2", "127.0.0.1:7602"};

struct Monitored {
  Monitored() {
    bench.context()->seeds.push_back(other);
    bench.spawn<MonitorActor>();
  }
  void beat(base::Incarnation life) {
    bench.send_peer(other.node, protocol::Heartbeat{other, {}, {}, 0}, life);
  }
  protocol::NodeView seen() {
    protocol::SharedView last;
    while (auto view = bench.gateway.take<protocol::SharedView>())
      last = *view;
    EXPECT_TRUE(last != nullptr);
    return last ? last->nodes.at(1) : protocol::NodeView{};
  }
  testing::ActorBench bench;
};

TEST(MonitorActor, DialsTheMembersAndShowsThemToTheWholeNode) {
  Monitored monitored;
  auto& bench = monitored.bench;
  const auto dial = bench.link.take<DialPeer>();
  ASSERT_TRUE(dial.has_value());
  EXPECT_EQ(dial->info, other);
  EXPECT_EQ(monitored.seen().info, other);
  EXPECT_TRUE(bench.scheduler.take<protocol::SharedView>().has_value());
  EXPECT_TRUE(bench.shard.take<protocol::SharedView>().has_value());
}

TEST(MonitorActor, BeatsByItselfAndTellsBooksLeadershipsAndDuties) {
  Monitored monitored;
  auto& bench = monitored.bench;
  while (bench.take_to_node<protocol::Heartbeat>())
    ;
  protocol::DeviceBooks books;
  books.device = {{1}, 0};
  books.version = 3;
  bench.send(books);
  bench.send(protocol::ReplicaStands{{0}, true});
  bench.send(protocol::CopiesStand{2, true, 0});
  bench.send(ShardLed{{{0}, {1}, {4}}});
  const auto beat = bench.take_to_node<protocol::Heartbeat>();
  ASSERT_TRUE(beat.has_value());
  EXPECT_EQ(beat->first, other.node);
  EXPECT_EQ(beat->second.leads.at(0).term, base::Term{4});
  EXPECT_EQ(beat->second.devices.at(0).version, 3u);
  EXPECT_EQ(beat->second.duties, (protocol::NodeDuties{1, 2, true}));
  bench.pass(4 * membership::MonitorMachine::quiet_beat_interval);
  std::size_t beats = 0;
  while (bench.take_to_node<protocol::Heartbeat>())
    ++beats;
  EXPECT_EQ(beats, 4u);
}

TEST(MonitorActor, TellsShardsOfLostNodesAndOfTheProof) {
  Monitored monitored;
  auto& bench = monitored.bench;
  bench.send(PeerUp{other.node, {9}});
  EXPECT_EQ(monitored.seen().state, protocol::NodeState::up);
  bench.send(PeerDown{other.node, {9}, false});
  EXPECT_EQ(monitored.seen().state, protocol::NodeState::suspect);
  EXPECT_EQ(bench.shard.take<protocol::NodeLost>(), (protocol::NodeLost{other.node, {9}, false}));
  monitored.beat({10});
  EXPECT_EQ(bench.shard.take<protocol::NodeLost>(), (protocol::NodeLost{other.node, {9}, true}));
  bench.pass(2s);
  EXPECT_EQ(bench.shard.take<protocol::NodeLost>(), (protocol::NodeLost{other.node, {10}, false}))
      << "silence is noticed without a message";
}

TEST(MonitorActor, HandsTheListOfMembersToWhoAsks) {
  Monitored monitored;
  auto& bench = monitored.bench;
  const protocol::Members members{4, {bench.context()->self, other, {{3}, "n3", "127.0.0.1:7603"}}};
  bench.send(members);
  bench.send_peer({3}, protocol::MembersAsk{});
  const auto told = bench.take_to_node<protocol::Members>();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->first, base::NodeId{3});
  EXPECT_EQ(told->second, members);
}

TEST(MonitorActor, KeepsTheListOnTheDiskAndTellsTheShardsOnceItIsThere) {
  Monitored monitored;
  auto& bench = monitored.bench;
  bench.send(protocol::Members{4, {bench.context()->self, other}});
  const auto write = bench.store.take<StoreWrite>();
  ASSERT_TRUE(write.has_value());
  while (const auto lists = bench.shard.take<protocol::SharedMemberLists>()) {
    EXPECT_FALSE((*lists)->knows(bench.context()->self.node, other.node));
  }
  bench.send(Durable{write->token});
  const auto lists = bench.shard.take<protocol::SharedMemberLists>();
  ASSERT_TRUE(lists.has_value());
  EXPECT_TRUE((*lists)->knows(bench.context()->self.node, other.node));
}

TEST(MonitorActor, BeginsWithWhatTheDiskHeld) {
  testing::ActorBench bench;
  bench.context()->kept_members = {4, {bench.context()->self, other}};
  bench.spawn<MonitorActor>();
  EXPECT_EQ(bench.link.take<DialPeer>()->info, other);
  EXPECT_EQ(bench.take_to_node<protocol::Heartbeat>()->second.members_version, 4u);
  EXPECT_FALSE(bench.store.take<StoreWrite>().has_value()) << "it is there already";
}

}  // namespace
}  // namespace fastgpu::actors
