#include "runtime/session/client_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "runtime/base/sha256.hpp"
#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using base::ErrorKind;
using protocol::TaskState;
using testing::IsEmpty;
using testing::SizeIs;

protocol::Welcome welcome_from(std::uint32_t node, std::vector<base::ShardId> leads) {
  protocol::Welcome welcome;
  welcome.protocol_version = limits::protocol_version;
  welcome.cluster = {1, 2};
  welcome.node = {{node}, "n" + std::to_string(node), "host" + std::to_string(node) + ":1"};
  welcome.shard_count = 8;
  welcome.leads = std::move(leads);
  welcome.members = {{{1}, "n1", "host1:1"}, {{2}, "n2", "host2:1"}};
  return welcome;
}

const base::Error unavailable{ErrorKind::unavailable, ErrorCode::shard_unavailable, "no leader",
                              ""};

/// A client that was given the addresses of two nodes.
class Client : public testing::Test {
 protected:
  ClientEffects step(const ClientEvent& event) { return machine_.step(event, now_); }

  ClientEffects start(protocol::ClientRequest request, std::uint64_t call = 1,
                      base::Duration time = 30s) {
    return step(StartCall{{call}, std::move(request), now_ + time});
  }
  /// The server comes up and greets.
  ClientEffects come_up(std::uint32_t server, std::vector<base::ShardId> leads) {
    const auto hello = all_of<SendRequest>(step(ServerUp{{server}}));
    EXPECT_THAT(hello, SizeIs(1));
    EXPECT_TRUE(std::holds_alternative<protocol::Hello>(hello.at(0).request));
    return step(
        ReplyReceived{{server}, hello.at(0).wire_call, welcome_from(server + 1, std::move(leads))});
  }
  /// The call is open and its first try was sent to server 0.
  SendRequest sent_to_first(protocol::ClientRequest request, base::Duration time = 30s) {
    start(std::move(request), 1, time);
    return all_of<SendRequest>(come_up(0, {{4}})).at(0);
  }
  ClientEffects wait_until_due() {
    now_ = machine_.next_deadline().value();
    return step(ClientTick{});
  }
  /// Time passes, nobody answers, and what is dialled stays silent.
  protocol::ClientReply run_out() {
    for (int i = 0; i < 10'000 && machine_.next_deadline(); ++i) {
      const auto done = all_of<CallDone>(wait_until_due());
      if (!done.empty()) {
        return done[0].reply;
      }
    }
    return base::Error{ErrorKind::internal, ErrorCode::none, "it never ended", ""};
  }

  base::Time now_ = at(10s);
  ClientMachine machine_{{{"host1:1", "host2:1"}, "test", 42}};
};

TEST_F(Client, DialsWhenThereIsSomethingToAsk) {
  EXPECT_FALSE(machine_.next_deadline().has_value());
  const auto dials = all_of<Dial>(start(protocol::AskCluster{}));
  ASSERT_THAT(dials, SizeIs(1));
  EXPECT_EQ(dials[0].address, "host1:1");
}

TEST_F(Client, DialsEachServerUnderItsKeyAndLearnsTheOthersFromAMember) {
  machine_ = ClientMachine({{"host1:1"}, "test", 42, {"key 1"}});
  EXPECT_EQ(all_of<Dial>(start(protocol::AskCluster{})).at(0).key, "key 1");
  protocol::Welcome welcome = welcome_from(1, {{4}});
  welcome.members[1].key = "key 2";
  welcome.members.push_back({{3}, "n3", "host3:1"});
  welcome.members.back().state = protocol::MemberState::removed;
  const auto hello = all_of<SendRequest>(step(ServerUp{{0}}));
  step(ReplyReceived{{0}, hello.at(0).wire_call, welcome});
  EXPECT_EQ(all_of<Dial>(step(ServerDown{{0}})), (std::vector<Dial>{{{1}, "host2:1", "key 2"}}));
}

