/// Jobs that wait for others of their own shard: begun when those have ended as asked, cancelled
/// when they ended otherwise, and never begun before.

#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::DependencyKind;
using protocol::DependencyRecord;
using protocol::TasksReady;
using protocol::TaskState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class Dependencies : public ShardBench {
 protected:
  using ShardBench::ShardBench;

  /// Job `number` waits for these; accepted and committed.
  void accept(std::uint64_t number, std::vector<protocol::Dependency> others,
              std::uint32_t tasks = 1) {
    submit(number, number, spec_after(tasks, std::move(others)));
    commit_all();
  }
  /// The only task of job 1 ends so.
  void end_parent(protocol::TaskOutcome as = outcome()) {
    place({{0, 1}});
    answer_assign(attempt(1));
    finish(attempt(1), {0, 1}, std::move(as));
    commit_all();
  }
  std::vector<base::JobId> begun() {
    std::vector<base::JobId> jobs;
    for (const TasksReady& ready : told_scheduler<TasksReady>()) {
      jobs.push_back(ready.job);
    }
    return jobs;
  }
  protocol::JobSummary summary_of(std::uint64_t number) {
    take<Reply>();
    ask(900, protocol::WaitJob{job_id(number), 0});
    return answers<protocol::JobList>().at(0).second.jobs.at(0);
  }
  TaskState state_of(std::uint64_t number) { return job(number).state(); }
  const protocol::TaskOutcome& outcome_of(std::uint64_t number) {
    return *job(number).tasks.find(0)->outcome;
  }
};

TEST_F(Dependencies, KeepAnAcceptedJobFromTheSchedulerAndSayWhyItWaits) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}}, 3);
  EXPECT_THAT(answers<protocol::Accepted>(), SizeIs(1));
  EXPECT_THAT(begun(), IsEmpty());
  const protocol::JobSummary waiting = summary_of(2);
  EXPECT_EQ(waiting.state, TaskState::pending);
  EXPECT_EQ(waiting.waiting.code, protocol::WaitingCode::dependency);
  EXPECT_EQ(waiting.waiting.sentence, "waits for job 5 to end well (pending)");
  place({{0, 1}});
  answer_assign(attempt(1));
  EXPECT_EQ(summary_of(2).waiting.sentence, "waits for job 5 to end well (running)");
}

TEST_F(Dependencies, BeginAJobWhenTheEndOfItsParentIsCommitted) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}}, 3);
  place({{0, 1}});
  finish(attempt(1), {0, 1});
  effects.clear();
  while (job(1).live()) {
    commit();
  }
  ASSERT_THAT(log, SizeIs(1));
  EXPECT_THAT(log.front().entry.records,
              ElementsAre(protocol::Record(
                  DependencyRecord{job_id(2), {job_id(1), {}, TaskState::succeeded}, 5000})));
  EXPECT_THAT(begun(), IsEmpty()) << "what the parent's end brings is not committed";
  commit_all();
  const auto ready = told_scheduler<TasksReady>();
  ASSERT_THAT(ready, SizeIs(1));
  EXPECT_EQ(ready[0].job, job_id(2));
  EXPECT_EQ(ready[0].ranges, (TaskRanges{{0, 3}}));
  EXPECT_EQ(summary_of(2).waiting.code, protocol::WaitingCode::not_yet_considered);
  EXPECT_TRUE(machine.dependencies().empty()) << "nothing is left to look after";
}

struct Case {
  DependencyKind kind;
  bool well;            ///< the parent's end
  std::string message;  ///< of the child's; empty: it begins
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << to_word(one.kind) << " after " << (one.well ? "a success" : "a failure");
}

class DependencyKinds : public Dependencies, public ::testing::WithParamInterface<Case> {};

TEST_P(DependencyKinds, BeginOrCancelAsTheParentEnded) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), GetParam().kind}});
  end_parent(GetParam().well ? outcome() : failure());
  if (GetParam().message.empty()) {
    EXPECT_THAT(begun(), ElementsAre(job_id(2)));
    EXPECT_TRUE(job(2).live());
    return;
  }
  EXPECT_THAT(begun(), IsEmpty());
  EXPECT_EQ(state_of(2), TaskState::cancelled);
  EXPECT_EQ(outcome_of(2).message, GetParam().message);
  EXPECT_EQ(outcome_of(2).reason, base::FailureReason::cancelled);
  EXPECT_THAT(job(2).attempts, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, DependencyKinds,
    ::testing::Values(Case{DependencyKind::ok, true, ""},
                      Case{DependencyKind::ok, false,
                           "job 5 failed, and this job was to run only after it succeeded"},
                      Case{DependencyKind::fail, true,
                           "job 5 succeeded, and this job was to run only after it failed"},
                      Case{DependencyKind::fail, false, ""}, Case{DependencyKind::any, true, ""},
                      Case{DependencyKind::any, false, ""}));

