/// What every link promises, tested on the simulated and on the real twin.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/link/keyed_worlds.hpp"

namespace fastgpu::link::testing {
namespace {

constexpr const char* any_port = "127.0.0.1:0";

template <class WorldType>
class LinkContract : public ::testing::Test {
 protected:
  Life node(std::uint32_t number, std::uint64_t incarnation = 1) {
    return begin_life(world_, node_options(number, incarnation), any_port);
  }
  Life client() { return begin_life(world_, client_options(), ""); }

  /// Each dials the other; returns when both may send.
  void join(Life& a, Life& b) {
    dial(a, b);
    dial(b, a);
  }
  void dial(Life& from, Life& to) {
    const std::size_t ups = from.record->template count<PeerUp>();
    from.link->connect(peer_endpoint(to.options.identity.node), to.address);
    ASSERT_TRUE(
        world_.wait(from, [&] { return from.record->template count<PeerUp>() == ups + 1; }));
  }
  template <class Kind>
  bool wait_for(Life& life, std::size_t count = 1) {
    return world_.wait(life, [&] { return life.record->template count<Kind>() >= count; });
  }
  void consume_all(Life& life) {
    for (const FrameReceived& frame : life.record->template all<FrameReceived>()) {
      life.link->consumed(frame.from, frame.bytes());
    }
  }

  WorldType world_;
};

struct WorldNames {
  template <class WorldType>
  static std::string GetName(int) {
    return name_of<WorldType>();
  }
};
using Worlds = ::testing::Types<SimulatedWorld, RealWorld, Keyed<SimulatedWorld>, Keyed<RealWorld>>;
TYPED_TEST_SUITE(LinkContract, Worlds, WorldNames);

TYPED_TEST(LinkContract, DeliversInOrder) {
  Life a = this->node(1);
  Life b = this->node(2);
  this->join(a, b);
  std::vector<std::string> sent;
  for (int i = 0; i < 2000; ++i) {
    sent.push_back("frame " + std::to_string(i));
    ASSERT_EQ(a.link->send(peer_endpoint({2}), a.frame(sent.back())), SendResult::queued);
  }
  ASSERT_TRUE(this->template wait_for<FrameReceived>(b, sent.size()));
  EXPECT_EQ(b.texts(), sent);
  const FrameReceived first = b.record->template all<FrameReceived>().front();
  EXPECT_EQ(first.from, peer_endpoint({1}));
  EXPECT_EQ(first.header, header_from(a.options.identity, FrameKind::peer));
  EXPECT_EQ(b.link->counters().frames_delivered, sent.size());
}

TYPED_TEST(LinkContract, CarriesFramesUpToTheLimitAndRefusesLarger) {
  Life a = this->node(1);
  Life b = this->node(2);
  this->join(a, b);
  const std::string largest(frame_body_bytes_max, 'x');
  EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame(largest + "y")), SendResult::too_large);
  EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame(largest)), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(b));
  EXPECT_EQ(b.texts().front(), largest);
  EXPECT_EQ(a.link->counters().sends_too_large, 1u);
}

TYPED_TEST(LinkContract, TellsWhoIsUp) {
  Life a = this->node(1, 11);
  Life b = this->node(2, 22);
  this->join(a, b);
  EXPECT_EQ(a.record->template all<PeerUp>(),
            (std::vector<PeerUp>{{peer_endpoint({2}), {2}, {22}, our_cluster_id}}));
  EXPECT_EQ(b.record->template all<PeerUp>(),
            (std::vector<PeerUp>{{peer_endpoint({1}), {1}, {11}, our_cluster_id}}));
}

TYPED_TEST(LinkContract, SendsNothingToWhoIsNotUp) {
  Life a = this->node(1);
  EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame("x")), SendResult::unreachable);
  EXPECT_EQ(a.link->send(session_endpoint({5}), a.frame("x")), SendResult::unreachable);
  EXPECT_EQ(a.link->counters().sends_unreachable, 2u);
}

TYPED_TEST(LinkContract, TellsWhenNobodyListens) {
  Life a = this->node(1);
  Life b = this->node(2);
  const std::string address = b.address;
  b.link->stop();
  a.link->connect(peer_endpoint({2}), address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(a));
  EXPECT_EQ(a.record->template all<PeerDown>().front(),
            (PeerDown{peer_endpoint({2}), DownReason::refused}));
}