TEST_F(Client, SaysThatItsKeyIsNotKnownAndTriesAgainMeanwhile) {
  start(protocol::AskCluster{}, 1, 3s);
  for (std::uint32_t server : {0u, 1u}) {
    step(ServerDown{{server}, true});
    EXPECT_EQ(machine_.calls_open(), 1u);
  }
  const auto reply = run_out();
  EXPECT_EQ(std::get<base::Error>(reply).code, ErrorCode::denied);
}

TEST_F(Client, SendsNothingButHelloBeforeItIsWelcome) {
  EXPECT_THAT(all_of<SendRequest>(start(protocol::AskCluster{})), IsEmpty());
  const auto hello = all_of<SendRequest>(step(ServerUp{{0}}));
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_EQ(std::get<protocol::Hello>(hello[0].request).program, "test");
  EXPECT_THAT(step(ServerUp{{0}}), IsEmpty());
}

TEST_F(Client, EndsACallWithItsAnswerOnce) {
  const SendRequest sent = sent_to_first(protocol::AskCluster{});
  const ReplyReceived reply{{0}, sent.wire_call, protocol::ClusterStatus{{1, 2}, {1}, {}}};
  const auto done = all_of<CallDone>(step(reply));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].reply, reply.reply);
  EXPECT_THAT(step(reply), IsEmpty());
  EXPECT_EQ(machine_.calls_open(), 0u);
}

TEST_F(Client, IgnoresACallNumberThatIsOpen) {
  sent_to_first(protocol::AskCluster{});
  EXPECT_THAT(start(protocol::AskCluster{}, 1), IsEmpty());
}

TEST_F(Client, SubmitsToAShardThatTheNodeLeads) {
  auto submit = submit_to(0);
  submit.request = {};
  const SendRequest sent = sent_to_first(submit);
  const auto& request = std::get<protocol::Submit>(sent.request).request;
  EXPECT_EQ(request.shard, base::ShardId{4});
  EXPECT_NE(request.low, 0u);
}

TEST_F(Client, CancelsAtTheShardOfTheJob) {
  const SendRequest sent = sent_to_first(protocol::CancelJob{{}, base::JobId{8 * 5 + 3}});
  EXPECT_EQ(std::get<protocol::CancelJob>(sent.request).request.shard, base::ShardId{3});
}

TEST_F(Client, LeavesARequestIdThatItWasGiven) {
  const SendRequest sent = sent_to_first(submit_to(2));
  EXPECT_EQ(std::get<protocol::Submit>(sent.request), submit_to(2));
}

TEST_F(Client, KeepsTheRequestIdThroughRetriesOnOtherNodes) {
  auto submit = submit_to(0);
  submit.request = {};
  const SendRequest first = sent_to_first(submit);
  EXPECT_EQ(all_of<Dial>(step(ServerDown{{0}})).at(0).address, "host2:1");
  const SendRequest second = all_of<SendRequest>(come_up(1, {{5}})).at(0);
  EXPECT_EQ(second.server, ServerId{1});
  EXPECT_EQ(second.request, first.request);
  EXPECT_NE(second.wire_call, first.wire_call);
}

TEST_F(Client, MakesOtherRequestIdsFromAnotherSeed) {
  auto submit = submit_to(0);
  submit.request = {};
  const SendRequest mine = sent_to_first(submit);
  machine_ = ClientMachine{{{"host1:1", "host2:1"}, "test", 43}};
  const SendRequest other = sent_to_first(submit);
  EXPECT_NE(std::get<protocol::Submit>(mine.request).request,
            std::get<protocol::Submit>(other.request).request);
}

TEST_F(Client, TakesALateAnswerToAnEarlierTry) {
  const SendRequest first = sent_to_first(submit_to(2));
  wait_until_due();  // the try timed out: asked again elsewhere
  const auto done =
      all_of<CallDone>(step(ReplyReceived{{0}, first.wire_call, protocol::Accepted{{10}}}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].reply, protocol::ClientReply(protocol::Accepted{{10}}));
}

TEST_F(Client, TriesAgainElsewhereWhenANodeCannotReachTheShard) {
  const SendRequest first = sent_to_first(submit_to(2));
  step(ReplyReceived{{0}, first.wire_call, unavailable});
  EXPECT_EQ(all_of<Dial>(wait_until_due()).at(0).server, ServerId{1});
}

