/// A leader with other replicas may have been deposed without knowing it, paused or cut off. What
/// it says of its state is said only once a majority has confirmed, after the question came, that
/// it leads still; many questions share one round.

#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShardReads : public ShardBench {
 protected:
  explicit ShardReads(ShardLimits limits = {}, LedgerFaults faults = {})
      : ShardBench(limits, shard, faults, true) {}
  base::LogToken read() {
    const auto reads = take<Read>();
    EXPECT_THAT(reads, SizeIs(1));
    return reads.empty() ? base::LogToken{} : reads[0].token;
  }
  void confirm(base::LogToken token) { step(ReadReady{token, machine.state().applied()}); }
  void expect_turned_away(std::uint64_t call) {
    const auto errors = answers<base::Error>();
    ASSERT_THAT(errors, SizeIs(1));
    EXPECT_EQ(errors[0].first, call);
    EXPECT_EQ(errors[0].second.code, base::ErrorCode::shard_unavailable) << "another may answer";
  }
};

TEST_F(ShardReads, AnAnswerWaitsForAMajorityToConfirmTheLeader) {
  lead_with_job(spec(2));
  ask(5, protocol::ShowJob{job_id(1)});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  confirm(read());
  EXPECT_THAT(answers<protocol::JobDetail>(), SizeIs(1));
}

TEST_F(ShardReads, ManyQuestionsShareOneRoundThatBeganAfterThem) {
  lead_with_job(spec(2));
  ask(5, protocol::ShowJob{job_id(1)});
  const base::LogToken first = read();
  ask(6, protocol::ListJobs{});
  ask(7, protocol::WaitJob{job_id(1), 0});
  EXPECT_THAT(take<Read>(), IsEmpty()) << "one round at a time";
  confirm(first);
  EXPECT_THAT(answers<protocol::JobDetail>(), SizeIs(1)) << "the others came after it began";
  confirm(read());
  EXPECT_THAT(answers<protocol::JobList>(), SizeIs(2));
}

TEST_F(ShardReads, ALeaderWhoseTimeIsOverAnswersNothingFromItsState) {
  lead_with_job(spec(2));
  ask(5, protocol::ShowJob{job_id(1)});
  step(OutcomeUnknown{read()});
  expect_turned_away(5);
  ask(6, protocol::ListJobs{});
  step(ProposeRefused{read(), base::Admission::not_leading});
  expect_turned_away(6);
  ask(7, protocol::ShowJob{job_id(9)});
  step(NotLeading{});
  expect_turned_away(7);
}

TEST_F(ShardReads, ThatAJobIsNotKnownIsConfirmedToo) {
  lead();
  ask(5, protocol::CancelJob{request(3), job_id(9)});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  confirm(read());
  EXPECT_THAT(answers<base::Error>(), SizeIs(1));
}

TEST_F(ShardReads, ASubmitWaitsForNoReadUnlessItsParentIsNotKnown) {
  lead();
  submit(1, 1, spec(1));
  EXPECT_THAT(take<Read>(), IsEmpty());
  EXPECT_THAT(log, SizeIs(1));
  protocol::JobSpec child = *spec(1);
  child.after = {{job_id(77), protocol::DependencyKind::ok}};
  submit(2, 2, {std::make_shared<const protocol::JobSpec>(child)});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  confirm(read());
  EXPECT_THAT(answers<base::Error>(), SizeIs(1));
}

TEST_F(ShardReads, AWaitThatEndsWithoutTheJobIsConfirmed) {
  lead_with_job(spec(2));
  ask(5, protocol::WaitJob{job_id(1), 1'000'000'000});
  confirm(read());
  EXPECT_THAT(take<Reply>(), IsEmpty());
  advance(2s);
  EXPECT_THAT(take<Reply>(), IsEmpty()) << "that it runs still is said from the state";
  confirm(read());
  EXPECT_THAT(answers<protocol::JobList>(), SizeIs(1));
}

class FewReads : public ShardReads {
 protected:
  static ShardLimits few() {
    ShardLimits limits;
    limits.requests_pending_max = 2;
    return limits;
  }
  FewReads() : ShardReads(few()) {}
};

TEST_F(FewReads, WhoWaitsForARoundIsBounded) {
  lead_with_job(spec(2));
  for (std::uint64_t call = 5; call < 9; ++call) {
    ask(call, protocol::ListJobs{});
  }
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_EQ(errors[0].second.kind, base::ErrorKind::overloaded);
}

class Careless : public ShardReads {
 protected:
  static LedgerFaults fault() {
    LedgerFaults faults;
    faults.read_without_majority = true;
    return faults;
  }
  Careless() : ShardReads({}, fault()) {}
};

TEST_F(Careless, TheFaultIsSeen) {
  lead_with_job(spec(2));
  ask(5, protocol::ShowJob{job_id(1)});
  EXPECT_THAT(take<Reply>(), SizeIs(1)) << "this is what must not be";
}

}  // namespace
}  // namespace fastgpu::ledger::testing