TYPED_TEST(LinkContract, TellsGoodbyeFromCrash) {
  Life a = this->node(1);
  Life b = this->node(2);
  Life c = this->node(3);
  this->dial(a, b);
  this->dial(a, c);
  b.link->stop();
  ASSERT_TRUE(this->template wait_for<PeerDown>(a, 1));
  EXPECT_EQ(a.record->template all<PeerDown>().back(),
            (PeerDown{peer_endpoint({2}), DownReason::closed}));
  this->world_.crash(*c.link);
  ASSERT_TRUE(this->template wait_for<PeerDown>(a, 2));
  EXPECT_EQ(a.record->template all<PeerDown>().back(),
            (PeerDown{peer_endpoint({3}), DownReason::reset}));
  EXPECT_EQ(a.link->send(peer_endpoint({3}), a.frame("x")), SendResult::unreachable);
}

TYPED_TEST(LinkContract, FindsTheNextLifeOfAPeer) {
  Life a = this->node(1);
  Life b = this->node(2, 1);
  this->join(a, b);
  this->world_.crash(*b.link);
  ASSERT_TRUE(this->template wait_for<PeerDown>(a));
  b.link.reset();
  Life again = begin_life(this->world_, node_options(2, 2), b.address);
  again.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(a, 2));
  EXPECT_EQ(a.record->template all<PeerUp>().back().incarnation, base::Incarnation{2});
  EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame("welcome back")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(again));
  EXPECT_EQ(again.texts().front(), "welcome back");
}

TYPED_TEST(LinkContract, NeverDeliversAnEarlierLife) {
  Life a = this->node(1);
  Life newer = this->node(2, 9);
  Life older = this->node(2, 8);
  this->dial(newer, a);
  older.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(older));
  EXPECT_EQ(older.record->template all<PeerDown>().front().reason, DownReason::refused);
  EXPECT_GE(a.link->counters().dropped_old_incarnation, 1u);
  // A frame stamped by an earlier life, on a channel of the newer one.
  ASSERT_EQ(newer.link->send(peer_endpoint({1}), older.frame("stale")), SendResult::queued);
  ASSERT_EQ(newer.link->send(peer_endpoint({1}), newer.frame("fresh")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.texts(), std::vector<std::string>{"fresh"});
  EXPECT_TRUE(older.record->template all<PeerUp>().empty());
}

TYPED_TEST(LinkContract, NeverDeliversAnotherCluster) {
  Life a = this->node(1);
  LinkOptions foreign_options = node_options(2);
  foreign_options.identity.cluster = {9, 9};
  Life foreign = begin_life(this->world_, foreign_options, any_port);
  foreign.link->connect(peer_endpoint({1}), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(foreign));
  EXPECT_EQ(foreign.record->template all<PeerDown>().front().reason, DownReason::other_cluster);
  EXPECT_GE(a.link->counters().dropped_other_cluster, 1u);

  Life b = this->node(2);
  this->dial(b, a);
  ASSERT_EQ(b.link->send(peer_endpoint({1}), foreign.frame("foreign")), SendResult::queued);
  ASSERT_EQ(b.link->send(peer_endpoint({1}), b.frame("ours")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.texts(), std::vector<std::string>{"ours"});
  EXPECT_GE(a.link->counters().dropped_other_cluster, 2u);
}

TYPED_TEST(LinkContract, NeverTakesOneNodeForAnother) {
  Life a = this->node(1);
  Life b = this->node(2);
  a.link->connect(peer_endpoint({3}), b.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(a));
  EXPECT_EQ(a.record->template all<PeerDown>().front(),
            (PeerDown{peer_endpoint({3}), DownReason::other_node}));
  this->dial(b, a);
  Life c = this->node(3);
  ASSERT_EQ(b.link->send(peer_endpoint({1}), c.frame("in another's name")), SendResult::queued);
  ASSERT_EQ(b.link->send(peer_endpoint({1}), b.frame("in my own")), SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.texts(), std::vector<std::string>{"in my own"});
  EXPECT_GE(a.link->counters().dropped_other_sender, 1u);
}

TYPED_TEST(LinkContract, AnswersAClientOnItsSession) {
  Life a = this->node(1, 5);
  Life client = this->client();
  Life other = this->client();
  const Endpoint here = dialled_endpoint(1);
  for (Life* life : {&client, &other}) {
    life->link->connect(here, a.address);
    ASSERT_TRUE(this->template wait_for<PeerUp>(*life));
    EXPECT_EQ(life->record->template all<PeerUp>().front(),
              (PeerUp{here, {1}, {5}, our_cluster_id}));
  }
  ASSERT_EQ(client.link->send(here, client.frame("question", FrameKind::client_request)),
            SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  const FrameReceived asked = a.record->template all<FrameReceived>().front();
  EXPECT_TRUE(is_session(asked.from));
  EXPECT_EQ(asked.body.text(), "question");
  EXPECT_EQ(a.record->template all<SessionOpened>().front().endpoint, asked.from);
  ASSERT_EQ(a.link->send(asked.from, a.frame("answer", FrameKind::client_reply)),
            SendResult::queued);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(client));
  EXPECT_EQ(client.texts(), std::vector<std::string>{"answer"});
  EXPECT_EQ(client.record->template all<FrameReceived>().front().from, here);
  EXPECT_TRUE(other.texts().empty());
}

TYPED_TEST(LinkContract, TellsWhenAClientLeaves) {
  Life a = this->node(1);
  Life polite = this->client();
  polite.link->connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(polite));
  polite.link->stop();
  ASSERT_TRUE(this->template wait_for<SessionClosed>(a, 1));
  Life killed = this->client();
  killed.link->connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(killed));
  this->world_.crash(*killed.link);
  ASSERT_TRUE(this->template wait_for<SessionClosed>(a, 2));
  const auto opened = a.record->template all<SessionOpened>();
  const auto closed = a.record->template all<SessionClosed>();
  ASSERT_EQ(opened.size(), 2u);
  EXPECT_EQ(opened[0].endpoint, closed[0].endpoint);
  EXPECT_EQ(opened[1].endpoint, closed[1].endpoint);
  EXPECT_NE(opened[0].endpoint, opened[1].endpoint);
}

