/// What every link with keys promises, tested on the simulated and on the real twin: who comes in,
/// as whom, and for how long.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/unit/link/keyed_worlds.hpp"

namespace fastgpu::link::testing {
namespace {

constexpr const char* any_port = "127.0.0.1:0";
constexpr Endpoint here = dialled_endpoint(1);

template <class WorldType>
class KeysContract : public ::testing::Test {
 protected:
  Life node(std::uint32_t number, std::uint64_t incarnation = 1) {
    return begin_life(world_, node_options(number, incarnation), any_port);
  }
  Life client() { return begin_life(world_, client_options(), ""); }
  /// One that says it is `options` and has this key.
  Life life_with(const LinkOptions& options, const security::KeyPair& pair) {
    Life life;
    life.options = options;
    life.link = world_.make_link(options, pair);
    life.link->start(
        [record = life.record.get()](LinkEvent event) { record->add(std::move(event)); });
    return life;
  }
  void dial(Life& from, Life& to) {
    from.link->connect(peer_endpoint(to.options.identity.node), to.address);
    ASSERT_TRUE(this->wait_for<PeerUp>(from));
  }
  template <class Kind>
  bool wait_for(Life& life, std::size_t count = 1) {
    return world_.wait(life, [&] { return life.record->template count<Kind>() >= count; });
  }
  /// The first that `life` was told of being refused.
  CallerRefused first_refused(Life& life) {
    EXPECT_TRUE(this->wait_for<CallerRefused>(life));
    const auto all = life.record->template all<CallerRefused>();
    return all.empty() ? CallerRefused{} : all.front();
  }

  WorldType world_;
};

struct WorldNames {
  template <class WorldType>
  static std::string GetName(int) {
    return name_of<WorldType>();
  }
};
using Worlds = ::testing::Types<Keyed<SimulatedWorld>, Keyed<RealWorld>>;
TYPED_TEST_SUITE(KeysContract, Worlds, WorldNames);

TYPED_TEST(KeysContract, RefusesAStrangersKeyAndTells) {
  Life a = this->node(1);
  const security::KeyPair unknown = security::KeyPair::generate();
  Life as_node = this->life_with(node_options(2), unknown);
  Life as_client = this->life_with(client_options(), unknown);
  as_client.link->connect(here, a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(as_client));
  EXPECT_EQ(as_client.record->template all<PeerDown>().front().reason, DownReason::denied);
  as_node.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(as_node));
  EXPECT_EQ(as_node.record->template all<PeerDown>().front().reason, DownReason::denied);

  const CallerRefused told = this->first_refused(a);
  EXPECT_EQ(told.reason, RefusedFor::stranger);
  EXPECT_NE(told.who.find(unknown.public_key()), std::string::npos) << told.who;
  EXPECT_GE(a.link->counters().strangers_refused, 1u);
  EXPECT_TRUE(a.record->template all<SessionOpened>().empty());
}

TYPED_TEST(KeysContract, LetsNoNodeSpeakAsAnother) {
  Life a = this->node(1);
  Life liar = this->life_with(node_options(3), this->world_.keys().of_node(2));
  liar.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(liar));
  EXPECT_EQ(liar.record->template all<PeerDown>().front().reason, DownReason::denied);
  const CallerRefused told = this->first_refused(a);
  EXPECT_EQ(told.reason, RefusedFor::forged);
  EXPECT_EQ(told.who, "node 2");
  EXPECT_EQ(told.said, base::NodeId{3});
  EXPECT_GE(a.link->counters().dropped_forged, 1u);
}

TYPED_TEST(KeysContract, DropsAFrameInAnothersNameOnAnOpenConnection) {
  Life a = this->node(1);
  Life b = this->node(2);
  Life c = this->node(3);
  this->dial(b, a);
  ASSERT_EQ(b.link->send(peer_endpoint({1}), c.frame("in another's name")), SendResult::queued);
  ASSERT_EQ(b.link->send(peer_endpoint({1}), b.frame("in my own")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.texts(), std::vector<std::string>{"in my own"});
  EXPECT_EQ(a.link->counters().dropped_forged, 1u);
  const CallerRefused told = this->first_refused(a);
  EXPECT_EQ(told, (CallerRefused{RefusedFor::forged, "node 2", {3}, 1}));
}

TYPED_TEST(KeysContract, LetsNoClientSpeakAsANodeNorANodeAsAClient) {
  Life a = this->node(1);
  Life client = this->life_with(node_options(2), this->world_.keys().of_client());
  client.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(client));
  EXPECT_EQ(client.record->template all<PeerDown>().front().reason, DownReason::denied);
  Life node = this->life_with(client_options(), this->world_.keys().of_node(2));
  node.link->connect(here, a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(node));
  EXPECT_EQ(node.record->template all<PeerDown>().front().reason, DownReason::denied);
  EXPECT_TRUE(a.record->template all<SessionOpened>().empty());
  EXPECT_GE(a.link->counters().dropped_forged, 2u);
}

TYPED_TEST(KeysContract, RefusesAPeerOfAnotherClusterAndTells) {
  Life a = this->node(1);
  LinkOptions foreign = node_options(2);
  foreign.identity.cluster = {9, 9};
  Life b = begin_life(this->world_, foreign, any_port);
  b.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(b));
  EXPECT_EQ(b.record->template all<PeerDown>().front().reason, DownReason::other_cluster);
  EXPECT_EQ(this->first_refused(a).reason, RefusedFor::other_cluster);
  EXPECT_GE(a.link->counters().dropped_other_cluster, 1u);
}