TEST_F(Client, BeginsItsNextCallElsewhereWhereANodeCouldNotReachTheShard) {
  const SendRequest sent = sent_to_first(protocol::AskCluster{});
  step(ReplyReceived{{0}, sent.wire_call, unavailable});
  const auto next = start(protocol::AskCluster{}, 2);
  EXPECT_THAT(all_of<SendRequest>(next), IsEmpty()) << "the first node could say nothing";
  EXPECT_EQ(all_of<Dial>(next), (std::vector<Dial>{{{1}, "host2:1"}}));
}

TEST_F(Client, AsksOneOtherNodeWhetherTheNodeWithALogIsDown) {
  const base::Error down{ErrorKind::unavailable, ErrorCode::node_down, "n3 is down", ""};
  const SendRequest first = sent_to_first(protocol::ReadLog{{3}, {9}});
  EXPECT_THAT(all_of<CallDone>(step(ReplyReceived{{0}, first.wire_call, down})), IsEmpty());
  wait_until_due();
  const auto second = all_of<SendRequest>(come_up(1, {{5}}));
  ASSERT_THAT(second, SizeIs(1));
  const auto done = all_of<CallDone>(step(ReplyReceived{{1}, second[0].wire_call, down}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].reply, protocol::ClientReply(down));
}

TEST_F(Client, AsksOneOtherNodeForTheInputsOfASubmit) {
  const base::Error away{ErrorKind::unavailable, ErrorCode::object_missing, "n3 is down", ""};
  const SendRequest first = sent_to_first(submit_to(2));
  EXPECT_THAT(all_of<CallDone>(step(ReplyReceived{{0}, first.wire_call, away})), IsEmpty());
  wait_until_due();
  const auto second = all_of<SendRequest>(come_up(1, {{5}}));
  ASSERT_THAT(second, SizeIs(1));
  const auto done = all_of<CallDone>(step(ReplyReceived{{1}, second[0].wire_call, away}));
  ASSERT_THAT(done, SizeIs(1)) << "who submits may have them";
  EXPECT_EQ(done[0].reply, protocol::ClientReply(away));
}

TEST_F(Client, TriesTheSameNodeLaterWhenItIsOverloaded) {
  const SendRequest first = sent_to_first(submit_to(2));
  step(ReplyReceived{
      {0}, first.wire_call, base::Error{ErrorKind::overloaded, ErrorCode::overloaded, "full", ""}});
  const auto sent = all_of<SendRequest>(wait_until_due());
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].server, ServerId{0});
  EXPECT_GT(now_, at(10s));
}

TEST_F(Client, EndsACallAtOnceWhenItIsRefused) {
  const SendRequest first = sent_to_first(submit_to(2));
  const base::Error refused{ErrorKind::invalid, ErrorCode::bad_job_spec, "bad", "mend it"};
  const auto done = all_of<CallDone>(step(ReplyReceived{{0}, first.wire_call, refused}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].reply, protocol::ClientReply(refused));
}

TEST_F(Client, SaysUnknownWhenASubmitWasSentAndNeverAnswered) {
  sent_to_first(submit_to(2), 4s);
  EXPECT_EQ(error_in(run_out()).kind, ErrorKind::unknown);
  EXPECT_EQ(now_, at(14s));
}

TEST_F(Client, SaysUnknownWhenTheGatewayDidAndNobodySaidMore) {
  const SendRequest first = sent_to_first(submit_to(2), 4s);
  step(ReplyReceived{
      {0}, first.wire_call, base::Error{ErrorKind::unknown, ErrorCode::timeout, "no answer", ""}});
  EXPECT_EQ(error_in(run_out()).kind, ErrorKind::unknown);
}

TEST_F(Client, SaysUnavailableWhenASubmitWasNeverSent) {
  start(submit_to(2), 1, 4s);
  const auto error = error_in(run_out());
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
  EXPECT_EQ(error.code, ErrorCode::no_node_reachable);
}