TYPED_TEST(LinkContract, HangsUpOnAClient) {
  Life a = this->node(1);
  Life client = this->client();
  client.link->connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(this->template wait_for<SessionOpened>(a));
  a.link->disconnect(a.record->template all<SessionOpened>().front().endpoint);
  ASSERT_TRUE(this->template wait_for<PeerDown>(client));
  EXPECT_EQ(client.record->template all<PeerDown>().front().reason, DownReason::closed);
  EXPECT_TRUE(a.record->template all<SessionClosed>().empty());
}

TYPED_TEST(LinkContract, LetsClientsAndPeersSayOnlyWhatIsTheirs) {
  Life a = this->node(1);
  Life client = this->client();
  client.link->connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(client));
  client.link->send(dialled_endpoint(1), client.frame("as a peer", FrameKind::peer));
  client.link->send(dialled_endpoint(1), client.frame("as itself", FrameKind::client_request));
  ASSERT_TRUE(this->template wait_for<FrameReceived>(a));
  EXPECT_EQ(a.texts(), std::vector<std::string>{"as itself"});
  EXPECT_EQ(a.link->counters().dropped_kind, 1u);
}

TYPED_TEST(LinkContract, BoundsWhatASlowConsumerMakesOthersKeep) {
  LinkOptions small = node_options(1);
  small.frame_bytes_max = 4096;
  small.credit_bytes = 16'384;
  small.peer_send_queue_bytes_max = 32'768;
  Life slow = begin_life(this->world_, small, any_port);
  small.identity.node = {2};
  Life fast = begin_life(this->world_, small, any_port);
  this->dial(fast, slow);
  const base::Bytes frame = fast.frame(std::string(1000, 'x'));
  std::size_t taken = 0;
  while (fast.link->send(peer_endpoint({1}), frame) == SendResult::queued) {
    ASSERT_LT(++taken, 1000u) << "the queue has no bound";
  }
  const std::size_t window = small.credit_bytes / frame.size();
  const std::size_t queue = small.peer_send_queue_bytes_max / frame.size();
  EXPECT_EQ(taken, window + queue);
  ASSERT_TRUE(this->template wait_for<FrameReceived>(slow, window));
  EXPECT_EQ(fast.link->counters().sends_full, 1u);

  // Nothing more comes until the consumer has dealt with what it was given, however long it takes.
  Life witness = begin_life(this->world_, node_options(3), any_port);
  this->dial(witness, slow);
  witness.link->send(peer_endpoint({1}), witness.frame("later"));
  ASSERT_TRUE(this->template wait_for<FrameReceived>(slow, window + 1));
  EXPECT_EQ(slow.record->template all<FrameReceived>().size(), window + 1);

  std::size_t consumed = 0;
  const auto consume_and_count = [&] {
    const auto frames = slow.record->template all<FrameReceived>();
    for (; consumed < frames.size(); ++consumed) {
      slow.link->consumed(frames[consumed].from, frames[consumed].bytes());
    }
    return frames.size() == taken + 1;
  };
  EXPECT_TRUE(this->world_.wait(slow, consume_and_count));
  EXPECT_EQ(slow.link->counters().dropped_over_credit, 0u);
  EXPECT_EQ(fast.link->send(peer_endpoint({1}), frame), SendResult::queued);
}

