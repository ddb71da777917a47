#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::PinAnswer;
using protocol::PinCheck;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardPins : public ShardBench {
 protected:
  void check(std::vector<base::RequestId> requests, std::vector<base::JobId> jobs,
             std::uint64_t question = 1, base::NodeId from = worker) {
    step(PinCheckEvent{from, {1}, {shard, question, std::move(requests), std::move(jobs)}});
  }
  PinAnswer answer() {
    confirm_read();
    const auto answers = sent<PinAnswer>();
    EXPECT_THAT(answers, SizeIs(1));
    return answers.empty() ? PinAnswer{} : answers[0].second;
  }
};

TEST_F(ShardPins, AreGoneWhereTheLedgerDoesNotNameTheirOwner) {
  lead_with_job(spec(3));
  check({request(1), request(2)}, {job_id(1), job_id(2)}, 9);
  EXPECT_EQ(answer(), (PinAnswer{shard, {1}, {1}, 9, {request(2)}, {job_id(2)}}));
}

TEST_F(ShardPins, StayWhileTheirSubmitIsOnItsWayIntoTheLog) {
  lead();
  submit(1, 1, spec(3));
  check({request(1)}, {});
  EXPECT_THAT(answer().gone_requests, IsEmpty());
}

TEST_F(ShardPins, OfAnotherShardAreNobodysToLetGo) {
  lead();
  check({request(1, root)}, {layout.job_id(root, 1)});
  const PinAnswer said = answer();
  EXPECT_THAT(said.gone_requests, IsEmpty());
  EXPECT_THAT(said.gone_jobs, IsEmpty());
}

TEST_F(ShardPins, AreAnsweredForOnlyByALeaderAfterAReadThatBeganLater) {
  check({request(1)}, {});
  EXPECT_THAT(take<Read>(), IsEmpty()) << "it does not lead";
  lead();
  check({request(1)}, {}, 1);
  const auto first = take<Read>();
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_THAT(sent<PinAnswer>(), IsEmpty()) << "not before the read";
  check({request(1)}, {}, 2);
  EXPECT_THAT(take<Read>(), IsEmpty()) << "one read at a time";
  step(ReadReady{first[0].token, machine.state().applied()});
  const auto answers = sent<PinAnswer>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].second.question, 1u);
  step(NotLeading{});
  EXPECT_THAT(sent<PinAnswer>(), IsEmpty()) << "what waited is asked of the next leader";
}

TEST_F(ShardPins, AreAnsweredForOnceForEachNodeThatAsks) {
  lead();
  step(RenewEvent{worker, {1}, {shard, {1}, {1}, device(2), {1}, 1, {}}});
  const auto first = take<Read>();
  check({}, {}, 1);
  check({}, {}, 2);
  check({}, {}, 3, self);
  step(ReadReady{first.at(0).token, machine.state().applied()});
  effects.clear();
  lead(2);
  check({}, {}, 4);
  EXPECT_EQ(answer().question, 4u) << "a new leadership begins with none";
}

TEST_F(ShardPins, ANewJobIsRefusedOnAFullDiskAndAKnownOneIsNot) {
  lead_with_job(spec(3));
  step(protocol::DiskRoom{5u << 20, 64u << 20, true});
  submit(2, 1, spec(3));
  EXPECT_THAT(answers<protocol::Accepted>(), SizeIs(1));
  submit(3, 2, spec(3));
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(errors[0].second.kind, base::ErrorKind::overloaded);
  EXPECT_EQ(errors[0].second.code, base::ErrorCode::disk_full);
  ask(4, protocol::CancelJob{request(8), job_id(1)});
  EXPECT_THAT(log, SizeIs(1)) << "what is accepted goes on, and may be ended";
  step(protocol::DiskRoom{1u << 30, 64u << 20, false});
  submit(5, 2, spec(3));
  EXPECT_THAT(log, SizeIs(2));
}

}  // namespace
}  // namespace fastgpu::ledger
