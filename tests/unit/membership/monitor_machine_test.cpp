#include "runtime/membership/monitor_machine.hpp"

#include <gtest/gtest.h>

namespace fastgpu::membership {
namespace {

using namespace std::chrono_literals;
using protocol::Heartbeat;
using protocol::NodeState;

constexpr base::NodeId self{1};
constexpr base::NodeId peer{2};

protocol::NodeInfo info(base::NodeId node) {
  return {node, "n" + std::to_string(node.value), "127.0.0.1:" + std::to_string(7600 + node.value)};
}

class Bench {
 public:
  explicit Bench(protocol::Members members = {3, {info(self), info(peer)}})
      : machine({{7, 7}, info(self), {5}, std::move(members)}) {
    step(Tick{});
  }
  void step(const Event& event) {
    for (auto& effect : machine.step(event, now)) {
      if (auto* send = std::get_if<SendToNode>(&effect))
        sent.push_back(*send);
      else if (auto* dial = std::get_if<DialNode>(&effect))
        dialled.push_back(dial->info);
      else if (auto* loss = std::get_if<protocol::NodeLost>(&effect))
        lost.push_back(*loss);
      else if (auto* keep = std::get_if<KeepMembers>(&effect))
        kept.push_back(keep->members->version);
      else if (auto* told = std::get_if<protocol::SharedMemberLists>(&effect))
        lists = **told;
      else
        views.push_back(std::get<protocol::SharedView>(effect));
    }
  }
  void pass(base::Duration time) {
    const base::Time end = now + time;
    while (*machine.next_deadline() <= end) {
      now = std::max(now, *machine.next_deadline());
      step(Tick{});
    }
    now = end;
  }
  void beat(std::uint64_t life, std::vector<protocol::DeviceBooks> devices = {},
            std::uint64_t members_version = 3) {
    step(FromPeer<Heartbeat>{peer, {life}, {info(peer), {}, std::move(devices), members_version}});
  }
  void beat_for(base::Duration time, std::uint64_t life) {
    for (base::Duration passed{0}; passed < time; passed += 50ms) {
      pass(50ms);
      beat(life);
    }
  }
  protocol::NodeView seen(base::NodeId node = peer) const {
    for (const auto& one : views.back()->nodes)
      if (one.info.node == node)
        return one;
    ADD_FAILURE() << "not in the view";
    return {};
  }
  template <class Message>
  std::vector<Message> take() {
    std::vector<Message> found;
    for (const auto& send : sent)
      if (const auto* message = std::get_if<Message>(&send.message))
        found.push_back(*message);
    sent.clear();
    return found;
  }

