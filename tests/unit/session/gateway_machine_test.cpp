#include "runtime/session/gateway_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using base::ErrorKind;
using protocol::NodeState;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t shard_count = 8;

/// Node 1 of three; node n leads shard n - 1.
class Gateway : public testing::Test {
 protected:
  Gateway() { see({node_view(1, {0}), node_view(2, {1}), node_view(3, {2})}); }

  GatewayEffects step(const GatewayEvent& event) { return machine_.step(event, now_); }
  GatewayEffects see(std::vector<protocol::NodeView> nodes) {
    return step(ViewChanged{view_of(1, std::move(nodes))});
  }
  GatewayEffects ask(std::uint64_t call, protocol::ClientRequest request,
                     std::uint64_t session = 5) {
    return step(ClientAsked{{session}, {call}, std::move(request)});
  }
  GatewayEffects wait_until_due() {
    now_ = machine_.next_deadline().value();
    return step(GatewayTick{});
  }
  static protocol::ClientReply only_reply(const GatewayEffects& effects) {
    const auto replies = all_of<ReplyToClient>(effects);
    return replies.size() == 1 ? replies[0].reply
                               : base::Error{ErrorKind::internal, ErrorCode::none,
                                             std::to_string(replies.size()) + " replies", ""};
  }
  /// The number under which a request was passed on.
  static std::uint64_t passed_on(const GatewayEffects& effects) {
    const auto forwards = all_of<ForwardToPeer>(effects);
    return forwards.empty() ? 0 : forwards[0].forward.call;
  }

  base::Time now_ = at(10s);
  GatewayMachine machine_{{{1}, {1}, shard_count}};
};

TEST_F(Gateway, WelcomesAClientWithTheShardsLedHereAndAllMembers) {
  const auto effects = ask(1, protocol::Hello{limits::protocol_version, "test"});
  const auto welcome = std::get<protocol::Welcome>(only_reply(effects));
  EXPECT_EQ(welcome.node.name, "n1");
  EXPECT_EQ(welcome.leads, std::vector<base::ShardId>{{0}});
  EXPECT_EQ(welcome.shard_count, shard_count);
  EXPECT_THAT(welcome.members, SizeIs(3));
}

TEST_F(Gateway, TurnsAwayAClientOfAnotherProtocolVersion) {
  const auto effects = ask(1, protocol::Hello{99, "test"});
  EXPECT_EQ(error_in(only_reply(effects)).code, ErrorCode::version_skew);
}

TEST_F(Gateway, AnswersWhatTheClusterIsFromTheView) {
  const auto status = std::get<protocol::ClusterStatus>(only_reply(ask(1, protocol::AskCluster{})));
  EXPECT_EQ(status.source, base::NodeId{1});
  EXPECT_THAT(status.nodes, SizeIs(3));
}

TEST_F(Gateway, IsUnavailableBeforeItsFirstView) {
  GatewayMachine fresh{{{1}, {1}, shard_count}};
  const auto effects = fresh.step(ClientAsked{{5}, {1}, protocol::AskCluster{}}, now_);
  EXPECT_EQ(error_in(only_reply(effects)).kind, ErrorKind::unavailable);
}

TEST_F(Gateway, AsksTheLocalShardAndPassesItsAnswerOn) {
  const auto asked = all_of<AskShard>(ask(1, submit_to(0)));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].request.shard, base::ShardId{0});
  const auto effects =
      step(protocol::ShardReply{asked[0].request.call, {0}, protocol::Accepted{base::JobId{16}}});
  EXPECT_EQ(only_reply(effects), protocol::ClientReply(protocol::Accepted{base::JobId{16}}));
  EXPECT_EQ(machine_.calls_open(), 0u);
  EXPECT_FALSE(machine_.next_deadline().has_value());
}

TEST_F(Gateway, SendsASubmitToTheNodeThatLeadsItsShard) {
  const auto effects = ask(1, submit_to(2));
  const auto forwards = all_of<ForwardToPeer>(effects);
  ASSERT_THAT(forwards, SizeIs(1));
  EXPECT_EQ(forwards[0].node, base::NodeId{3});
  const auto reply =
      step(PeerReplied{{3}, {forwards[0].forward.call, protocol::Accepted{base::JobId{10}}}});
  EXPECT_EQ(only_reply(reply), protocol::ClientReply(protocol::Accepted{base::JobId{10}}));
}

