#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/session/gateway_machine.hpp"
#include "tests/unit/session/session_samples.hpp"

namespace fastgpu::session::test {
namespace {

namespace limits = base::limits;
using base::ErrorCode;
using base::ErrorKind;
using protocol::NodeState;
using protocol::TaskState;
using testing::IsEmpty;
using testing::SizeIs;

/// Node 1 leads shards 0 and 3, node 2 leads 1 and 4, node 3 leads 2.
class Listing : public testing::Test {
 protected:
  Listing() { see(NodeState::up); }

  GatewayEffects step(const GatewayEvent& event) { return machine_.step(event, now_); }
  void see(NodeState third) {
    step(ViewChanged{
        view_of(1, {node_view(1, {0, 3}), node_view(2, {1, 4}), node_view(3, {2}, third)})});
  }
  GatewayEffects ask() { return step(ClientAsked{{5}, {1}, protocol::ListJobs{}}); }
  static protocol::JobList reply_in(const GatewayEffects& effects) {
    const auto replies = all_of<ReplyToClient>(effects);
    return replies.size() == 1 ? std::get<protocol::JobList>(replies[0].reply)
                               : protocol::JobList{};
  }

  base::Time now_ = at(10s);
  GatewayMachine machine_{{{1}, {1}, 8}};
};

TEST_F(Listing, AsksEachNodeOnceAndEachLocalShard) {
  const auto effects = ask();
  EXPECT_THAT(all_of<AskShard>(effects), SizeIs(2));
  const auto forwards = all_of<ForwardToPeer>(effects);
  ASSERT_THAT(forwards, SizeIs(2));
  EXPECT_EQ(forwards[0].node, base::NodeId{2});
  EXPECT_EQ(forwards[1].node, base::NodeId{3});
}

TEST_F(Listing, MergesByIdOnceAllHaveAnswered) {
  const auto effects = ask();
  const auto shards = all_of<AskShard>(effects);
  const auto peers = all_of<ForwardToPeer>(effects);
  EXPECT_THAT(step(protocol::ShardReply{
                  shards[0].request.call, {0}, list_of({summary(16, TaskState::running)})}),
              IsEmpty());
  EXPECT_THAT(step(protocol::ShardReply{
                  shards[1].request.call, {3}, list_of({summary(11, TaskState::pending)})}),
              IsEmpty());
  auto third = list_of({summary(9, TaskState::running)});
  third.finished_hidden = 4;
  EXPECT_THAT(step(PeerReplied{{2}, {peers[0].forward.call, third}}), IsEmpty());
  const auto list = reply_in(step(PeerReplied{{3}, {peers[1].forward.call, list_of({})}}));
  ASSERT_THAT(list.jobs, SizeIs(3));
  EXPECT_EQ(list.jobs[0].job, base::JobId{9});
  EXPECT_EQ(list.jobs[2].job, base::JobId{16});
  EXPECT_EQ(list.finished_hidden, 4u);
  EXPECT_EQ(list.shards_unanswered, 0u);
  EXPECT_EQ(list.source, base::NodeId{1});
  EXPECT_EQ(machine_.calls_open(), 0u);
}

TEST_F(Listing, CountsWhatDidNotAnswerByItsDeadline) {
  const auto effects = ask();
  for (const AskShard& shard : all_of<AskShard>(effects)) {
    step(protocol::ShardReply{shard.request.call, shard.request.shard, list_of({})});
  }
  step(PeerReplied{{3},
                   {all_of<ForwardToPeer>(effects)[1].forward.call,
                    list_of({summary(10, TaskState::running)})}});
  now_ = machine_.next_deadline().value();
  EXPECT_EQ(now_, at(10s) + limits::list_timeout);
  const auto list = reply_in(step(GatewayTick{}));
  EXPECT_EQ(list.shards_unanswered, 2u);  // both shards of node 2
  EXPECT_THAT(list.jobs, SizeIs(1));
}

TEST_F(Listing, CountsAShardThatAnswersWithAnError) {
  const auto effects = ask();
  const base::Error error{ErrorKind::unavailable, ErrorCode::shard_unavailable, "starting", ""};
  for (const AskShard& shard : all_of<AskShard>(effects)) {
    step(protocol::ShardReply{shard.request.call, shard.request.shard, error});
  }
  step(PeerReplied{{2}, {all_of<ForwardToPeer>(effects)[0].forward.call, list_of({})}});
  const auto list = reply_in(
      step(PeerReplied{{3}, {all_of<ForwardToPeer>(effects)[1].forward.call, list_of({})}}));
  EXPECT_EQ(list.shards_unanswered, 2u);
}

TEST_F(Listing, CountsTheShardsOfANodeThatIsDownWithoutAskingIt) {
  see(NodeState::down);
  const auto effects = ask();
  const auto forwards = all_of<ForwardToPeer>(effects);
  ASSERT_THAT(forwards, SizeIs(1));
  for (const AskShard& shard : all_of<AskShard>(effects)) {
    step(protocol::ShardReply{shard.request.call, shard.request.shard, list_of({})});
  }
  EXPECT_EQ(
      reply_in(step(PeerReplied{{2}, {forwards[0].forward.call, list_of({})}})).shards_unanswered,
      1u);
}

TEST_F(Listing, CountsAMemberThatWasNeverHeardOf) {
  GatewayMachine fresh{{{1}, {1}, 8}};
  fresh.step(ViewChanged{view_of(1, {node_view(1, {}), node_view(4, {}, NodeState::down)})}, now_);
  const auto list = reply_in(fresh.step(ClientAsked{{5}, {1}, protocol::ListJobs{}}, now_));
  EXPECT_EQ(list.shards_unanswered, 1u);
}

TEST_F(Listing, TellsAPeerOnlyWhatIsLedHere) {
  const auto effects = step(PeerForwarded{{2}, {50, protocol::ListJobs{}}});
  EXPECT_THAT(all_of<ForwardToPeer>(effects), IsEmpty());
  const auto shards = all_of<AskShard>(effects);
  ASSERT_THAT(shards, SizeIs(2));
  step(protocol::ShardReply{shards[0].request.call, {0}, list_of({})});
  const auto replies = all_of<ReplyToPeer>(step(protocol::ShardReply{
      shards[1].request.call, {3}, list_of({summary(3, TaskState::running)})}));
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_THAT(std::get<protocol::JobList>(replies[0].reply.reply).jobs, SizeIs(1));
}

TEST_F(Listing, KeepsLiveJobsWhenThereAreTooMany) {
  const auto effects = step(PeerForwarded{{2}, {50, protocol::ListJobs{}}});
  const auto shards = all_of<AskShard>(effects);
  std::vector<protocol::JobSummary> finished;
  for (std::uint64_t i = 0; i < limits::listed_jobs_max; ++i) {
    finished.push_back(summary(8 * (i + 10), TaskState::succeeded));
  }
  step(protocol::ShardReply{shards[0].request.call, {0}, list_of(finished)});
  const auto replies = all_of<ReplyToPeer>(step(protocol::ShardReply{
      shards[1].request.call, {3}, list_of({summary(3, TaskState::running)})}));
  const auto list = std::get<protocol::JobList>(replies.at(0).reply.reply);
  EXPECT_THAT(list.jobs, SizeIs(limits::listed_jobs_max));
  EXPECT_EQ(list.jobs[0].job, base::JobId{3});
  EXPECT_EQ(list.finished_hidden, 1u);
}

}  // namespace
}  // namespace fastgpu::session::test