  MonitorMachine machine;
  base::Time now{1000s};
  std::vector<SendToNode> sent;
  std::vector<protocol::NodeInfo> dialled;
  std::vector<protocol::NodeLost> lost;
  std::vector<std::uint64_t> kept;  ///< versions that were to go to the disk
  protocol::MemberLists lists;
  std::vector<protocol::SharedView> views;
};

protocol::DeviceBooks books(base::NodeId node, std::uint64_t version) {
  protocol::DeviceBooks made;
  made.device = {node, 0};
  made.incarnation = {5};
  made.version = version;
  return made;
}

TEST(Monitor, DialsEveryMemberOnceAndShowsItselfUp) {
  Bench bench;
  EXPECT_EQ(bench.dialled, (std::vector<protocol::NodeInfo>{info(peer)}));
  bench.pass(1s);
  EXPECT_EQ(bench.dialled.size(), 1u);
  EXPECT_EQ(bench.seen(self).state, NodeState::up);
  EXPECT_EQ(bench.seen(peer).state, NodeState::down) << "never heard of";
  EXPECT_TRUE(bench.lost.empty()) << "who never lived is not lost";
}

TEST(Monitor, SaysThatItLivesEveryInterval) {
  Bench bench;
  bench.sent.clear();
  bench.pass(1s);
  EXPECT_EQ(bench.take<Heartbeat>().size(), 5u);
}

TEST(Monitor, SaysWhatChangesWithinAShorterInterval) {
  Bench bench;
  bench.sent.clear();
  for (std::uint64_t version = 1; version <= 1000; ++version) {
    bench.step(books(self, version));
    bench.pass(1ms);
  }
  const auto beats = bench.take<Heartbeat>();
  EXPECT_GE(beats.size(), 20u);
  EXPECT_LE(beats.size(), 21u) << "but not with every change";
}

TEST(Monitor, TellsBooksWhenTheyChangeAndNowAndThen) {
  Bench bench;
  bench.step(books(self, 1));
  bench.pass(50ms);
  bench.sent.clear();
  bench.pass(1s);
  std::size_t with_devices = 0;
  for (const auto& beat : bench.take<Heartbeat>())
    with_devices += beat.devices.empty() ? 0 : 1;
  EXPECT_EQ(with_devices, 5u);
  bench.step(books(self, 2));
  bench.step(books(self, 1));
  bench.pass(50ms);
  EXPECT_EQ(bench.take<Heartbeat>().back().devices.at(0).version, 2u) << "older books are ignored";
}

TEST(Monitor, ANodeIsUpWhileHeardAndSuspectAfterSilence) {
  Bench bench;
  bench.beat(9);
  EXPECT_EQ(bench.seen().state, NodeState::up);
  bench.beat_for(3s, 9);
  EXPECT_EQ(bench.seen().state, NodeState::up);
  bench.pass(base::limits::suspect_after + 50ms);
  EXPECT_EQ(bench.seen().state, NodeState::suspect);
  EXPECT_EQ(bench.lost, (std::vector<protocol::NodeLost>{{peer, {9}, false}}));
  bench.pass(20s);
  EXPECT_EQ(bench.seen().state, NodeState::down);
  EXPECT_EQ(bench.lost.size(), 1u) << "one suspicion is told once";
  EXPECT_GE(bench.seen().age_ns, base::Duration(20s).count());
  bench.beat(9);
  EXPECT_EQ(bench.seen().state, NodeState::up);
  bench.pass(2s);
  EXPECT_EQ(bench.lost.size(), 2u);
}

TEST(Monitor, ABrokenConnectionMakesSuspectAtOnceAndTwiceSaysNoMore) {
  Bench bench;
  bench.step(PeerUp{peer, {9}});
  EXPECT_EQ(bench.seen().state, NodeState::up);
  bench.step(PeerDown{peer, {9}});
  bench.step(PeerDown{peer, {9}});
  EXPECT_EQ(bench.seen().state, NodeState::suspect);
  EXPECT_EQ(bench.lost, (std::vector<protocol::NodeLost>{{peer, {9}, false}}));
}

TEST(Monitor, ANewerLifeProvesTheEndOfTheOlder) {
  Bench bench;
  bench.beat(9, {books(peer, 4)});
  EXPECT_EQ(bench.seen().devices.size(), 1u);
  bench.beat(10);
  bench.beat(10);
  EXPECT_EQ(bench.lost, (std::vector<protocol::NodeLost>{{peer, {9}, true}}));
  EXPECT_EQ(bench.seen().incarnation, base::Incarnation{10});
  EXPECT_TRUE(bench.seen().devices.empty()) << "what the older life said counts no more";
  bench.beat(9, {books(peer, 5)});
  EXPECT_EQ(bench.seen().incarnation, base::Incarnation{10});
}

TEST(Monitor, TheEndOfAnOldConnectionSaysNothingOfTheNewLife) {
  Bench bench;
  bench.step(PeerUp{peer, {9}});
  bench.beat(10);
  bench.lost.clear();
  bench.step(PeerDown{peer, {9}});
  EXPECT_TRUE(bench.lost.empty());
  EXPECT_EQ(bench.seen().state, NodeState::up);
}

TEST(Monitor, AProofFollowsASuspicion) {
  Bench bench;
  bench.beat(9);
  bench.step(PeerDown{peer, {9}});
  bench.step(PeerUp{peer, {10}});
  EXPECT_EQ(bench.lost, (std::vector<protocol::NodeLost>{{peer, {9}, false}, {peer, {9}, true}}));
}

TEST(Monitor, AsksForAListOfMembersNewerThanItsOwn) {
  Bench bench;
  bench.sent.clear();
  bench.beat(9, {}, 4);
  bench.beat(9, {}, 4);
  ASSERT_EQ(bench.take<protocol::MembersAsk>().size(), 1u) << "not with every heartbeat";
  const protocol::Members newer{4, {info(self), info(peer), info({3})}};
  bench.step(FromPeer<protocol::Members>{peer, {9}, newer});
  bench.step(FromPeer<protocol::Members>{peer, {9}, newer});
  EXPECT_EQ(bench.machine.members(), newer);
  EXPECT_EQ(bench.dialled.size(), 2u);
  bench.step(FromPeer<protocol::Members>{peer, {9}, {3, {info(self)}}});
  EXPECT_EQ(bench.machine.members(), newer) << "an older list is ignored";
  bench.sent.clear();
  bench.step(FromPeer<protocol::MembersAsk>{peer, {9}, {}});
  EXPECT_EQ(bench.take<protocol::Members>(), (std::vector<protocol::Members>{newer}));
}

TEST(Monitor, ANodeNotKnownYetCountsForNothingButMayKnowMore) {
  Bench bench;
  bench.sent.clear();
  bench.step(FromPeer<Heartbeat>{{8}, {1}, {info({8}), {}, {}, 9}});
  EXPECT_EQ(bench.take<protocol::MembersAsk>().size(), 1u);
  EXPECT_EQ(bench.views.back()->nodes.size(), 2u);
}

TEST(Monitor, ALeadershipIsToldAtOnce) {
  Bench bench;
  bench.pass(10ms);
  bench.sent.clear();
  const protocol::LedShard led{{2}, {1}, {3}};
  bench.step(ShardLed{led});
  EXPECT_EQ(bench.take<Heartbeat>().at(0).leads, (std::vector<protocol::LedShard>{led}));
  EXPECT_EQ(bench.seen(self).leads.size(), 1u);
  bench.step(ShardLed{led});
  EXPECT_TRUE(bench.take<Heartbeat>().empty());
  bench.step(ShardLed{{{2}, {1}, {0}}});
  EXPECT_TRUE(bench.seen(self).leads.empty());
}

void say_duties(Bench& bench, std::uint64_t life, std::uint64_t members_version) {
  bench.step(FromPeer<Heartbeat>{
      peer, {life}, {info(peer), {}, {}, members_version, protocol::NodeDuties{2, 0, true}}});
  bench.pass(MonitorMachine::view_interval);
}

TEST(Monitor, TellsItsDutiesOnceAllPartsOfTheNodeHaveSaidTheirs) {
  Bench bench;
  bench.step(NodeBegun{2});
  bench.step(protocol::CopiesStand{7, true, 3});
  bench.step(protocol::ReplicaStands{{0}, true});
  bench.step(protocol::ReplicaStands{{0}, true});
  bench.pass(1s);
  for (const Heartbeat& beat : bench.take<Heartbeat>())
    EXPECT_EQ(beat.duties, std::nullopt) << "one replica has not said whether it votes";
  EXPECT_EQ(bench.seen(self).duties, std::nullopt);
  bench.step(protocol::ReplicaStands{{4}, false});
  bench.pass(50ms);
  const protocol::NodeDuties duties{1, 7, true};
  EXPECT_EQ(bench.take<Heartbeat>().back().duties, duties);
  EXPECT_EQ(bench.seen(self).duties, duties);
}

TEST(Monitor, TellsDutiesSoonWhenTheyChangeAndWithEachHeartbeat) {
  Bench bench;
  bench.step(NodeBegun{1});
  bench.step(protocol::CopiesStand{0, true, 3});
  bench.step(protocol::ReplicaStands{{0}, true});
  bench.pass(1s);
  bench.sent.clear();
  bench.pass(1s);
  const auto quiet = bench.take<Heartbeat>();
  EXPECT_EQ(quiet.size(), 5u) << "as seldom as ever";
  EXPECT_EQ(quiet.back().duties, (protocol::NodeDuties{1, 0, true}));
  bench.step(protocol::ReplicaStands{{0}, false});
  bench.step(protocol::CopiesStand{4, false, 3});
  bench.pass(50ms);
  EXPECT_EQ(bench.take<Heartbeat>().back().duties, (protocol::NodeDuties{0, 4, false}));
  for (std::uint64_t due = 5; due <= 1000; ++due) {
    bench.step(protocol::CopiesStand{due, false, 3});
    bench.pass(1ms);
  }
  EXPECT_LE(bench.take<Heartbeat>().size(), 21u) << "but not with every change";
  bench.step(protocol::CopiesStand{4, false, 3});
  bench.pass(50ms);
  bench.sent.clear();
  bench.step(protocol::CopiesStand{4, false, 3});
  bench.pass(1s);
  EXPECT_LE(bench.take<Heartbeat>().size(), 5u) << "a repeat is no news";
}

TEST(Monitor, WhatWasSaidByAnOlderListOfMembersIsNotCounted) {
  Bench bench;
  say_duties(bench, 9, 2);
  EXPECT_EQ(bench.seen().duties, (protocol::NodeDuties{2, 0, false}));
  say_duties(bench, 9, 3);
  EXPECT_EQ(bench.seen().duties, (protocol::NodeDuties{2, 0, true}));
  bench.step(NodeBegun{0});
  bench.step(protocol::CopiesStand{0, true, 3});
  bench.pass(50ms);
  EXPECT_EQ(bench.seen(self).duties, (protocol::NodeDuties{0, 0, true}));

  bench.step(MembersKnown{{4, {info(self), info(peer), info({3})}}});
  EXPECT_EQ(bench.seen().duties, (protocol::NodeDuties{2, 0, false}));
  EXPECT_EQ(bench.seen(self).duties, (protocol::NodeDuties{0, 0, false}));
  bench.step(protocol::CopiesStand{0, true, 4});
  say_duties(bench, 9, 4);
  EXPECT_EQ(bench.seen().duties, (protocol::NodeDuties{2, 0, true}));
  EXPECT_EQ(bench.seen(self).duties, (protocol::NodeDuties{0, 0, true}));
}

TEST(Monitor, TheDutiesOfAnEarlierLifeCountNoMore) {
  Bench bench;
  say_duties(bench, 9, 3);
  bench.beat(10);
  EXPECT_EQ(bench.seen().duties, std::nullopt);
}

TEST(Monitor, TheViewIsByNodeAndDoesNotFollowEveryNumber) {
  Bench bench({3, {info({9}), info(self), info(peer)}});
  EXPECT_EQ(bench.views.back()->nodes.at(0).info.node, self);
  EXPECT_EQ(bench.views.back()->nodes.at(2).info.node, base::NodeId{9});
  bench.beat(9, {books(peer, 1)});
  const std::size_t before = bench.views.size();
  for (std::uint64_t version = 2; version < 50; ++version)
    bench.beat(9, {books(peer, version)});
  EXPECT_EQ(bench.views.size(), before);
  bench.pass(MonitorMachine::view_interval);
  EXPECT_EQ(bench.seen().devices.at(0).version, 49u);
}

TEST(Monitor, AListIsSpokenOfOnceItIsOnTheDisk) {
  Bench bench;
  EXPECT_TRUE(bench.kept.empty()) << "what it began with is there already";
  bench.sent.clear();
  bench.step(MembersKnown{{9, {info(self), info(peer), info({3})}}});
  EXPECT_EQ(bench.kept, std::vector<std::uint64_t>{9});
  EXPECT_EQ(bench.take<Heartbeat>().back().members_version, 3u);
  bench.step(MembersKnown{{10, {info(self), info(peer), info({3})}}});
  bench.step(MembersKept{9});
  EXPECT_EQ(bench.take<Heartbeat>().back().members_version, 9u) << "and then at once";
  bench.step(MembersKept{10});
  EXPECT_EQ(bench.take<Heartbeat>().back().members_version, 10u);
  EXPECT_EQ(bench.kept, (std::vector<std::uint64_t>{9, 10}));
}

TEST(Monitor, TellsWhoHasWhomOnItsDisk) {
  Bench bench;
  bench.step(MembersKnown{{9, {info(self), info(peer), info({3})}}});
  bench.beat(9);
  EXPECT_TRUE(bench.lists.knows(self, peer));
  EXPECT_TRUE(bench.lists.knows(peer, self));
  EXPECT_FALSE(bench.lists.knows(self, {3})) << "not on the disk yet";
  EXPECT_FALSE(bench.lists.knows({3}, self)) << "it has said nothing";
  bench.step(MembersKept{9});
  EXPECT_TRUE(bench.lists.knows(self, {3}));
  EXPECT_FALSE(bench.lists.knows(peer, {3}));
  bench.beat(9, {}, 9);
  bench.beat(9, {}, 3);
  EXPECT_TRUE(bench.lists.knows(peer, {3})) << "a late word takes nothing back";
  bench.step(PeerDown{peer, {9}});
  EXPECT_TRUE(bench.lists.knows(peer, {3})) << "nor does its death";
  bench.step(PeerUp{peer, {10}});
  EXPECT_FALSE(bench.lists.knows(peer, self)) << "another life may be on another disk";
}

TEST(Monitor, AFounderKnowsNobodyForSureBeforeThereIsAList) {
  Bench bench({0, {info(self), info(peer)}});
  bench.beat(9, {}, 0);
  EXPECT_FALSE(bench.lists.knows(self, peer));
  EXPECT_TRUE(bench.kept.empty());
}

TEST(Monitor, DialsTheSeedsWhateverTheKeptListSays) {
  MonitorMachine machine({{7, 7}, info(self), {5}, {3, {info(self), info(peer)}}, {info({4})}});
  std::vector<base::NodeId> dialled;
  for (const Effect& effect : machine.step(Tick{}, base::Time{1000s})) {
    if (const auto* dial = std::get_if<DialNode>(&effect)) {
      dialled.push_back(dial->info.node);
    }
  }
  EXPECT_EQ(dialled, (std::vector<base::NodeId>{{4}, peer}));
  EXPECT_EQ(machine.members().version, 3u);
}

}  // namespace
}  // namespace fastgpu::membership