TEST_F(Gateway, SendsQuestionsAboutAJobToTheShardOfItsId) {
  const base::JobId job{3 * shard_count + 1};
  for (const protocol::ClientRequest& request :
       {protocol::ClientRequest(protocol::ShowJob{job, 0}),
        protocol::ClientRequest(protocol::WaitJob{job, 1}),
        protocol::ClientRequest(protocol::CancelJob{{{1}, 1, 1}, job})}) {
    const auto forwards = all_of<ForwardToPeer>(ask(request.index() + 100, request));
    ASSERT_THAT(forwards, SizeIs(1));
    EXPECT_EQ(forwards[0].node, base::NodeId{2});
  }
}

TEST_F(Gateway, KnowsThatThereIsNoJobInAShardThatNobodyEverLed) {
  const auto error = error_in(only_reply(ask(1, protocol::ShowJob{{shard_count + 7}, 0})));
  EXPECT_EQ(error.code, ErrorCode::not_found);
  // A member that is away may have led it.
  see({node_view(1, {0}), node_view(2, {1}), node_view(3, {}, NodeState::down)});
  EXPECT_THAT(ask(2, protocol::ShowJob{{shard_count + 7}, 0}), IsEmpty());
}

TEST_F(Gateway, SendsAJoinToTheRootShard) {
  const auto asked =
      all_of<AskShard>(ask(1, protocol::Join{{{0}, 1, 2}, "n4", "127.0.0.1:7604", "token"}));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].request.shard, base::ShardId{0});
}

TEST_F(Gateway, RefusesABadSpecificationBeforeAnybodyIsAsked) {
  protocol::JobSpec spec = good_spec();
  spec.kernel.block = {2000, 1, 1};
  const auto effects = ask(1, submit_to(0, spec));
  EXPECT_THAT(effects, SizeIs(1));
  EXPECT_EQ(error_in(only_reply(effects)).code, ErrorCode::bad_job_spec);
}

TEST_F(Gateway, RefusesASubmitToAShardThatDoesNotExist) {
  EXPECT_EQ(error_in(only_reply(ask(1, submit_to(shard_count)))).code, ErrorCode::bad_argument);
}

TEST_F(Gateway, RefusesAJobThatNoDeviceCouldEverRun) {
  protocol::JobSpec spec = good_spec();
  spec.request.kind = protocol::DeviceKind::gpu;
  const auto error = error_in(only_reply(ask(1, submit_to(0, spec))));
  EXPECT_EQ(error.code, ErrorCode::infeasible);
  EXPECT_EQ(error.kind, ErrorKind::rejected);
  EXPECT_FALSE(error.hint.empty());
}

TEST_F(Gateway, AcceptsAnInfeasibleJobThatAsksToWait) {
  protocol::JobSpec spec = good_spec();
  spec.request.kind = protocol::DeviceKind::gpu;
  spec.wait_if_infeasible = true;
  EXPECT_THAT(all_of<AskShard>(ask(1, submit_to(0, spec))), SizeIs(1));
}

TEST_F(Gateway, IgnoresARepeatWhileTheFirstIsServed) {
  ask(1, submit_to(0));
  EXPECT_THAT(ask(1, submit_to(0)), IsEmpty());
  EXPECT_EQ(machine_.calls_open(), 1u);
}

TEST_F(Gateway, AnswersOnceThoughAnswersAreRepeated) {
  const std::uint64_t call = passed_on(ask(1, submit_to(1)));
  const PeerReplied reply{{2}, {call, protocol::Accepted{base::JobId{9}}}};
  EXPECT_THAT(step(reply), SizeIs(1));
  EXPECT_THAT(step(reply), IsEmpty());
}

TEST_F(Gateway, IgnoresAnAnswerOfANodeThatWasNotAsked) {
  const std::uint64_t call = passed_on(ask(1, submit_to(1)));
  EXPECT_THAT(step(PeerReplied{{3}, {call, protocol::Accepted{base::JobId{9}}}}), IsEmpty());
  EXPECT_EQ(machine_.calls_open(), 1u);
}

TEST_F(Gateway, SaysUnknownOfASubmitThatItsLeaderDidNotAnswer) {
  ask(1, submit_to(1));
  const auto error = error_in(only_reply(wait_until_due()));
  EXPECT_EQ(now_, at(10s) + limits::rpc_timeout);
  EXPECT_EQ(error.kind, ErrorKind::unknown);
  EXPECT_THAT(error.message, HasSubstr("n2"));
}