TEST_F(Dependencies, AnswerWhoWaitsForAJobThatTheyCancel) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}});
  take<Reply>();
  ask(7, protocol::WaitJob{job_id(2), 1'000'000'000});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  end_parent(failure());
  const auto told = answers<protocol::JobList>();
  ASSERT_THAT(told, ElementsAre(Pair(7, ::testing::_)));
  EXPECT_EQ(told[0].second.jobs[0].state, TaskState::cancelled);
}

TEST_F(Dependencies, PassAnEndAlongAChain) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}});
  accept(3, {{job_id(2), DependencyKind::ok}});
  accept(4, {{job_id(3), DependencyKind::fail}});
  effects.clear();
  end_parent(failure());
  EXPECT_EQ(state_of(2), TaskState::cancelled);
  EXPECT_EQ(state_of(3), TaskState::cancelled);
  EXPECT_THAT(outcome_of(3).message, HasSubstr("job 9 was cancelled"));
  EXPECT_THAT(begun(), ElementsAre(job_id(4)));
}

TEST_F(Dependencies, OnSeveralJobsNeedAllOfThem) {
  lead_with_job(spec(1));
  submit(2, 2, spec(1));
  commit_all();
  accept(3, {{job_id(1), DependencyKind::ok}, {job_id(2), DependencyKind::fail}});
  effects.clear();
  end_parent();
  EXPECT_THAT(begun(), IsEmpty());
  EXPECT_EQ(summary_of(3).waiting.sentence, "waits for job 9 to end in any way but well (pending)");
  ask(8, protocol::CancelJob{request(80), job_id(2)});
  commit_all();
  EXPECT_THAT(begun(), ElementsAre(job_id(3)));
}

TEST_F(Dependencies, OnAFinishedJobHoldAtOnce) {
  lead_with_job(spec(1));
  end_parent();
  effects.clear();
  accept(2, {{job_id(1), DependencyKind::ok}});
  EXPECT_THAT(begun(), ElementsAre(job_id(2)));
  accept(3, {{job_id(1), DependencyKind::fail}});
  EXPECT_EQ(state_of(3), TaskState::cancelled);
}

TEST_F(Dependencies, OnAJobThatNeverWasAreRefused) {
  lead();
  submit(1, 1, spec_after(1, {{job_id(1), DependencyKind::any}}));
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(1)) << "the id that it gets itself is no job yet either";
  EXPECT_EQ(errors[0].second.code, base::ErrorCode::not_found);
  EXPECT_THAT(errors[0].second.message, HasSubstr("job 5 is not known"));
  EXPECT_THAT(log, IsEmpty());
}

TEST_F(Dependencies, LetAWaitingJobBeCancelled) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}});
  effects.clear();
  ask(3, protocol::CancelJob{request(90), job_id(2)});
  commit_all();
  EXPECT_EQ(state_of(2), TaskState::cancelled);
  EXPECT_EQ(outcome_of(2).message, "cancelled by request");
  end_parent();
  EXPECT_THAT(begun(), IsEmpty());
  for (const protocol::Record& record : proposed()) {
    EXPECT_FALSE(std::holds_alternative<DependencyRecord>(record)) << "nobody waits any more";
  }
}

TEST_F(Dependencies, LeaveAPlacementOfAWaitingJobWithoutEffect) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}});
  effects.clear();
  place({{0, 1}}, device(2), 1, 2);
  EXPECT_THAT(sent<protocol::Assign>(), IsEmpty());
  EXPECT_THAT(log, IsEmpty());
  LedgerState state = machine.state();
  state.apply({state.applied().value + 1},
              {{placed(attempt(9), {{0, 1}}, protocol::PlaceCause::first, device(2), 2),
                finished(attempt(9), {0, 1}, outcome(), 2)}});
  EXPECT_EQ(*state.find(job_id(2))->tasks.find(0), protocol::TaskRecord{});
}