TYPED_TEST(KeysContract, SpeaksWithNobodyButTheOwnerOfTheDialledKey) {
  Life a = this->node(1);
  Life b = this->node(2);
  const std::string key_of_c = this->world_.keys().of_node(3).public_key();
  b.link->connect(peer_endpoint({1}), a.address, key_of_c);
  ASSERT_TRUE(this->template wait_for<PeerDown>(b));
  EXPECT_EQ(b.record->template all<PeerDown>().front().reason, DownReason::refused);
  b.link->disconnect(peer_endpoint({1}));
  b.link->connect(peer_endpoint({1}), a.address, security::KeyPair::generate().public_key());
  ASSERT_TRUE(this->template wait_for<PeerDown>(b, 2)) << "a key that nobody has";
  EXPECT_EQ(b.record->template all<PeerDown>().back().reason, DownReason::denied);
  EXPECT_TRUE(b.record->template all<PeerUp>().empty());
}

TYPED_TEST(KeysContract, CutsOffANodeWhoseKeyIsWithdrawn) {
  Life a = this->node(1);
  Life b = this->node(2);
  this->dial(b, a);
  this->dial(a, b);
  const auto start = std::chrono::steady_clock::now();
  this->world_.keys().forget_node(2);
  a.link->keys_changed();
  ASSERT_TRUE(this->template wait_for<PeerDown>(a));
  ASSERT_TRUE(this->template wait_for<PeerDown>(b));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  this->RecordProperty("cut_ms", std::to_string(took.count()));
  EXPECT_EQ(a.record->template all<PeerDown>().front().reason, DownReason::denied);
  EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame("x")), SendResult::unreachable);
  const CallerRefused told = this->first_refused(a);
  EXPECT_EQ(told.reason, RefusedFor::revoked);
  EXPECT_EQ(told.who, "node 2");
  EXPECT_EQ(a.link->counters().channels_revoked, 2u) << "the one it dialled, the one it accepted";
  // It goes on dialling, and is a stranger now.
  ASSERT_TRUE(this->world_.wait(a, [&] { return a.link->counters().strangers_refused >= 1; }));
  EXPECT_EQ(b.record->template all<PeerUp>().size(), 1u);
}

TYPED_TEST(KeysContract, CutsOffAClientWhoseKeyIsWithdrawn) {
  Life a = this->node(1);
  Life client = this->client();
  client.link->connect(here, a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(client));
  this->world_.keys().forget_client();
  a.link->keys_changed();
  ASSERT_TRUE(this->template wait_for<SessionClosed>(a));
  ASSERT_TRUE(this->template wait_for<PeerDown>(client));
}

TYPED_TEST(KeysContract, LeavesTheOthersAloneWhenKeysChange) {
  Life a = this->node(1);
  Life b = this->node(2);
  this->dial(b, a);
  this->world_.keys().of_node(7);
  a.link->keys_changed();
  b.link->keys_changed();
  ASSERT_EQ(b.link->send(peer_endpoint({1}), b.frame("still here")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.link->counters().channels_revoked, 0u);
}

TYPED_TEST(KeysContract, LetsARestartedPeerInWithTheSameKey) {
  Life a = this->node(1);
  {
    Life b = this->node(2, 1);
    this->dial(b, a);
    this->world_.crash(*b.link);
  }
  Life again = this->node(2, 2);
  this->dial(again, a);
  ASSERT_EQ(again.link->send(peer_endpoint({1}), again.frame("back")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.link->counters().strangers_refused, 0u);
}

TYPED_TEST(KeysContract, SaysWhoAsks) {
  Life a = this->node(1);
  Life client = this->client();
  client.link->connect(here, a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(client));
  client.link->send(here, client.frame("mine", FrameKind::client_request));
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  const base::CallerPtr caller = a.record->template all<SessionOpened>().front().caller;
  ASSERT_NE(caller, nullptr);
  EXPECT_EQ(caller->kind, base::CallerKind::client);
  EXPECT_EQ(caller->name, Keys::client_name);
  EXPECT_EQ(a.record->template all<FrameReceived>().front().caller, caller);
}

TYPED_TEST(KeysContract, LetsAJoinerInAsSuchUntilItsTokenExpires) {
  Life a = this->node(1);
  const security::KeyPair joiner = security::KeyPair::generate();
  this->world_.keys().allow_joiner(security::hash_of_key(joiner.public_key()), 2000);
  Life early = this->life_with(client_options(), joiner);
  early.link->connect(here, a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(early));
  EXPECT_EQ(a.record->template all<SessionOpened>().front().caller->kind, base::CallerKind::joiner);
  Life as_node = this->life_with(node_options(5), joiner);
  as_node.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(as_node));
  EXPECT_EQ(as_node.record->template all<PeerDown>().front().reason, DownReason::denied);

  this->world_.keys().set_wall_clock(2000);
  Life late = this->life_with(client_options(), joiner);
  late.link->connect(here, a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(late));
  EXPECT_EQ(late.record->template all<PeerDown>().front().reason, DownReason::denied);
}

}  // namespace
}  // namespace fastgpu::link::testing