TEST_F(Gateway, SaysUnknownOfACancelThatItsLeaderDidNotAnswer) {
  ask(1, protocol::CancelJob{{{1}, 1, 1}, base::JobId{9}});
  EXPECT_EQ(error_in(only_reply(wait_until_due())).kind, ErrorKind::unknown);
}

TEST_F(Gateway, SaysUnavailableOfAReadThatItsLeaderDidNotAnswer) {
  ask(1, protocol::ShowJob{base::JobId{9}, 0});
  EXPECT_EQ(error_in(only_reply(wait_until_due())).kind, ErrorKind::unavailable);
}

TEST_F(Gateway, SaysUnavailableAndWhoLedItOfASubmitThatNobodyWasAsked) {
  see({node_view(1, {0}), node_view(2, {1}, NodeState::down), node_view(3, {2})});
  EXPECT_THAT(all_of<ForwardToPeer>(ask(1, submit_to(1))), IsEmpty());
  const auto error = error_in(only_reply(wait_until_due()));
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_EQ(error.code, ErrorCode::shard_unavailable);
  EXPECT_THAT(error.message, HasSubstr("n2"));
}

TEST_F(Gateway, AsksTheLeaderThatAppearsWhileACallWaits) {
  see({node_view(1, {0}), node_view(2, {1}, NodeState::down), node_view(3, {2})});
  ask(1, submit_to(1));
  const auto effects = see({node_view(1, {0}), node_view(2, {1}), node_view(3, {2})});
  EXPECT_NE(passed_on(effects), 0u);
}

TEST_F(Gateway, AsksTheNewLeaderWhenAShardMoves) {
  ask(1, submit_to(1));
  auto moved = node_view(3, {2});
  moved.leads.push_back({{1}, {1}, {2}});
  // The old leader still claims the shard: the later term is right.
  const auto forwards = all_of<ForwardToPeer>(see({node_view(1, {0}), node_view(2, {1}), moved}));
  ASSERT_THAT(forwards, SizeIs(1));
  EXPECT_EQ(forwards[0].node, base::NodeId{3});
}

TEST_F(Gateway, AsksALeaderAgainInItsNextLife) {
  ask(1, submit_to(1));
  auto restarted = node_view(2, {1});
  restarted.incarnation = {2};
  restarted.leads[0].term = {2};
  EXPECT_NE(passed_on(see({node_view(1, {0}), restarted, node_view(3, {2})})), 0u);
}

TEST_F(Gateway, SaysUnknownWhenTheLeaderWentDownAfterItWasAsked) {
  ask(1, submit_to(1));
  see({node_view(1, {0}), node_view(2, {1}, NodeState::down), node_view(3, {2})});
  EXPECT_EQ(error_in(only_reply(wait_until_due())).kind, ErrorKind::unknown);
}

TEST_F(Gateway, AsksAgainWhenANodeSaysThatItDoesNotLead) {
  const std::uint64_t call = passed_on(ask(1, submit_to(1)));
  const base::Error refusal{ErrorKind::unavailable, ErrorCode::shard_unavailable, "not me", ""};
  EXPECT_THAT(step(PeerReplied{{2}, {call, refusal}}), IsEmpty());
  const auto effects = wait_until_due();
  EXPECT_EQ(now_, at(10s) + limits::leader_retry_interval);
  EXPECT_EQ(passed_on(effects), call);
}

TEST_F(Gateway, SaysUnavailableWhenEveryTryWasRefused) {
  const std::uint64_t call = passed_on(ask(1, submit_to(1)));
  const base::Error refusal{ErrorKind::unavailable, ErrorCode::shard_unavailable, "not me", ""};
  protocol::ClientReply last = protocol::Accepted{};
  for (int tries = 0; machine_.calls_open() != 0 && tries < 100; ++tries) {
    step(PeerReplied{{2}, {call, refusal}});
    const auto replies = all_of<ReplyToClient>(wait_until_due());
    if (!replies.empty()) {
      last = replies[0].reply;
    }
  }
  EXPECT_EQ(error_in(last).kind, ErrorKind::unavailable);
}

TEST_F(Gateway, PassesAnOverloadedShardsRefusalOn) {
  const std::uint64_t call = passed_on(ask(1, submit_to(1)));
  const base::Error refusal{ErrorKind::overloaded, ErrorCode::overloaded, "full", ""};
  EXPECT_EQ(only_reply(step(PeerReplied{{2}, {call, refusal}})), protocol::ClientReply(refusal));
}

