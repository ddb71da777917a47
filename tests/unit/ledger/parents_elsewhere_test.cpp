/// Jobs that wait for jobs of other shards: how their ends are asked for, told, and believed.

#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::DependencyAnswer;
using protocol::DependencyAsk;
using protocol::DependencyKind;
using protocol::JobKnowledge;
using protocol::JobStanding;
using protocol::TasksReady;
using protocol::TaskState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr base::ShardId other{2};
constexpr base::NodeId its_leader{3};

base::JobId elsewhere(std::uint64_t number) {
  return layout.job_id(other, number);
}

class ParentsElsewhere : public ShardBench {
 protected:
  using ShardBench::ShardBench;

  /// Leads, sees a leader of the other shard in term 4, and has this job; nothing recorded remains.
  void lead_with_child(std::uint64_t number = 1, DependencyKind kind = DependencyKind::ok) {
    lead();
    view_leader(its_leader, other, 4);
    accept(number, kind);
  }
  void accept(std::uint64_t number, DependencyKind kind = DependencyKind::ok,
              std::uint64_t parent = 7) {
    submit(number, number, spec_after(2, {{elsewhere(parent), kind}}));
    commit_all();
  }
  DependencyAsk last_ask() {
    const auto asks = sent<DependencyAsk>();
    EXPECT_FALSE(asks.empty());
    return asks.empty() ? DependencyAsk{} : asks.back().second;
  }
  DependencyAnswer answer_to(const DependencyAsk& ask, JobStanding standing,
                             std::uint64_t term = 4) {
    return {ask.asker, ask.asker_epoch, ask.asker_term, ask.number, ask.shard,
            {1},       {term},          {standing}};
  }
  void hear(DependencyAnswer answer) {
    step(DependencyAnswerEvent{its_leader, std::move(answer)});
    commit_all();
  }
  JobStanding stands(TaskState as, JobKnowledge knowledge = JobKnowledge::known) {
    return {elsewhere(7), knowledge, as};
  }
  std::string why(std::uint64_t number = 1) {
    take<Reply>();
    ask(900, protocol::WaitJob{job_id(number), 0});
    return answers<protocol::JobList>().at(0).second.jobs.at(0).waiting.sentence;
  }
  std::vector<base::JobId> begun() {
    std::vector<base::JobId> jobs;
    for (const TasksReady& ready : told_scheduler<TasksReady>()) {
      jobs.push_back(ready.job);
    }
    return jobs;
  }
};

TEST_F(ParentsElsewhere, AreAskedForAtTheLeaderOfTheirShardUntilTheyEnd) {
  lead_with_child();
  const auto asks = sent<DependencyAsk>();
  ASSERT_THAT(asks, SizeIs(1));
  EXPECT_EQ(asks[0].first, its_leader);
  EXPECT_EQ(asks[0].second, (DependencyAsk{other, shard, {1}, {1}, 1, {elsewhere(7)}}));
  EXPECT_EQ(why(), "waits for job 30 to end well (not heard of yet)");
  hear(answer_to(asks[0].second, stands(TaskState::running)));
  EXPECT_EQ(why(), "waits for job 30 to end well (running)");
  EXPECT_THAT(sent<DependencyAsk>(), IsEmpty());
  EXPECT_EQ(machine.dependencies().next_deadline(), now + base::limits::dependency_ask_interval);
  advance(base::limits::dependency_ask_interval);
  const DependencyAsk again = last_ask();
  EXPECT_EQ(again.number, 2u);
  effects.clear();
  hear(answer_to(again, stands(TaskState::succeeded)));
  EXPECT_THAT(begun(), ElementsAre(job_id(1)));
  advance(base::limits::dependency_ask_interval);
  EXPECT_THAT(sent<DependencyAsk>(), IsEmpty()) << "nobody waits any more";
}

TEST_F(ParentsElsewhere, CancelTheirChildrenWhenTheyEndOtherwise) {
  lead_with_child();
  hear(answer_to(last_ask(), stands(TaskState::timed_out)));
  EXPECT_EQ(job().state(), TaskState::cancelled);
  EXPECT_EQ(job().tasks.find(1)->outcome->message,
            "job 30 timed out, and this job was to run only after it succeeded");
  EXPECT_EQ(job().finished_at_ms, 5000);
}

