#include "actors/link_actor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/codec/client_codec.hpp"
#include "runtime/codec/peer_codec.hpp"
#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

constexpr base::NodeId other{2};

/// A wire that keeps what it is given.
class HeldLink final : public link::Link {
 public:
  struct Sent {
    link::Endpoint endpoint;
    link::Frame frame;
  };

  void start(link::Sink) override {}
  base::Result<std::string> listen(const std::string& address) override { return address; }
  void connect(link::Endpoint endpoint, const std::string& address, const std::string&) override {
    dialled.emplace_back(endpoint, address);
  }
  void disconnect(link::Endpoint) override {}
  link::SendResult send(link::Endpoint endpoint, base::Bytes frame) override {
    sent.push_back({endpoint, link::decode(frame.span()).value()});
    return answer;
  }
  void consumed(link::Endpoint, std::size_t bytes) override { consumed_bytes += bytes; }
  link::LinkCounters counters() const override { return {}; }
  void stop() override { stopped = true; }

  link::SendResult answer{link::SendResult::queued};
  std::vector<Sent> sent;
  std::vector<std::pair<link::Endpoint, std::string>> dialled;
  std::size_t consumed_bytes{0};
  bool stopped{false};
};

class LinkActorTest : public ::testing::Test {
 protected:
  LinkActorTest() : wire_(std::make_shared<HeldLink>()) { bench_.spawn<LinkActor>(wire_); }

  void receive(link::Endpoint from, link::FrameKind kind, base::NodeId sender, base::Bytes body,
               base::CallerPtr caller = {}) {
    link::FrameHeader header = link::header_from({{7, 7}, sender, {3}}, kind);
    bench_.send(
        link::LinkEvent{link::FrameReceived{from, header, std::move(body), std::move(caller)}});
  }
  void receive_peer(const protocol::PeerMessage& message) {
    receive(link::peer_endpoint(other), link::FrameKind::peer, other, codec::encode(message));
  }
  static std::shared_ptr<const protocol::PeerMessage> shared(protocol::PeerMessage message) {
    return std::make_shared<const protocol::PeerMessage>(std::move(message));
  }

  std::shared_ptr<HeldLink> wire_;
  testing::ActorBench bench_;
};

TEST_F(LinkActorTest, HandsAPeersMessageToTheActorThatItConcerns) {
  const protocol::Settled settled{{{0}, {1}, {1}, 9}, {4}, {{1}, 0}, {{0, 3}}};
  receive_peer(settled);
  const auto heard = bench_.worker.take<FromPeer>();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->node, other);
  EXPECT_EQ(heard->incarnation, base::Incarnation{3});
  EXPECT_EQ(std::get<protocol::Settled>(*heard->message), settled);
  receive_peer(protocol::MembersAsk{});
  EXPECT_TRUE(bench_.monitor.take<FromPeer>());
  receive_peer(protocol::ForwardReply{1, base::Error{}});
  EXPECT_TRUE(bench_.gateway.take<FromPeer>());
  receive_peer(protocol::ObjectFetch{{}, 0, 1});
  EXPECT_TRUE(bench_.objects.take<FromPeer>());
  protocol::Renew renew;
  renew.device = {other, 0};
  receive_peer(renew);
  EXPECT_TRUE(bench_.shard.take<FromPeer>());
}

TEST_F(LinkActorTest, DropsWhatCannotBeReadAndWhatConcernsNobodyHere) {
  receive(link::peer_endpoint(other), link::FrameKind::peer, other,
          base::Bytes::copy_of(std::string_view("no message at all")));
  receive_peer(protocol::Settled{{{0}, {1}, {1}, 9}, {4}, {{1}, 17}, {{0, 3}}});
  for (const testing::Recorder* one : {&bench_.worker, &bench_.shard, &bench_.gateway}) {
    EXPECT_EQ(one->size(), 0u);
  }
}

TEST_F(LinkActorTest, CountsInTheTraceWhatCannotBeReadAndSaysWhoseItWas) {
  std::vector<std::string> told;
  bench_.context()->trace = [&](const std::string& line) { told.push_back(line); };
  const base::Bytes body = base::Bytes::copy_of(std::string_view("no message at all"));
  receive(link::peer_endpoint(other), link::FrameKind::peer, other, body);
  receive(link::session_endpoint({11}), link::FrameKind::client_request, {}, body);
  receive(link::session_endpoint({11}), link::FrameKind::client_reply, {}, body);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].find("link: frame of n2 dropped, 1 unreadable ones so far -> "), 0u) << told[0];
  EXPECT_EQ(told[1].find("link: frame of client 11 dropped, 2 "), 0u) << told[1];
  EXPECT_EQ(told[2].find("link: frame of client 11 dropped, 3 "), 0u) << told[2];
  bench_.context()->trace = nullptr;
}

TEST_F(LinkActorTest, GivesBackTheCreditOfEveryFrameAlsoOfAnUnreadableOne) {
  const base::Bytes body = base::Bytes::copy_of(std::string_view("no message at all"));
  receive(link::peer_endpoint(other), link::FrameKind::peer, other, body);
  EXPECT_EQ(wire_->consumed_bytes, link::frame_header_bytes + body.size());
}

TEST_F(LinkActorTest, SendsToANodeWithTheShardAndEpochThatTheMessageSpeaksOf) {
  const protocol::Adopt adopt{{3}, {2}, {8}};
  bench_.send(ToPeer{other, shared(adopt)});
  ASSERT_EQ(wire_->sent.size(), 1u);
  EXPECT_EQ(wire_->sent[0].endpoint, link::peer_endpoint(other));
  const link::Frame& frame = wire_->sent[0].frame;
  EXPECT_EQ(frame.header.sender, base::NodeId{1});
  EXPECT_EQ(frame.header.incarnation, base::Incarnation{5});
  EXPECT_EQ(frame.header.shard, base::ShardId{3});
  EXPECT_EQ(frame.header.epoch, base::Epoch{2});
  EXPECT_EQ(std::get<protocol::Adopt>(codec::decode_peer(frame.body.span()).value()), adopt);
}

