#include "actors/gateway_actor.hpp"

#include <gtest/gtest.h>

#include "tests/support/actors/actor_bench.hpp"

namespace fastgpu::actors {
namespace {

using testing::ActorBench;

/// Node 1, where shard 0 is led here and shard 1 on node 2.
protocol::SharedView two_nodes() {
  protocol::ClusterView view;
  view.cluster = {7, 7};
  view.self = {1};
  for (const std::uint32_t id : {1u, 2u}) {
    protocol::NodeView node;
    node.info = {{id}, "n" + std::to_string(id), "127.0.0.1:760" + std::to_string(id)};
    node.incarnation = {5};
    node.leads = {{{id - 1}, {1}, {1}}};
    view.nodes.push_back(node);
  }
  return std::make_shared<const protocol::ClusterView>(std::move(view));
}

class GatewayActorTest : public ::testing::Test {
 protected:
  GatewayActorTest() {
    bench_.spawn<GatewayActor>();
    bench_.send(two_nodes());
  }
  void ask(std::uint64_t call, protocol::ClientRequest request) {
    bench_.send(FromClient{
        {3}, {call}, std::make_shared<const protocol::ClientRequest>(std::move(request))});
  }
  /// What the client was answered to this call; nothing yet is an Error of no code.
  protocol::ClientReply answer() {
    const auto to_client = bench_.link.take<ToClient>();
    return to_client ? *to_client->reply
                     : protocol::ClientReply(base::Error{base::ErrorKind::internal,
                                                         base::ErrorCode::none, "no answer", ""});
  }

  ActorBench bench_;
};

TEST_F(GatewayActorTest, AnswersAClientWhatItsShardSaid) {
  ask(1, protocol::ShowJob{{8}, 0});
  const auto asked = bench_.shard.take<protocol::ShardRequest>();
  ASSERT_TRUE(asked);
  bench_.send(protocol::ShardReply{asked->call, {0}, protocol::Accepted{{8}}});
  EXPECT_EQ(answer(), protocol::ClientReply(protocol::Accepted{{8}}));
}

TEST_F(GatewayActorTest, PassesARequestOnAndItsAnswerBack) {
  ask(1, protocol::ShowJob{{9}, 0});
  const auto forward = bench_.take_to_node<protocol::Forward>();
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->first, base::NodeId{2});
  bench_.send_peer({2}, protocol::ForwardReply{forward->second.call, protocol::Accepted{{9}}});
  EXPECT_EQ(answer(), protocol::ClientReply(protocol::Accepted{{9}}));
}

TEST_F(GatewayActorTest, AnswersAnotherGateway) {
  bench_.send_peer({2}, protocol::Forward{77, protocol::ShowJob{{8}, 0}});
  const auto asked = bench_.shard.take<protocol::ShardRequest>();
  ASSERT_TRUE(asked);
  bench_.send(protocol::ShardReply{asked->call, {0}, protocol::Accepted{{8}}});
  const auto reply = bench_.take_to_node<protocol::ForwardReply>();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->second.call, 77u);
}

TEST_F(GatewayActorTest, AsksTheObjectsOfItsNode) {
  ask(1, protocol::GetChunk{{{{1}}, 4, {1}}, 0, 4});
  const auto asked = bench_.objects.take<protocol::ObjectRequest>();
  ASSERT_TRUE(asked);
  const protocol::Chunk chunk{{{{1}}, 4, {1}}, 0, base::Bytes::copy_of(std::string_view("abcd"))};
  bench_.send(protocol::ObjectReply{asked->call, chunk});
  EXPECT_EQ(answer(), protocol::ClientReply(chunk));
}

TEST_F(GatewayActorTest, AsksTheLogsOfItsNode) {
  ask(1, protocol::ReadLog{{1}, {8}});
  const auto asked = bench_.logs.take<protocol::LogRead>();
  ASSERT_TRUE(asked);
  const protocol::LogPart part{{}, 5, {1}, true, 0};
  bench_.send(protocol::LogAnswer{asked->call, part});
  EXPECT_EQ(answer(), protocol::ClientReply(part));
}

TEST_F(GatewayActorTest, HasInputsPinnedWhereTheyAreBeforeItAsksTheShard) {
  protocol::JobSpec spec;
  spec.name = "sum";
  spec.command.argv = {"sum"};
  spec.command.inputs = {{"in", false, {protocol::ObjectRef{{{1}}, 4, {2}}}}};
  spec.wait_if_infeasible = true;
  ask(1, protocol::Submit{{{0}, 7, 9}, {std::make_shared<const protocol::JobSpec>(spec)}});
  const auto pin = bench_.take_to_node<protocol::ObjectPin>();
  ASSERT_TRUE(pin) << std::get<base::Error>(answer()).message;
  EXPECT_EQ(pin->first, base::NodeId{2});
  EXPECT_FALSE(bench_.shard.take<protocol::ShardRequest>());
  bench_.send_peer({2}, protocol::ObjectPinned{pin->second.call, pin->second.part, true, {}});
  EXPECT_TRUE(bench_.shard.take<protocol::ShardRequest>());
}

TEST_F(GatewayActorTest, AnswersByADeadlineThoughNobodyAnswersIt) {
  ask(1, protocol::ShowJob{{9}, 0});
  bench_.pass(base::limits::rpc_timeout);
  const protocol::ClientReply reply = answer();
  ASSERT_TRUE(std::holds_alternative<base::Error>(reply));
  EXPECT_EQ(std::get<base::Error>(reply).code, base::ErrorCode::timeout);
}

TEST_F(GatewayActorTest, SaysNothingToASessionThatIsGone) {
  ask(1, protocol::ShowJob{{8}, 0});
  const auto asked = bench_.shard.take<protocol::ShardRequest>();
  ASSERT_TRUE(asked);
  bench_.send(ClientGone{{3}});
  bench_.send(protocol::ShardReply{asked->call, {0}, protocol::Accepted{{8}}});
  EXPECT_FALSE(bench_.link.take<ToClient>());
}

TEST_F(GatewayActorTest, LooksAgainWhenItKeepsNoReplicaOfAShardThatItLeads) {
  protocol::ClusterView view = *two_nodes();
  view.nodes[0].leads.push_back({{2}, {1}, {1}});
  bench_.send(protocol::SharedView(std::make_shared<const protocol::ClusterView>(view)));
  ask(1, protocol::ShowJob{{10}, 0});
  bench_.pass(base::limits::rpc_timeout);
  const protocol::ClientReply reply = answer();
  ASSERT_TRUE(std::holds_alternative<base::Error>(reply));
  EXPECT_EQ(std::get<base::Error>(reply).kind, base::ErrorKind::unavailable);
}

}  // namespace
}  // namespace fastgpu::actors