TEST_F(Gateway, BoundsAWaitAndGivesItThatMuchMoreTime) {
  const auto effects =
      ask(1, protocol::WaitJob{base::JobId{8}, std::chrono::nanoseconds(1h).count()});
  const auto asked = all_of<AskShard>(effects);
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(std::get<protocol::WaitJob>(asked[0].request.request).wait_ns,
            limits::client_wait_max.count());
  EXPECT_EQ(machine_.next_deadline(), now_ + limits::client_wait_max + limits::rpc_timeout);
}

TEST_F(Gateway, AnswersAForwardFromItsOwnShard) {
  const auto asked = all_of<AskShard>(step(PeerForwarded{{2}, {77, submit_to(0)}}));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_THAT(step(PeerForwarded{{2}, {77, submit_to(0)}}), IsEmpty());
  const auto effects =
      step(protocol::ShardReply{asked[0].request.call, {0}, protocol::Accepted{base::JobId{8}}});
  const auto replies = all_of<ReplyToPeer>(effects);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].node, base::NodeId{2});
  EXPECT_EQ(replies[0].reply.call, 77u);
}

TEST_F(Gateway, NeverPassesAForwardOnTwice) {
  const auto effects = step(PeerForwarded{{2}, {77, submit_to(2)}});
  EXPECT_THAT(all_of<ForwardToPeer>(effects), IsEmpty());
  const auto replies = all_of<ReplyToPeer>(effects);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(error_in(replies[0].reply.reply).code, ErrorCode::shard_unavailable);
}

TEST_F(Gateway, RefusesAForwardThatNoShardAnswers) {
  const auto replies = all_of<ReplyToPeer>(step(PeerForwarded{{2}, {77, protocol::AskCluster{}}}));
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(error_in(replies[0].reply.reply).kind, ErrorKind::invalid);
}

TEST_F(Gateway, GivesObjectsToTheLocalStore) {
  const protocol::PutChunk put{{{1}}, 4, 0, base::Bytes::copy_of(std::string_view("abcd"))};
  const auto asked = all_of<AskObjects>(ask(1, put));
  ASSERT_THAT(asked, SizeIs(1));
  const protocol::PutReply reply{{{{1}}, 4, {1}}, 4, true};
  EXPECT_EQ(only_reply(step(protocol::ObjectReply{asked[0].request.call, reply})),
            protocol::ClientReply(reply));
  EXPECT_THAT(step(protocol::ObjectReply{asked[0].request.call, reply}), IsEmpty());
}

protocol::ReadLog read_log(std::uint32_t node) {
  return {{node}, {9}, 0, true, 77, std::chrono::nanoseconds(1h).count(), 1000};
}

TEST_F(Gateway, ReadsALogOfItsOwnNodeWithABoundedWait) {
  const auto asked = all_of<AskLogs>(ask(1, read_log(1)));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].read.request.cursor, 77u);
  EXPECT_EQ(asked[0].read.request.wait_ns, limits::client_wait_max.count());
  EXPECT_EQ(machine_.next_deadline(), now_ + limits::client_wait_max + limits::rpc_timeout);
  const protocol::LogPart part{{}, 78, {1}, true, 0};
  EXPECT_EQ(only_reply(step(protocol::LogAnswer{asked[0].read.call, part})),
            protocol::ClientReply(part));
  EXPECT_THAT(step(protocol::LogAnswer{asked[0].read.call, part}), IsEmpty());
}

TEST_F(Gateway, PassesAQuestionOnToTheNodeThatKeepsTheLog) {
  const auto forwards = all_of<ForwardToPeer>(ask(1, read_log(3)));
  ASSERT_THAT(forwards, SizeIs(1));
  EXPECT_EQ(forwards[0].node, base::NodeId{3});
  const protocol::LogPart part{{}, 78, {3}, true, 0};
  EXPECT_THAT(step(PeerReplied{{2}, {forwards[0].forward.call, part}}), IsEmpty());
  EXPECT_EQ(only_reply(step(PeerReplied{{3}, {forwards[0].forward.call, part}})),
            protocol::ClientReply(part));
}

TEST_F(Gateway, AnswersAnotherGatewayFromItsOwnLogsOnly) {
  const auto asked = all_of<AskLogs>(step(PeerForwarded{{2}, {77, read_log(1)}}));
  ASSERT_THAT(asked, SizeIs(1));
  const protocol::LogPart part{{}, 78, {1}, true, 0};
  EXPECT_THAT(all_of<ReplyToPeer>(step(protocol::LogAnswer{asked[0].read.call, part})), SizeIs(1));
  const auto refused = all_of<ReplyToPeer>(step(PeerForwarded{{2}, {78, read_log(3)}}));
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(error_in(refused[0].reply.reply).kind, ErrorKind::invalid);
}