TEST_F(LinkActorTest, DeliversWhatTheNodeSaysToItselfWithoutTheWire) {
  bench_.send(ToPeer{{1}, shared(protocol::Adopt{{0}, {1}, {1}})});
  EXPECT_TRUE(wire_->sent.empty());
  EXPECT_EQ(bench_.worker.take<FromPeer>().value().node, base::NodeId{1});
}

TEST_F(LinkActorTest, BringsAClientsCallToTheGatewayAndItsAnswerBack) {
  const link::Endpoint client = link::session_endpoint({11});
  receive(client, link::FrameKind::client_request, {},
          codec::encode({42}, protocol::ClientRequest(protocol::AskCluster{})));
  const auto asked = bench_.gateway.take<FromClient>();
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->session, base::SessionId{11});
  EXPECT_EQ(asked->call, base::CallId{42});

  bench_.send(ToClient{asked->session, asked->call,
                       std::make_shared<const protocol::ClientReply>(protocol::Accepted{{8}})});
  ASSERT_EQ(wire_->sent.size(), 1u);
  EXPECT_EQ(wire_->sent[0].endpoint, client);
  const auto answer = codec::decode_client_answer(wire_->sent[0].frame.body.span()).value();
  EXPECT_EQ(answer.call, base::CallId{42});
  EXPECT_EQ(std::get<protocol::Accepted>(answer.reply).job, base::JobId{8});

  bench_.send(link::LinkEvent{link::SessionClosed{client}});
  EXPECT_EQ(bench_.gateway.take<ClientGone>().value().session, base::SessionId{11});
}

TEST_F(LinkActorTest, WarnsOfWhoWasRefusedAndSeldomOfTheSameReason) {
  std::vector<std::string> told;
  bench_.context()->warn = [&](const std::string& what) { told.push_back(what); };
  const auto refuse = [&](link::RefusedFor reason, const char* who, base::NodeId said) {
    bench_.send(link::LinkEvent{link::CallerRefused{reason, who, said, 2}});
  };
  refuse(link::RefusedFor::forged, "node 2", {3});
  refuse(link::RefusedFor::forged, "node 2", {3});
  refuse(link::RefusedFor::stranger, "somebody", {});
  EXPECT_THAT(told,
              ::testing::ElementsAre(
                  "refused node 2, who said it was n3: it came with a name that is not its "
                  "key's; 2 such calls were refused",
                  "refused somebody: it came with an unknown key; 2 such calls were refused"));
  bench_.pass(link::RefusalNews::interval);
  refuse(link::RefusedFor::forged, "node 2", {3});
  ASSERT_EQ(told.size(), 3u);
  EXPECT_NE(told[2].find("4 such calls"), std::string::npos) << told[2];
  bench_.context()->warn = nullptr;
}

TEST_F(LinkActorTest, LetsAJoinerAskToJoinAndNothingElse) {
  const link::Endpoint joiner = link::session_endpoint({12});
  const auto caller = std::make_shared<const base::Caller>(
      base::Caller{base::CallerKind::joiner, {}, "", "its key"});
  receive(joiner, link::FrameKind::client_request, {},
          codec::encode({1}, protocol::ClientRequest(protocol::AskCluster{})), caller);
  EXPECT_FALSE(bench_.gateway.take<FromClient>());
  ASSERT_EQ(wire_->sent.size(), 1u);
  const auto answer = codec::decode_client_answer(wire_->sent[0].frame.body.span()).value();
  EXPECT_EQ(std::get<base::Error>(answer.reply).code, base::ErrorCode::denied);
  receive(joiner, link::FrameKind::client_request, {},
          codec::encode({2}, protocol::ClientRequest(protocol::Join{})), caller);
  EXPECT_TRUE(bench_.gateway.take<FromClient>());
}

TEST_F(LinkActorTest, TellsAClientThatItsAnswerIsTooLargeForAFrame) {
  wire_->answer = link::SendResult::too_large;
  bench_.send(
      ToClient{{11}, {42}, std::make_shared<const protocol::ClientReply>(protocol::Accepted{{8}})});
  ASSERT_EQ(wire_->sent.size(), 2u);
  const auto answer = codec::decode_client_answer(wire_->sent[1].frame.body.span()).value();
  EXPECT_EQ(std::get<base::Error>(answer.reply).code, base::ErrorCode::too_large);
}

TEST_F(LinkActorTest, TellsTheMonitorWhoIsThereAndDialsWhomItNames) {
  bench_.send(DialPeer{{other, "n2", "127.0.0.1:7602"}});
  EXPECT_EQ(wire_->dialled.at(0),
            std::pair(link::peer_endpoint(other), std::string("127.0.0.1:7602")));
  bench_.send(link::LinkEvent{link::PeerUp{link::peer_endpoint(other), other, {3}, {7, 7}}});
  EXPECT_EQ(bench_.monitor.take<PeerUp>().value().incarnation, base::Incarnation{3});
  bench_.send(
      link::LinkEvent{link::PeerDown{link::peer_endpoint(other), link::DownReason::silent}});
  const auto down = bench_.monitor.take<PeerDown>();
  ASSERT_TRUE(down);
  EXPECT_EQ(down->node, other);
  EXPECT_EQ(down->incarnation, base::Incarnation{3}) << "the life that was up";
  EXPECT_TRUE(down->silent);
}

}  // namespace
}  // namespace fastgpu::actors