TYPED_TEST(LinkContract, CarriesMoreThanTheWindowWhenConsumed) {
  LinkOptions small = node_options(1);
  small.frame_bytes_max = 4096;
  small.credit_bytes = 8192;
  small.peer_send_queue_bytes_max = 4u << 20;
  Life a = begin_life(this->world_, small, any_port);
  small.identity.node = {2};
  Life b = begin_life(this->world_, small, any_port);
  this->dial(b, a);
  constexpr std::size_t count = 500;
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(b.link->send(peer_endpoint({1}), b.frame(std::string(1 + 5 * i, 'x'))),
              SendResult::queued);
  }
  std::size_t consumed = 0;
  EXPECT_TRUE(this->world_.wait(a, [&] {
    const auto frames = a.record->template all<FrameReceived>();
    for (; consumed < frames.size(); ++consumed) {
      a.link->consumed(frames[consumed].from, frames[consumed].bytes());
    }
    return consumed == count;
  }));
  EXPECT_EQ(a.record->template all<FrameReceived>().back().body.size(), 1 + 5 * (count - 1));
}

TYPED_TEST(LinkContract, RefusesToListenWhereItMustNot) {
  Life a = begin_life(this->world_, node_options(1), "");
  std::vector<std::string> addresses{"0.0.0.0:0", "[::]:0", "*:7601"};
  if (!TypeParam::is_keyed) {
    addresses.emplace_back("192.168.1.5:7601");
  }
  for (const std::string& address : addresses) {
    const auto refused = a.link->listen(address);
    ASSERT_FALSE(refused.ok()) << address;
    EXPECT_EQ(refused.error().code, base::ErrorCode::listen_refused) << address;
    const char* remedy = TypeParam::is_keyed ? "10.0.0.11" : "127.0.0.1";
    EXPECT_NE(refused.error().hint.find(remedy), std::string::npos) << address;
  }
}

TYPED_TEST(LinkContract, RefusesAPortThatIsTaken) {
  Life a = this->node(1);
  Life b = begin_life(this->world_, node_options(2), "");
  const auto refused = b.link->listen(a.address);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::ErrorCode::conflict) << "it may be free later";
  EXPECT_FALSE(refused.error().hint.empty());
}

TYPED_TEST(LinkContract, RefusesAClientTooMany) {
  LinkOptions options = node_options(1);
  options.sessions_max = 1;
  Life a = begin_life(this->world_, options, any_port);
  Life first = this->client();
  first.link->connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(first));
  Life second = this->client();
  second.link->connect(dialled_endpoint(1), a.address);
  ASSERT_TRUE(this->template wait_for<PeerDown>(second));
  EXPECT_EQ(second.record->template all<PeerDown>().front().reason, DownReason::refused);
  EXPECT_GE(a.link->counters().dropped_sessions_full, 1u);
}

TYPED_TEST(LinkContract, MovesAPeerToItsNewAddress) {
  Life a = this->node(1);
  Life b = this->node(2, 1);
  this->dial(a, b);
  Life moved = this->node(2, 2);
  a.link->connect(peer_endpoint({2}), moved.address);
  ASSERT_TRUE(this->template wait_for<PeerUp>(a, 2));
  EXPECT_EQ(a.record->template all<PeerUp>().back().incarnation, base::Incarnation{2});
}

TYPED_TEST(LinkContract, IsSilentAfterDisconnectAndStop) {
  Life a = this->node(1);
  Life b = this->node(2);
  this->join(a, b);
  a.link->disconnect(peer_endpoint({2}));
  EXPECT_EQ(a.link->send(peer_endpoint({2}), a.frame("x")), SendResult::unreachable);
  b.link->stop();
  EXPECT_EQ(b.link->send(peer_endpoint({1}), b.frame("x")), SendResult::unreachable);
  EXPECT_TRUE(a.record->template all<PeerDown>().empty());
  EXPECT_TRUE(b.record->template all<PeerDown>().empty());
}

}  // namespace
}  // namespace fastgpu::link::testing