TEST_F(Gateway, SaysAtOnceThatTheNodeWithTheLogIsDownOrUnknown) {
  see({node_view(1, {0}), node_view(2, {1}, NodeState::down), node_view(3, {2})});
  const auto down = error_in(only_reply(ask(1, read_log(2))));
  EXPECT_EQ(down.kind, ErrorKind::unavailable);
  EXPECT_EQ(down.code, ErrorCode::node_down);
  EXPECT_THAT(down.message, HasSubstr("n2 is down"));
  EXPECT_EQ(error_in(only_reply(ask(2, read_log(9)))).code, ErrorCode::not_found);
}

TEST_F(Gateway, EndsTheWaitForALogWhenItsNodeGoesDown) {
  ask(1, read_log(2));
  const auto effects =
      see({node_view(1, {0}), node_view(2, {1}, NodeState::down), node_view(3, {2})});
  EXPECT_EQ(error_in(only_reply(effects)).code, ErrorCode::node_down);
  EXPECT_EQ(machine_.calls_open(), 0u);
}

TEST_F(Gateway, AsksForALogAgainInTheNextLifeOfItsNode) {
  const std::uint64_t call = passed_on(ask(1, read_log(2)));
  auto restarted = node_view(2, {1});
  restarted.incarnation = {2};
  EXPECT_EQ(passed_on(see({node_view(1, {0}), restarted, node_view(3, {2})})), call);
}

TEST_F(Gateway, SaysWhoDidNotAnswerAQuestionAboutALog) {
  ask(1, read_log(2));
  const auto error = error_in(only_reply(wait_until_due()));
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_EQ(error.code, ErrorCode::timeout);
  EXPECT_THAT(error.message, HasSubstr("n2"));
}

TEST_F(Gateway, RefusesAPieceThatReachesBeyondItsObject) {
  const protocol::PutChunk put{{{1}}, 4, 2, base::Bytes::copy_of(std::string_view("abcd"))};
  EXPECT_EQ(error_in(only_reply(ask(1, put))).code, ErrorCode::bad_argument);
}

TEST_F(Gateway, RefusesToReadMoreThanAChunk) {
  const protocol::GetChunk get{{{{1}}, 4, {1}}, 0, limits::object_chunk_bytes + 1};
  EXPECT_EQ(error_in(only_reply(ask(1, get))).code, ErrorCode::too_large);
}

TEST_F(Gateway, SaysUnavailableWhenTheObjectsDoNotAnswer) {
  ask(1, protocol::GetChunk{{{{1}}, 4, {1}}, 0, 4});
  EXPECT_EQ(error_in(only_reply(wait_until_due())).kind, ErrorKind::unavailable);
}

TEST_F(Gateway, RefusesMoreCallsThanASessionMayHaveOpen) {
  for (std::uint64_t call = 1; call <= limits::client_calls_in_flight_max; ++call) {
    ask(call, protocol::ShowJob{base::JobId{8}, 0});
  }
  const auto error = error_in(only_reply(ask(5000, protocol::ShowJob{base::JobId{8}, 0})));
  EXPECT_EQ(error.kind, ErrorKind::overloaded);
  // Another session is not held up.
  EXPECT_THAT(all_of<AskShard>(ask(1, protocol::ShowJob{base::JobId{8}, 0}, 6)), SizeIs(1));
}

/// A submit of a job with one MiB of data of its own: the largest that is possible.
protocol::Submit large_submit() {
  protocol::JobSpec spec = good_spec();
  protocol::BufferArgument buffer{protocol::BufferUse::in, "x_{}", 4096, {}};
  const auto piece = base::Bytes::copy_of(std::string(limits::inline_data_bytes_max, 'x'));
  buffer.data.assign(limits::job_data_bytes_max / limits::inline_data_bytes_max - 1, piece);
  spec.tasks = static_cast<std::uint32_t>(buffer.data.size());
  spec.kernel.arguments = {buffer};
  spec.request.memory_bytes = buffer.size_bytes;
  return submit_to(0, spec);
}