TEST_F(ParentsElsewhere, ThatNeverWereCancelTheirChildren) {
  lead_with_child(1, DependencyKind::any);
  hear(answer_to(last_ask(), stands({}, JobKnowledge::never)));
  EXPECT_EQ(job().state(), TaskState::cancelled);
  EXPECT_THAT(job().tasks.find(0)->outcome->message, HasSubstr("job 30 is not known"));
}

TEST_F(ParentsElsewhere, ThatAreForgottenHaveEndedSomehow) {
  lead_with_child(1, DependencyKind::any);
  accept(2, DependencyKind::fail);
  hear(answer_to(last_ask(), stands({}, JobKnowledge::forgotten)));
  EXPECT_THAT(begun(), ElementsAre(job_id(1)));
  EXPECT_EQ(job(2).state(), TaskState::cancelled);
}

TEST_F(ParentsElsewhere, AreNotSaidToHaveNeverBeenToAJobThatCameAfterTheQuestion) {
  lead_with_child(1, DependencyKind::any);
  const DependencyAsk before = last_ask();
  hear(answer_to(before, stands({}, JobKnowledge::never)));
  EXPECT_FALSE(job(1).live());
  // Accepted in the meantime; the old answer comes a second time.
  accept(2, DependencyKind::any);
  const DependencyAsk after = last_ask();
  hear(answer_to(before, stands({}, JobKnowledge::never)));
  EXPECT_TRUE(job(2).live());
  hear(answer_to(after, stands(TaskState::pending)));
  EXPECT_EQ(why(2), "waits for job 30 to end (pending)");
  hear(answer_to(before, stands({}, JobKnowledge::never)));
  EXPECT_TRUE(job(2).live());
}

TEST_F(ParentsElsewhere, AreBelievedOnlyOfALeaderThatIsNotKnownToBeOver) {
  lead_with_child();
  const DependencyAsk ask = last_ask();
  hear(answer_to(ask, stands(TaskState::succeeded), 3));
  EXPECT_THAT(begun(), IsEmpty()) << "of a leadership that is over";
  DependencyAnswer foreign = answer_to(ask, stands(TaskState::succeeded));
  foreign.shard = {3};
  hear(foreign);
  EXPECT_THAT(begun(), IsEmpty()) << "of a shard that does not keep the job";
  DependencyAnswer old = answer_to(ask, stands(TaskState::succeeded));
  old.asker_term = {9};
  hear(old);
  EXPECT_THAT(begun(), IsEmpty()) << "to another leadership's question";
  hear(answer_to(ask, stands(TaskState::succeeded), 5));
  EXPECT_THAT(begun(), ElementsAre(job_id(1))) << "of a newer leadership than the view shows";
}

TEST_F(ParentsElsewhere, StayEndedWhateverComesLate) {
  lead_with_child();
  const DependencyAsk ask = last_ask();
  step(DependencyAnswerEvent{its_leader, answer_to(ask, stands(TaskState::succeeded))});
  hear(answer_to(ask, stands(TaskState::failed)));
  EXPECT_THAT(begun(), ElementsAre(job_id(1)));
  EXPECT_TRUE(job().live());
}

TEST_F(ParentsElsewhere, OfAShardWithoutALeaderAreAskedForWhenItHasOne) {
  lead();
  accept(1);
  EXPECT_THAT(sent<DependencyAsk>(), IsEmpty());
  EXPECT_EQ(why(), "waits for job 30 to end well (its shard 2 has no leader now)");
  view_leader(its_leader, other, 4);
  advance(base::limits::dependency_ask_interval);
  EXPECT_EQ(last_ask().jobs, (std::vector{elsewhere(7)}));
}

TEST_F(ParentsElsewhere, AreAskedForAgainByANewLeader) {
  lead_with_child();
  const DependencyAsk before = last_ask();
  step(NotLeading{});
  EXPECT_FALSE(machine.dependencies().next_deadline().has_value());
  hear(answer_to(before, stands(TaskState::succeeded)));
  lead(2);
  const DependencyAsk after = last_ask();
  EXPECT_EQ(after.asker_term, base::Term{2});
  hear(answer_to(before, stands(TaskState::succeeded)));
  EXPECT_TRUE(begun().empty()) << "the answer was another leader's";
  hear(answer_to(after, stands(TaskState::succeeded)));
  EXPECT_THAT(begun(), ElementsAre(job_id(1)));
}