TEST_F(Dependencies, AreLookedAfterByANewLeader) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}});
  accept(3, {{job_id(1), DependencyKind::ok}});
  place({{0, 1}});
  finish(attempt(1), {0, 1});
  commit();  // the placement, and behind it the end: what follows from it is proposed and lost
  while (job(1).live()) {
    commit();
  }
  step(NotLeading{});
  log.clear();
  effects.clear();
  lead(2);
  EXPECT_THAT(begun(), IsEmpty());
  commit_all();
  EXPECT_THAT(begun(), ElementsAre(job_id(2), job_id(3)));
  step(NotLeading{});
  effects.clear();
  lead(3);
  EXPECT_THAT(begun(), ElementsAre(job_id(2), job_id(3))) << "what held goes on holding";
}

TEST_F(Dependencies, AreInASnapshot) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}, {job_id(1), DependencyKind::any}});
  LedgerState restored(shard, layout);
  restored.restore(machine.state().image());
  EXPECT_EQ(restored.image(), machine.state().image());
  EXPECT_THAT(restored.find(job_id(2))->waits_for, SizeIs(2));
  const auto changes =
      restored.apply({restored.applied().value + 1}, {{parent_ended(2, job_id(1))}});
  EXPECT_THAT(all<JobReleased>(changes), ElementsAre(JobReleased{job_id(2)}));
}

TEST_F(Dependencies, AreRecordedAgainWhenTheLogLosesTheRecord) {
  lead_with_job(spec(1));
  end_parent();
  submit(2, 2, spec_after(1, {{job_id(1), DependencyKind::ok}}));
  commit();
  ASSERT_THAT(log, SizeIs(1));
  const base::LogToken token = log.front().token;
  log.clear();
  effects.clear();
  step(OutcomeUnknown{token});
  advance(base::limits::dependency_ask_interval);
  ASSERT_THAT(log, SizeIs(1));
  commit_all();
  EXPECT_THAT(begun(), ElementsAre(job_id(2)));
}

TEST_F(Dependencies, ARepeatedRecordChangesNothing) {
  lead_with_job(spec(1));
  accept(2, {{job_id(1), DependencyKind::ok}});
  LedgerState state = machine.state();
  const auto apply = [&state](const DependencyRecord& record) {
    return state.apply({state.applied().value + 1}, {{record}});
  };
  EXPECT_THAT(apply(parent_ended(2, job_id(9))), IsEmpty()) << "it does not wait for that one";
  EXPECT_THAT(apply(parent_ended(2, job_id(1))), SizeIs(2));
  EXPECT_THAT(apply(parent_ended(2, job_id(1), TaskState::failed)), IsEmpty());
  EXPECT_TRUE(state.find(job_id(2))->live());
}

class ForgetfulShard : public Dependencies {
 protected:
  ForgetfulShard()
      : Dependencies([] {
          ShardLimits limits;
          limits.retention.finished_jobs_max = 1;
          limits.entry_records_max = 2;
          return limits;
        }()) {}
};

TEST_F(ForgetfulShard, TakesAForgottenJobForOneThatEndedSomehow) {
  lead_with_job(spec(1));
  end_parent();
  for (std::uint64_t number : {2u, 3u}) {
    submit(number, number, spec(1));
    commit_all();
    ask(50 + number, protocol::CancelJob{request(50 + number), job_id(number)});
    commit_all();
  }
  ASSERT_EQ(machine.state().find(job_id(1)), nullptr);
  effects.clear();
  accept(4, {{job_id(1), DependencyKind::any}});
  EXPECT_THAT(begun(), ElementsAre(job_id(4)));
  accept(5, {{job_id(1), DependencyKind::ok}});
  EXPECT_EQ(state_of(5), TaskState::cancelled);
  EXPECT_THAT(outcome_of(5).message, HasSubstr("nobody knows how"));
}

TEST_F(ForgetfulShard, BeginsManyJobsInBoundedSteps) {
  lead_with_job(spec(1));
  for (std::uint64_t number = 2; number <= 8; ++number) {
    accept(number, {{job_id(1), DependencyKind::any}});
  }
  effects.clear();
  place({{0, 1}});
  finish(attempt(1), {0, 1});
  for (int turn = 0; turn < 20; ++turn) {
    std::size_t records = 0;
    for (const protocol::Record& record : proposed()) {
      records += std::holds_alternative<DependencyRecord>(record) ? 1 : 0;
    }
    EXPECT_LE(records, 2u);
    log.empty() ? step(Tick{}) : commit();
  }
  EXPECT_THAT(begun(), SizeIs(7));
}

}  // namespace
}  // namespace fastgpu::ledger