TEST_F(Gateway, RefusesMoreBytesThanASessionMayHaveOpen) {
  const protocol::ClientRequest request = large_submit();
  std::uint64_t call = 0;
  while (all_of<AskShard>(ask(++call, request)).size() == 1) {
    ASSERT_LT(call, limits::client_calls_in_flight_max) << "only their number bounds the calls";
  }
  EXPECT_LE(machine_.bytes_held(), limits::client_bytes_in_flight_max);
  EXPECT_GT(machine_.bytes_held() + limits::frame_bytes_max, limits::client_bytes_in_flight_max);
  const auto error = error_in(only_reply(ask(5000, request)));
  EXPECT_EQ(error.kind, ErrorKind::overloaded);
  EXPECT_EQ(error.code, ErrorCode::overloaded);
  EXPECT_THAT(error.message, HasSubstr("32 MiB"));
  // What is small is still answered, and another session is not held up.
  EXPECT_THAT(all_of<AskShard>(ask(5001, protocol::ShowJob{base::JobId{8}, 0})), SizeIs(1));
  EXPECT_THAT(all_of<AskShard>(ask(1, request, 6)), SizeIs(1));
}

TEST_F(Gateway, RefusesMoreBytesThanItMayHoldForAllSessions) {
  const protocol::ClientRequest request = large_submit();
  std::uint64_t session = 100;
  while (all_of<AskShard>(ask(1, request, ++session)).size() == 1) {
    ASSERT_LT(session, 1000u) << "it holds whatever comes";
  }
  EXPECT_LE(machine_.bytes_held(), limits::gateway_bytes_in_flight_max);
  EXPECT_EQ(error_in(only_reply(ask(1, request, 5000))).kind, ErrorKind::overloaded);
  // What another node passes on counts as well.
  const auto refused =
      all_of<ReplyToPeer>(step(PeerForwarded{{2}, {77, std::get<protocol::Submit>(request)}}));
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(error_in(refused[0].reply.reply).kind, ErrorKind::overloaded);
}

TEST_F(Gateway, HoldsNoBytesOnceEveryCallIsAnsweredOrItsSessionGone) {
  const auto asked = all_of<AskShard>(ask(1, large_submit()));
  ASSERT_THAT(asked, SizeIs(1));
  ask(2, large_submit(), 6);
  ask(3, protocol::ListJobs{});
  step(protocol::ShardReply{asked[0].request.call, {0}, protocol::Accepted{base::JobId{16}}});
  step(SessionEnded{{6}});
  while (machine_.calls_open() != 0) {
    wait_until_due();
  }
  EXPECT_EQ(machine_.bytes_held(), 0u);
}

TEST_F(Gateway, ForgetsTheCallsOfASessionThatEnded) {
  const std::uint64_t call = passed_on(ask(1, submit_to(1)));
  ask(2, protocol::ListJobs{});
  step(SessionEnded{{5}});
  step(SessionEnded{{5}});
  EXPECT_EQ(machine_.calls_open(), 0u);
  EXPECT_FALSE(machine_.next_deadline().has_value());
  EXPECT_THAT(step(PeerReplied{{2}, {call, protocol::Accepted{base::JobId{9}}}}), IsEmpty());
}

/// Node 1 of three that keep shard 1 and see how many of them are up; nobody leads it.
class LeaderlessGateway : public Gateway {
 protected:
  GatewayEffects see_up(std::uint32_t up) {
    auto members = std::make_shared<protocol::Members>();
    members->plan = {{{1}, {{1}, {2}, {3}}}};
    std::vector<protocol::NodeView> nodes;
    for (std::uint32_t node = 1; node <= 3; ++node) {
      nodes.push_back(node_view(node, {}, node <= up ? NodeState::up : NodeState::down));
    }
    protocol::ClusterView view = *view_of(1, std::move(nodes));
    view.members = std::move(members);
    return step(ViewChanged{std::make_shared<const protocol::ClusterView>(std::move(view))});
  }
  LeaderlessGateway() { machine_ = GatewayMachine({{1}, {1}, shard_count, true}); }
};

TEST_F(LeaderlessGateway, SaysAtOnceThatAShardHasNoMajority) {
  see_up(1);
  const base::Error error = error_in(only_reply(ask(1, submit_to(1))));
  EXPECT_EQ(error.code, ErrorCode::no_majority);
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_THAT(error.message, HasSubstr("n2, n3"));
}

TEST_F(LeaderlessGateway, WaitsForALeaderWhereThereMayBeOneSoon) {
  see_up(2);
  EXPECT_THAT(all_of<ReplyToClient>(ask(1, submit_to(1))), IsEmpty());
  see_up(1);
  EXPECT_EQ(error_in(only_reply(wait_until_due())).code, ErrorCode::no_majority);
}

}  // namespace
}  // namespace fastgpu::session::test