TEST_F(ParentsElsewhere, OfManyChildrenAreAskedForOnce) {
  lead_with_child();
  for (std::uint64_t number = 2; number <= 5; ++number) {
    accept(number);
  }
  effects.clear();
  advance(base::limits::dependency_ask_interval);
  const DependencyAsk ask = last_ask();
  EXPECT_EQ(ask.jobs, (std::vector{elsewhere(7)}));
  hear(answer_to(ask, stands(TaskState::succeeded)));
  EXPECT_THAT(begun(), SizeIs(5));
}

class SmallQuestions : public ParentsElsewhere {
 protected:
  SmallQuestions()
      : ParentsElsewhere([] {
          ShardLimits limits;
          limits.dependency_ask_jobs_max = 2;
          limits.dependency_asks_pending_max = 1;
          return limits;
        }()) {}
};

TEST_F(SmallQuestions, NameABoundedNumberOfJobs) {
  lead();
  for (std::uint64_t number = 1; number <= 5; ++number) {
    accept(number, DependencyKind::ok, number);
  }
  view_leader(its_leader, other, 4);
  effects.clear();
  advance(base::limits::dependency_ask_interval);
  std::size_t asked = 0;
  while (machine.next_deadline() && *machine.next_deadline() <= now) {
    step(Tick{});
  }
  for (const auto& [node, ask] : sent<DependencyAsk>()) {
    EXPECT_LE(ask.jobs.size(), 2u);
    asked += ask.jobs.size();
  }
  EXPECT_EQ(asked, 5u);
}

TEST_F(SmallQuestions, OfOthersAreKeptUpToABound) {
  lead_with_job(spec(1));
  for (std::uint64_t number = 1; number <= 3; ++number) {
    step(DependencyAskEvent{its_leader, {shard, other, {1}, {1}, number, {job_id(1)}}});
  }
  confirm_read();
  EXPECT_THAT(sent<DependencyAnswer>(), SizeIs(1));
  confirm_read();
  EXPECT_THAT(sent<DependencyAnswer>(), SizeIs(1));
  EXPECT_THAT(take<Read>(), IsEmpty()) << "what was dropped is asked again";
}

// --- the leader that is asked --------------------------------------------------------------------

class AskedForItsJobs : public ParentsElsewhere {};

TEST_F(AskedForItsJobs, TellsHowEachStandsOnceItsLeadershipIsConfirmed) {
  lead_with_job(spec(1));
  submit(2, 2, spec(1));
  commit_all();
  ask(9, protocol::CancelJob{request(70), job_id(2)});
  commit_all();
  effects.clear();
  const std::vector<base::JobId> jobs{job_id(1), job_id(2), job_id(3), elsewhere(1)};
  step(DependencyAskEvent{its_leader, {shard, other, {1}, {6}, 8, jobs}});
  const auto reads = take<Read>();
  ASSERT_THAT(reads, SizeIs(1));
  EXPECT_THAT(sent<DependencyAnswer>(), IsEmpty());
  step(ReadReady{reads[0].token, machine.state().applied()});
  const auto answers = sent<DependencyAnswer>();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].first, its_leader);
  const std::vector<JobStanding> told{{job_id(1), JobKnowledge::known, TaskState::pending},
                                      {job_id(2), JobKnowledge::known, TaskState::cancelled},
                                      {job_id(3), JobKnowledge::never, {}}};
  EXPECT_EQ(answers[0].second, (DependencyAnswer{other, {1}, {6}, 8, shard, {1}, {1}, told}));
}

TEST_F(AskedForItsJobs, TellsNothingWhenItsLeadershipIsNotConfirmed) {
  lead_with_job(spec(1));
  step(DependencyAskEvent{its_leader, {shard, other, {1}, {6}, 8, {job_id(1)}}});
  const auto reads = take<Read>();
  ASSERT_THAT(reads, SizeIs(1));
  step(OutcomeUnknown{reads[0].token});
  step(ReadReady{reads[0].token, machine.state().applied()});
  EXPECT_THAT(sent<DependencyAnswer>(), IsEmpty());
}

TEST_F(AskedForItsJobs, IsSilentWhileItDoesNotLead) {
  step(DependencyAskEvent{its_leader, {shard, other, {1}, {6}, 8, {job_id(1)}}});
  lead();
  EXPECT_THAT(take<Read>(), IsEmpty());
  step(DependencyAskEvent{its_leader, {{3}, other, {1}, {6}, 9, {job_id(1)}}});
  EXPECT_THAT(take<Read>(), IsEmpty()) << "meant for another shard";
}

}  // namespace
}  // namespace fastgpu::ledger