TEST_F(Client, SaysWhatTheNodeSaidWhenEveryTryWasRefused) {
  const SendRequest first = sent_to_first(submit_to(2), 1s);
  step(ReplyReceived{{0}, first.wire_call, unavailable});
  const auto error = error_in(run_out());
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
}

TEST_F(Client, DoesNotCallAJobHopelessThatALostTryMayHaveBroughtIn) {
  const base::Error hopeless{ErrorKind::rejected, ErrorCode::infeasible, "no gpu", ""};
  const base::Error gone{ErrorKind::lost, ErrorCode::object_missing, "inputs are gone", ""};
  for (const base::Error& refusal : {hopeless, gone}) {
    machine_ = ClientMachine{{{"host1:1", "host2:1"}, "test", 42}};
    sent_to_first(submit_to(2));
    step(ServerDown{{0}});
    const SendRequest second = all_of<SendRequest>(come_up(1, {{5}})).at(0);
    const auto done = all_of<CallDone>(step(ReplyReceived{{1}, second.wire_call, refusal}));
    ASSERT_THAT(done, SizeIs(1));
    EXPECT_EQ(error_in(done[0].reply).kind, ErrorKind::unknown);
  }
}

TEST_F(Client, BacksOffFromANodeThatIsNotThere) {
  machine_ = ClientMachine{{{"host1:1"}, "test", 42}};
  start(protocol::AskCluster{});
  base::Duration longest{};
  for (int i = 0; i < 12; ++i) {
    EXPECT_THAT(all_of<Dial>(step(ServerDown{{0}})), IsEmpty());
    const base::Time before = now_;
    EXPECT_THAT(all_of<Dial>(wait_until_due()), SizeIs(1));
    EXPECT_GE(now_ - before, longest);
    longest = now_ - before;
  }
  EXPECT_EQ(longest, limits::client_backoff_max);
}

TEST_F(Client, GivesUpOnANodeThatConnectsAndSaysNothing) {
  start(protocol::AskCluster{});
  step(ServerUp{{0}});
  const auto effects = wait_until_due();
  EXPECT_EQ(now_, at(10s) + limits::rpc_timeout);
  EXPECT_THAT(all_of<HangUp>(effects), SizeIs(1));
  EXPECT_EQ(all_of<Dial>(effects).at(0).server, ServerId{1});
}

TEST_F(Client, LearnsOtherNodesFromTheFirst) {
  machine_ = ClientMachine{{{"host1:1"}, "test", 42}};
  sent_to_first(protocol::AskCluster{});
  EXPECT_EQ(all_of<Dial>(step(ServerDown{{0}})).at(0).address, "host2:1");
}

