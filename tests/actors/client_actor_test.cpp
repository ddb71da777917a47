#include "actors/client_actor.hpp"

#include <gtest/gtest.h>

#include "actors/link_actor.hpp"
#include "runtime/codec/client_codec.hpp"
#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

using testing::ActorBench;

/// A link that only remembers what it was told.
class HeldLink final : public link::Link {
 public:
  void start(link::Sink) override {}
  base::Result<std::string> listen(const std::string& address) override { return address; }
  void connect(link::Endpoint endpoint, const std::string& address, const std::string&) override {
    dialled.emplace_back(endpoint, address);
  }
  void disconnect(link::Endpoint endpoint) override { hung_up.push_back(endpoint); }
  link::SendResult send(link::Endpoint endpoint, base::Bytes frame) override {
    sent.emplace_back(endpoint, std::move(frame));
    return result;
  }
  void consumed(link::Endpoint, std::size_t bytes) override { consumed_bytes += bytes; }
  link::LinkCounters counters() const override { return {}; }
  void stop() override {}

  std::vector<std::pair<link::Endpoint, std::string>> dialled;
  std::vector<link::Endpoint> hung_up;
  std::vector<std::pair<link::Endpoint, base::Bytes>> sent;
  std::size_t consumed_bytes = 0;
  link::SendResult result = link::SendResult::queued;
};

class ClientActorTest : public ::testing::Test {
 protected:
  ClientActorTest() {
    bench_.spawn<ClientActor>(std::shared_ptr<link::Link>(link_), link::LinkIdentity{{}, {}, {9}},
                              session::ClientOptions{{"127.0.0.1:7601"}, "test", 1},
                              [this](const session::CallDone& done) { done_.push_back(done); });
  }
  /// The newest request on the wire, decoded.
  codec::ClientCall last_request() {
    const base::Result<link::Frame> frame = link::decode(link_->sent.back().second.span());
    EXPECT_TRUE(frame.ok());
    EXPECT_EQ(frame.value().header.kind, link::FrameKind::client_request);
    base::Result<codec::ClientCall> call = codec::decode_client_call(frame.value().body.span());
    EXPECT_TRUE(call.ok());
    return std::move(call).value();
  }
  void answer(base::CallId call, const protocol::ClientReply& reply) {
    link::FrameHeader header;
    header.kind = link::FrameKind::client_reply;
    bench_.send(link::LinkEvent{
        link::FrameReceived{link::dialled_endpoint(0), header, codec::encode(call, reply)}});
  }
  void start_and_connect() {
    bench_.send(
        session::StartCall{{1}, protocol::AskCluster{}, bench_.now() + std::chrono::seconds(10)});
    bench_.send(link::LinkEvent{link::PeerUp{link::dialled_endpoint(0), {1}, {1}, {7, 7}}});
    protocol::Welcome welcome;
    welcome.protocol_version = base::limits::protocol_version;
    welcome.cluster = {7, 7};
    welcome.node = {{1}, "n1", "127.0.0.1:7601"};
    welcome.shard_count = 4;
    welcome.leads = {{0}};
    welcome.members = {welcome.node};
    answer(last_request().call, welcome);
  }

  std::shared_ptr<HeldLink> link_ = std::make_shared<HeldLink>();
  std::vector<session::CallDone> done_;
  ActorBench bench_;
};

TEST_F(ClientActorTest, DialsItsServerAndGreetsIt) {
  start_and_connect();
  ASSERT_EQ(link_->dialled.size(), 1u);
  EXPECT_EQ(link_->dialled[0].second, "127.0.0.1:7601");
  EXPECT_TRUE(std::holds_alternative<protocol::AskCluster>(last_request().request));
}

TEST_F(ClientActorTest, TellsTheEndOfACall) {
  start_and_connect();
  const protocol::ClusterStatus status{{7, 7}, {1}, {}};
  answer(last_request().call, status);
  ASSERT_EQ(done_.size(), 1u);
  EXPECT_EQ(done_[0], (session::CallDone{{1}, status}));
}

TEST_F(ClientActorTest, GivesBackTheCreditOfWhatItReceived) {
  start_and_connect();
  EXPECT_GT(link_->consumed_bytes, 0u);
}

TEST_F(ClientActorTest, EndsACallAtItsDeadlineThoughNobodyAnswers) {
  start_and_connect();
  bench_.pass(std::chrono::seconds(10));
  ASSERT_EQ(done_.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<base::Error>(done_[0].reply));
}

TEST_F(ClientActorTest, HangsUpOnAServerThatIsDownAndDialsItAgain) {
  start_and_connect();
  bench_.send(link::LinkEvent{link::PeerDown{link::dialled_endpoint(0), link::DownReason::reset}});
  ASSERT_EQ(link_->hung_up.size(), 1u);
  bench_.pass(std::chrono::seconds(1));
  EXPECT_EQ(link_->dialled.size(), 2u);
}

TEST_F(ClientActorTest, DropsAnAnswerThatItCannotRead) {
  start_and_connect();
  link::FrameHeader header;
  header.kind = link::FrameKind::client_reply;
  bench_.send(link::LinkEvent{link::FrameReceived{
      link::dialled_endpoint(0), header, base::Bytes::copy_of(std::string_view("nonsense"))}});
  EXPECT_TRUE(done_.empty());
}

TEST_F(ClientActorTest, RefusesARequestThatNoFrameHolds) {
  start_and_connect();
  link_->result = link::SendResult::too_large;
  bench_.send(
      session::StartCall{{2}, protocol::ListJobs{}, bench_.now() + std::chrono::seconds(10)});
  ASSERT_EQ(done_.size(), 1u);
  EXPECT_EQ(std::get<base::Error>(done_[0].reply).code, base::ErrorCode::too_large);
}

TEST_F(ClientActorTest, TellsNothingOfACallThatWasAbandoned) {
  start_and_connect();
  const base::CallId call = last_request().call;
  bench_.send(session::AbandonCall{{1}});
  answer(call, protocol::ClusterStatus{{7, 7}, {1}, {}});
  EXPECT_TRUE(done_.empty());
}

TEST_F(ClientActorTest, UploadsAndDownloads) {
  start_and_connect();
  const base::Bytes data = base::Bytes::copy_of(std::string_view("abc"));
  bench_.send(session::StartUpload{{2}, {{1}}, data, bench_.now() + std::chrono::seconds(10)});
  EXPECT_EQ(std::get<protocol::PutChunk>(last_request().request).data, data);
  bench_.send(
      session::StartDownload{{3}, {{{1}}, 3, {1}}, bench_.now() + std::chrono::seconds(10)});
  EXPECT_EQ(std::get<protocol::GetChunk>(last_request().request).length, 3u);
}

}  // namespace
}  // namespace fastgpu::actors