TEST_F(Client, EndsItsCallsWhenItsVersionIsTurnedAway) {
  start(protocol::AskCluster{});
  const auto hello = all_of<SendRequest>(step(ServerUp{{0}}));
  const base::Error skew{ErrorKind::rejected, ErrorCode::version_skew, "older", ""};
  const auto done = all_of<CallDone>(step(ReplyReceived{{0}, hello.at(0).wire_call, skew}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(error_in(done[0].reply).code, ErrorCode::version_skew);
}

TEST_F(Client, StaysAwayFromANodeOfAnotherCluster) {
  sent_to_first(protocol::AskCluster{});
  step(ServerDown{{0}});
  const auto hello = all_of<SendRequest>(step(ServerUp{{1}}));
  auto stranger = welcome_from(2, {{5}});
  stranger.cluster = {8, 8};
  EXPECT_THAT(all_of<SendRequest>(step(ReplyReceived{{1}, hello.at(0).wire_call, stranger})),
              IsEmpty());
}

TEST_F(Client, AsksAgainWhatANodeLeadsWhenItLedNothing) {
  auto submit = submit_to(0);
  submit.request = {};
  machine_ = ClientMachine{{{"host1:1"}, "test", 42}};
  start(submit);
  const auto effects = come_up(0, {});
  const auto hello = all_of<SendRequest>(effects);
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<protocol::Hello>(hello[0].request));
}

TEST_F(Client, WaitsForAJobInShortWaitsUntilItIsTerminal) {
  const SendRequest first =
      sent_to_first(protocol::WaitJob{{9}, std::chrono::nanoseconds(10s).count()});
  EXPECT_EQ(std::get<protocol::WaitJob>(first.request).wait_ns, limits::client_wait_max.count());
  const auto again = all_of<SendRequest>(
      step(ReplyReceived{{0}, first.wire_call, list_of({summary(9, TaskState::running)})}));
  ASSERT_THAT(again, SizeIs(1));
  const auto done = all_of<CallDone>(
      step(ReplyReceived{{0}, again[0].wire_call, list_of({summary(9, TaskState::failed)})}));
  EXPECT_THAT(done, SizeIs(1));
}

TEST_F(Client, EndsAWaitWithTheLiveJobWhenItsTimeIsOver) {
  const SendRequest first =
      sent_to_first(protocol::WaitJob{{9}, std::chrono::nanoseconds(10s).count()});
  now_ = at(20s);
  const auto done = all_of<CallDone>(
      step(ReplyReceived{{0}, first.wire_call, list_of({summary(9, TaskState::running)})}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<protocol::JobList>(done[0].reply));
}

TEST_F(Client, RefusesMoreCallsThanItMayHaveOpen) {
  for (std::uint64_t call = 1; call <= limits::client_calls_in_flight_max; ++call) {
    start(protocol::AskCluster{}, call);
  }
  const auto done = all_of<CallDone>(start(protocol::AskCluster{}, 9999));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(error_in(done[0].reply).kind, ErrorKind::overloaded);
}

TEST_F(Client, ForgetsAnAbandonedCall) {
  const SendRequest sent = sent_to_first(protocol::AskCluster{});
  step(AbandonCall{{1}});
  step(AbandonCall{{1}});
  EXPECT_EQ(machine_.calls_open(), 0u);
  EXPECT_THAT(step(ReplyReceived{{0}, sent.wire_call, protocol::ClusterStatus{}}), IsEmpty());
  EXPECT_FALSE(machine_.next_deadline().has_value());
}

// --- transfers -----------------------------------------------------------------------------------

class ClientTransfer : public Client {
 protected:
  ClientTransfer() {
    std::vector<std::uint8_t> data(limits::object_chunk_bytes + 5, 0x5a);
    data_ = base::Bytes(std::move(data));
    object_ = {{}, data_.size(), {1}};
    sent_to_first(protocol::AskCluster{});
    step(AbandonCall{{1}});
  }
  ClientEffects upload() { return step(StartUpload{{2}, object_.hash, data_, now_ + 30s}); }
  ClientEffects download() {
    object_.hash = base::sha256(data_.span());
    return step(StartDownload{{2}, object_, now_ + 30s});
  }
  /// Answers every piece that is asked for, until the call ends.
  protocol::ClientReply serve(ClientEffects effects) {
    for (std::size_t i = 0; i < effects.size(); ++i) {
      if (const auto* done = std::get_if<CallDone>(&effects[i])) {
        return done->reply;
      }
      const auto* sent = std::get_if<SendRequest>(&effects[i]);
      if (sent == nullptr) {
        continue;
      }
      protocol::ClientReply reply;
      if (const auto* get = std::get_if<protocol::GetChunk>(&sent->request)) {
        reply =
            protocol::Chunk{object_, get->offset,
                            base::Bytes::copy_of(data_.span().subspan(get->offset, get->length))};
      } else {
        const auto& put = std::get<protocol::PutChunk>(sent->request);
        received_ = std::max(received_, put.offset + put.data.size());
        reply = protocol::PutReply{object_, received_, received_ == put.size_bytes};
      }
      const auto more = step(ReplyReceived{sent->server, sent->wire_call, reply});
      effects.insert(effects.end(), more.begin(), more.end());
    }
    return base::Error{ErrorKind::internal, ErrorCode::none, "it never ended", ""};
  }

  base::Bytes data_;
  protocol::ObjectRef object_;
  std::uint64_t received_ = 0;
};

TEST_F(ClientTransfer, BringsAnObjectToANode) {
  const auto reply = serve(upload());
  ASSERT_TRUE(std::holds_alternative<protocol::PutReply>(reply));
  EXPECT_TRUE(std::get<protocol::PutReply>(reply).complete);
}

TEST_F(ClientTransfer, BringsAnObjectHere) {
  const auto reply = serve(download());
  ASSERT_TRUE(std::holds_alternative<protocol::Chunk>(reply));
  EXPECT_EQ(std::get<protocol::Chunk>(reply).data, data_);
}

TEST_F(ClientTransfer, BeginsAnUploadAgainAtAnotherNode) {
  const auto first = all_of<SendRequest>(upload()).at(0);
  step(ReplyReceived{first.server, first.wire_call,
                     protocol::PutReply{object_, limits::object_chunk_bytes, false}});
  step(ServerDown{{0}});
  const auto sent = all_of<SendRequest>(come_up(1, {{5}}));
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(std::get<protocol::PutChunk>(sent[0].request).offset, 0u);
}

TEST_F(ClientTransfer, FinishesADownloadThroughAnotherNode) {
  const auto first = all_of<SendRequest>(download()).at(0);
  step(ReplyReceived{
      first.server, first.wire_call,
      protocol::Chunk{object_, 0,
                      base::Bytes::copy_of(data_.span().first(limits::object_chunk_bytes))}});
  step(ServerDown{{0}});
  const auto reply = serve(come_up(1, {{5}}));
  ASSERT_TRUE(std::holds_alternative<protocol::Chunk>(reply));
  EXPECT_EQ(std::get<protocol::Chunk>(reply).data, data_);
}

TEST_F(ClientTransfer, SaysWhenAnObjectIsGone) {
  const auto first = all_of<SendRequest>(download()).at(0);
  const base::Error gone{ErrorKind::lost, ErrorCode::object_missing, "gone", ""};
  const auto done = all_of<CallDone>(step(ReplyReceived{first.server, first.wire_call, gone}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].reply, protocol::ClientReply(gone));
}

TEST_F(ClientTransfer, EndsAtItsDeadline) {
  upload();
  const auto error = error_in(run_out());
  EXPECT_EQ(now_, at(40s));
  EXPECT_EQ(error.kind, ErrorKind::unavailable);
}

TEST_F(ClientTransfer, RefusesAnObjectBeyondEveryLimit) {
  object_.size_bytes = limits::object_bytes_max + 1;
  const auto done = all_of<CallDone>(download());
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(error_in(done[0].reply).code, ErrorCode::too_large);
}

TEST_F(Client, SubmitsToSomeShardWhereNoNodeLeadsAnyAndSaysWhyNoneDoes) {
  const base::Error why{ErrorKind::unavailable, ErrorCode::no_majority, "shard 3 has no majority",
                        "start them again"};
  std::optional<protocol::ClientReply> end;
  std::size_t submits = 0;
  const std::function<void(const ClientEffects&)> follow = [&](const ClientEffects& effects) {
    for (const CallDone& done : all_of<CallDone>(effects)) {
      end = done.reply;
    }
    for (const Dial& dial : all_of<Dial>(effects)) {
      follow(step(ServerUp{dial.server}));
    }
    for (const SendRequest& sent : all_of<SendRequest>(effects)) {
      const bool is_hello = std::holds_alternative<protocol::Hello>(sent.request);
      submits += is_hello ? 0 : 1;
      follow(step(ReplyReceived{
          sent.server, sent.wire_call,
          is_hello ? protocol::ClientReply(welcome_from(sent.server.value + 1, {})) : why}));
    }
  };
  auto submit = submit_to(0);
  submit.request = {};
  follow(start(submit, 1, 5s));
  for (int i = 0; i < 1000 && !end; ++i) {
    follow(wait_until_due());
  }
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(error_in(*end), why);
  EXPECT_GT(submits, 0u);
}

}  // namespace
}  // namespace fastgpu::session::test
