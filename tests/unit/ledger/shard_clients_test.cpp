#include "tests/unit/ledger/shard_bench.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::Accepted;
using protocol::JobList;
using protocol::TaskState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class ShardClients : public ShardBench {
 protected:
  using ShardBench::ShardBench;
  const std::size_t small_entries{ShardLimits{}.small_entries_in_flight_max};
};

TEST_F(ShardClients, AcceptsASubmitOnlyWhenItIsCommitted) {
  lead();
  submit(1, 1, spec(3));
  EXPECT_THAT(take<Reply>(), IsEmpty());
  commit();
  EXPECT_THAT(answers<Accepted>(), ElementsAre(Pair(1, Accepted{job_id(1)})));
}

TEST_F(ShardClients, AcceptsAKnownRequestAtOnce) {
  lead_with_job(spec(3));
  submit(2, 1, spec(3));
  EXPECT_THAT(answers<Accepted>(), ElementsAre(Pair(2, Accepted{job_id(1)})));
  EXPECT_THAT(log, IsEmpty());
}

TEST_F(ShardClients, ARequestInFlightWaitsForTheSameCommit) {
  lead();
  submit(1, 1, spec(3));
  submit(2, 1, spec(3));
  EXPECT_THAT(proposed(), SizeIs(1));
  EXPECT_THAT(take<Reply>(), IsEmpty());
  commit_all();
  EXPECT_THAT(answers<Accepted>(),
              ElementsAre(Pair(1, Accepted{job_id(1)}), Pair(2, Accepted{job_id(1)})));
}

TEST_F(ShardClients, RefusesEverythingWhileItDoesNotLead) {
  submit(1, 1, spec(1));
  ask(2, protocol::ListJobs{true});
  ask(3, protocol::WaitJob{job_id(1), 5});
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(3));
  for (const auto& [call, error] : errors) {
    EXPECT_EQ(error.kind, base::ErrorKind::unavailable);
    EXPECT_EQ(error.code, base::ErrorCode::shard_unavailable);
  }
}

TEST_F(ShardClients, SaysUnknownWhenTheOutcomeOfItsProposalIsUnknown) {
  lead();
  submit(1, 1, spec(1));
  step(OutcomeUnknown{log.front().token});
  EXPECT_EQ(answers<base::Error>().at(0).second.kind, base::ErrorKind::unknown);
}

TEST_F(ShardClients, SaysUnknownOfWhatWasProposedAndUnavailableOfWhatWasNot) {
  lead();
  for (std::uint64_t call = 1; call <= small_entries + 1; ++call) {
    submit(call, call, spec(1));
  }
  step(NotLeading{});
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(small_entries + 1));
  EXPECT_EQ(errors.front().second.kind, base::ErrorKind::unknown);
  EXPECT_EQ(errors.back().second.kind, base::ErrorKind::unavailable);
}

TEST_F(ShardClients, OffersARefusedEntryAgainBeforeYoungerOnes) {
  lead();
  submit(1, 1, spec(1));
  const Propose first = log.front();
  log.clear();
  effects.clear();
  step(ProposeRefused{first.token, base::Admission::full});
  submit(2, 2, spec(1));
  EXPECT_THAT(log, IsEmpty());
  ASSERT_TRUE(machine.next_deadline().has_value());
  advance(*machine.next_deadline() - now);
  commit_all();
  EXPECT_THAT(answers<Accepted>(),
              ElementsAre(Pair(1, Accepted{job_id(1)}), Pair(2, Accepted{job_id(2)})));
}

TEST_F(ShardClients, SaysUnavailableWhenTheLogNoLongerLeads) {
  lead();
  submit(1, 1, spec(1));
  step(ProposeRefused{log.front().token, base::Admission::not_leading});
  EXPECT_EQ(answers<base::Error>().at(0).second.kind, base::ErrorKind::unavailable);
}

TEST_F(ShardClients, GathersWhatComesWhileEntriesAreInFlight) {
  lead();
  for (std::uint64_t call = 1; call <= 100; ++call) {
    submit(call, call, spec(1));
  }
  const std::size_t in_flight = log.size();
  EXPECT_GT(in_flight, base::limits::entries_in_flight_max);
  EXPECT_LE(in_flight, small_entries);
  commit();
  EXPECT_THAT(log, SizeIs(in_flight));
  EXPECT_THAT(log.back().entry.records, SizeIs(100 - in_flight));
  commit_all();
  EXPECT_THAT(answers<Accepted>(), SizeIs(100));
}

class SmallShard : public ShardClients {
 protected:
  SmallShard()
      : ShardClients([] {
          ShardLimits limits;
          limits.requests_pending_max = 2;
          limits.live_jobs_max = 3;
          limits.watchers_max = 1;
          limits.listed_jobs_max = 2;
          limits.listed_results_max = 2;
          limits.compact_after_entries = 2;
          limits.entries_in_flight_max = 1;
          limits.small_entries_in_flight_max = 1;
          return limits;
        }()) {}
};

TEST_F(SmallShard, SaysOverloadedWhenTooManyRequestsWait) {
  lead();
  submit(1, 1, spec(1));
  submit(2, 2, spec(1));
  submit(3, 3, spec(1));
  EXPECT_EQ(answers<base::Error>().at(0).second.kind, base::ErrorKind::overloaded);
  commit_all();
  EXPECT_THAT(answers<Accepted>(), SizeIs(2));
  submit(4, 3, spec(1));
  commit_all();
  EXPECT_THAT(answers<Accepted>(), SizeIs(1));
}

TEST_F(SmallShard, SaysOverloadedBeyondItsLiveJobs) {
  lead();
  for (std::uint64_t number : {1, 2, 3}) {
    submit(number, number, spec(1));
    commit_all();
  }
  EXPECT_THAT(answers<Accepted>(), SizeIs(3));
  submit(4, 4, spec(1));
  EXPECT_EQ(answers<base::Error>().at(0).second.kind, base::ErrorKind::overloaded);
}

TEST_F(SmallShard, SaysOverloadedBeyondItsWatchers) {
  lead_with_job(spec(1));
  ask(2, protocol::WaitJob{job_id(1), 1000});
  ask(3, protocol::WaitJob{job_id(1), 1000});
  EXPECT_EQ(answers<base::Error>().at(0).second.kind, base::ErrorKind::overloaded);
}

TEST_F(SmallShard, ListsTheNewestJobsById) {
  lead();
  for (std::uint64_t number : {1, 2, 3}) {
    submit(number, number, spec(1));
    commit_all();
  }
  take<Reply>();
  ask(9, protocol::ListJobs{});
  const auto lists = answers<JobList>();
  ASSERT_THAT(lists, SizeIs(1));
  ASSERT_THAT(lists[0].second.jobs, SizeIs(2));
  EXPECT_EQ(lists[0].second.jobs[0].job, job_id(2));
  EXPECT_EQ(lists[0].second.jobs[1].job, job_id(3));
  EXPECT_EQ(lists[0].second.source, self);
}

TEST_F(SmallShard, ShowsReportsPageByPage) {
  lead_with_job(spec(6));
  place({{0, 6}});
  for (std::uint32_t task : {0u, 1u, 3u, 5u}) {
    finish({shard, {1}, {1}, 1}, {task, 1},
           outcome(TaskState::succeeded, {}, std::to_string(task)));
  }
  commit_all();
  effects.clear();
  ask(2, protocol::ShowJob{job_id(1), 0});
  auto page = answers<protocol::JobDetail>().at(0).second;
  ASSERT_THAT(page.reports, SizeIs(2));
  EXPECT_EQ(page.reports[1].range, (base::TaskRange{1, 1}));
  EXPECT_EQ(page.next_task, 3u);
  ask(3, protocol::ShowJob{job_id(1), page.next_task});
  page = answers<protocol::JobDetail>().at(0).second;
  ASSERT_THAT(page.reports, SizeIs(2));
  EXPECT_EQ(page.reports[0].outcome.message, "3");
  EXPECT_EQ(page.next_task, 6u);
  ASSERT_THAT(page.attempts, SizeIs(1));
  EXPECT_EQ(page.attempts[0].device, device(2));
  EXPECT_EQ(page.spec, spec(6));
}

TEST_F(SmallShard, CompactsItsLogNowAndThen) {
  lead();
  submit(1, 1, spec(1));
  commit_all();
  EXPECT_THAT(take<Compact>(), IsEmpty());
  submit(2, 2, spec(1));
  commit_all();
  const auto compactions = take<Compact>();
  ASSERT_THAT(compactions, SizeIs(1));
  EXPECT_EQ(compactions[0].index, base::LogIndex{2});
  EXPECT_EQ(compactions[0].image, machine.state().image());
}

TEST_F(ShardClients, ListsOnlyJobsThatHaveAllLabelsAskedFor) {
  lead();
  const auto labelled = [](const protocol::Labels& labels) {
    auto made = *spec(1);
    made.labels = labels;
    return protocol::SharedSpec{std::make_shared<const protocol::JobSpec>(made)};
  };
  submit(1, 1, labelled({{"stage", "train"}, {"team", "vision"}}));
  submit(2, 2, labelled({{"stage", "train"}}));
  submit(3, 3, spec(1));
  commit_all();
  take<Reply>();
  const auto listed = [this](bool finished_too, const protocol::Labels& labels) {
    ask(9, protocol::ListJobs{finished_too, labels});
    return answers<JobList>().at(0).second;
  };
  ASSERT_THAT(listed(false, {{"stage", "train"}}).jobs, SizeIs(2));
  const auto both = listed(false, {{"team", "vision"}, {"stage", "train"}});
  ASSERT_THAT(both.jobs, SizeIs(1));
  EXPECT_EQ(both.jobs[0].labels, (protocol::Labels{{"stage", "train"}, {"team", "vision"}}));
  EXPECT_THAT(listed(true, {{"stage", "test"}}).jobs, IsEmpty());
  ask(10, protocol::CancelJob{request(5), job_id(1)});
  commit_all();
  take<Reply>();
  EXPECT_EQ(listed(false, {{"team", "vision"}}).finished_hidden, 1u);
  EXPECT_EQ(listed(false, {{"team", "nlp"}}).finished_hidden, 0u);
}

TEST_F(ShardClients, HidesFinishedJobsUnlessAskedFor) {
  lead_with_job(spec(1));
  ask(2, protocol::CancelJob{request(5), job_id(1)});
  commit_all();
  take<Reply>();
  ask(3, protocol::ListJobs{false});
  const auto hidden = answers<JobList>().at(0).second;
  EXPECT_THAT(hidden.jobs, IsEmpty());
  EXPECT_EQ(hidden.finished_hidden, 1u);
  ask(4, protocol::ListJobs{true});
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).state, TaskState::cancelled);
}

TEST_F(ShardClients, EveryPendingJobHasAReason) {
  lead_with_job(spec(2));
  ask(2, protocol::ListJobs{});
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).waiting.code,
            protocol::WaitingCode::not_yet_considered);
  const protocol::WaitingReason reason{protocol::WaitingCode::capacity, "all 3 devices are full"};
  step(protocol::Waiting{shard, job_id(1), reason});
  ask(3, protocol::ListJobs{});
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).waiting, reason);
  place({{0, 2}});
  ask(4, protocol::ListJobs{});
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).waiting.code,
            protocol::WaitingCode::capacity);
}

TEST_F(ShardClients, CountsGrantedTasksAsRunningUntilTheWorkerSaysMore) {
  lead_with_job(spec(4));
  place({{0, 3}});
  answer_assign(attempt(1));
  ask(2, protocol::ListJobs{});
  auto summary = answers<JobList>().at(0).second.jobs.at(0);
  EXPECT_EQ(summary.state, TaskState::running);
  EXPECT_THAT(summary.counts, ElementsAre(1, 3, 0, 0, 0, 0, 0));
  renew({{attempt(1), job_id(1), {{0, 3}}, {{1, 1}}}});
  confirm_read();
  ask(3, protocol::ListJobs{});
  summary = answers<JobList>().at(0).second.jobs.at(0);
  EXPECT_THAT(summary.counts, ElementsAre(3, 1, 0, 0, 0, 0, 0));
}

TEST_F(ShardClients, AnswersAWatcherWhenTheJobEnds) {
  lead_with_job(spec(1));
  ask(2, protocol::WaitJob{job_id(1), 60'000'000'000});
  place({{0, 1}});
  finish(attempt(1), {0, 1});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  commit_all();
  const auto told = answers<JobList>();
  ASSERT_THAT(told, SizeIs(1));
  EXPECT_EQ(told[0].first, 2u);
  EXPECT_EQ(told[0].second.jobs.at(0).state, TaskState::succeeded);
  ask(3, protocol::WaitJob{job_id(1), 60'000'000'000});
  EXPECT_THAT(answers<JobList>(), SizeIs(1));
}

TEST_F(ShardClients, AnswersAWatcherAtItsDeadline) {
  lead_with_job(spec(1));
  ask(2, protocol::WaitJob{job_id(1), std::chrono::nanoseconds(700ms).count()});
  advance(699ms);
  EXPECT_THAT(take<Reply>(), IsEmpty());
  EXPECT_LE(machine.next_deadline(), now + 1ms);
  advance(1ms);
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).state, TaskState::pending);
  advance(10s);
  EXPECT_THAT(take<Reply>(), IsEmpty());
}

TEST_F(ShardClients, AWatcherOfALostLeadershipIsToldToAskAgain) {
  lead_with_job(spec(1));
  ask(2, protocol::WaitJob{job_id(1), 60'000'000'000});
  step(NotLeading{});
  EXPECT_EQ(answers<base::Error>().at(0).second.kind, base::ErrorKind::unavailable);
}

TEST_F(ShardClients, NamesOfUnknownJobsAreNotFound) {
  lead();
  ask(1, protocol::ShowJob{job_id(7), 0});
  ask(2, protocol::WaitJob{job_id(7), 5});
  ask(3, protocol::CancelJob{request(1), job_id(7)});
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(3));
  for (const auto& [call, error] : errors) {
    EXPECT_EQ(error.code, base::ErrorCode::not_found);
  }
}

TEST_F(ShardClients, CancelStopsTheWorkersAndTellsTheScheduler) {
  lead_with_job(spec(10));
  place({{0, 4}});
  commit_all();
  effects.clear();
  ask(2, protocol::CancelJob{request(5), job_id(1)});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  EXPECT_THAT(sent<protocol::Stop>(), IsEmpty());
  commit_all();
  EXPECT_THAT(told_scheduler<protocol::TasksGone>(),
              ElementsAre(protocol::TasksGone{job_id(1), {{4, 6}}}));
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).state, TaskState::cancelled);
  EXPECT_THAT(
      sent<protocol::Stop>(),
      ElementsAre(Pair(worker, protocol::Stop{attempt(1), job_id(1), device(2), {{0, 4}}})));
}

TEST_F(ShardClients, ARepeatedCancelGetsTheSameAnswerAndAnotherOneAnError) {
  lead_with_job(spec(1));
  ask(2, protocol::CancelJob{request(5), job_id(1)});
  ask(3, protocol::CancelJob{request(5), job_id(1)});
  ask(4, protocol::CancelJob{request(6), job_id(1)});
  commit_all();
  auto replies = take<Reply>();
  ASSERT_THAT(replies, SizeIs(3));
  EXPECT_TRUE(std::holds_alternative<JobList>(replies[0].reply.reply));
  EXPECT_TRUE(std::holds_alternative<JobList>(replies[1].reply.reply));
  EXPECT_EQ(std::get<base::Error>(replies[2].reply.reply).code, base::ErrorCode::already_finished);
  ask(5, protocol::CancelJob{request(5), job_id(1)});
  EXPECT_THAT(answers<JobList>(), SizeIs(1));
  ask(6, protocol::CancelJob{request(6), job_id(1)});
  EXPECT_EQ(answers<base::Error>().at(0).second.code, base::ErrorCode::already_finished);
}

TEST_F(ShardClients, ARequestThatIsNotForAShardIsInvalid) {
  lead();
  ask(1, protocol::Hello{});
  ask(2, protocol::Join{request(1), "n2", "127.0.0.1:7602", ""});
  submit(3, 1, spec(0));
  ask(4, protocol::Submit{request(1, base::ShardId{3}), spec(1)});
  const auto errors = answers<base::Error>();
  ASSERT_THAT(errors, SizeIs(4));
  for (const auto& [call, error] : errors) {
    EXPECT_EQ(error.kind, base::ErrorKind::invalid);
  }
}

class RootShard : public ShardBench {
 protected:
  RootShard() : ShardBench({}, root) {}
  /// Leads, and has recorded the token "t1".
  void lead_with_token() {
    lead();
    commit_all();
    take<Reply>();
  }
  void make_token(const std::string& token) {
    ask(900, protocol::AddToken{request(900, root), hash_of_token(token), 60'000'000'000});
    commit_all();
    EXPECT_THAT(answers<protocol::Recorded>(), SizeIs(1));
  }
  /// n1 and n2.
  void join_two() {
    make_token("t2");
    ask(901, protocol::Join{request(901, root), "n1", "127.0.0.1:7601", "t1"});
    ask(902, protocol::Join{request(902, root), "n2", "127.0.0.1:7602", "t2"});
    commit_all();
    EXPECT_THAT(answers<protocol::Joined>(), SizeIs(2));
    take<MembersChanged>();
  }
};

TEST_F(RootShard, TakesAMemberInOnceItIsCommitted) {
  lead_with_token();
  take<MembersChanged>();
  const protocol::Join join{request(1, root), "n1", "127.0.0.1:7601", "t1"};
  ask(1, join);
  ask(2, join);
  EXPECT_THAT(take<Reply>(), IsEmpty());
  commit_all();
  const auto joined = answers<protocol::Joined>();
  ASSERT_THAT(joined, SizeIs(2));
  EXPECT_EQ(joined[0].second.self.node, base::NodeId{1});
  EXPECT_EQ(joined[0].second.shard_count, layout.shard_count);
  EXPECT_EQ(joined[0].second.cluster, (base::ClusterId{1, 2}));
  const auto changed = take<MembersChanged>();
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].members.version, 2u);
  ask(3, join);
  commit_all();
  EXPECT_EQ(answers<protocol::Joined>().at(0).second.self.node, base::NodeId{1});
  EXPECT_THAT(take<MembersChanged>(), IsEmpty());
}

TEST_F(RootShard, RefusesANameThatIsTaken) {
  lead_with_token();
  ask(1, protocol::Join{request(1, root), "n1", "127.0.0.1:7601", "t1"});
  ask(2, protocol::Join{request(2, root), "n1", "127.0.0.1:7602", "t1"});
  commit_all();
  EXPECT_EQ(std::get<base::Error>(take<Reply>().at(1).reply.reply).code,
            base::ErrorCode::name_taken);
}

TEST_F(RootShard, DeniesAJoinWithoutTheToken) {
  lead_with_token();
  ask(1, protocol::Join{request(1, root), "n1", "127.0.0.1:7601", "guess"});
  EXPECT_EQ(answers<base::Error>().at(0).second.code, base::ErrorCode::denied);
  EXPECT_THAT(log, IsEmpty());
}

TEST_F(RootShard, LetsANodeInWithATokenThatWasMadeForIt) {
  lead_with_token();
  make_token("t2");
  ask(2, protocol::Join{request(1, root), "n1", "127.0.0.1:7601", "t2", {5}, "key"});
  commit_all();
  const auto joined = answers<protocol::Joined>();
  ASSERT_THAT(joined, SizeIs(1));
  EXPECT_EQ(joined[0].second.self.store, base::StoreId{5});
  ask(3, protocol::Join{request(2, root), "n2", "127.0.0.1:7602", "t2"});
  EXPECT_EQ(answers<base::Error>().at(0).second.code, base::ErrorCode::denied);
}

TEST_F(RootShard, DrainsAMemberAndTellsEverybody) {
  lead_with_token();
  join_two();
  ask(3, protocol::ChangeMember{request(3, root), {1}, protocol::MemberState::draining});
  EXPECT_THAT(take<Reply>(), IsEmpty());
  commit_all();
  EXPECT_THAT(answers<protocol::Recorded>(), SizeIs(1));
  const auto changed = take<MembersChanged>();
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(changed[0].members.members.at(0).state, protocol::MemberState::draining);
}

TEST_F(RootShard, RefusesToDrainTheLastNode) {
  lead_with_token();
  ask(1, protocol::Join{request(1, root), "n1", "127.0.0.1:7601", "t1"});
  commit_all();
  take<Reply>();
  ask(2, protocol::ChangeMember{request(3, root), {1}, protocol::MemberState::draining});
  EXPECT_EQ(answers<base::Error>().at(0).second.code, base::ErrorCode::conflict);
}

TEST(RootShardFounders, AreRecordedOnceWithTheIdsThatTheyHave) {
  ShardMachine machine({.cluster = {},
                        .shard = root,
                        .layout = layout,
                        .self = {1},
                        .incarnation = {1},
                        .founders = {{{1}, "n1", "a"}, {{2}, "n2", "b"}},
                        .founding_token = {},
                        .limits = {},
                        .faults = {}});
  base::LogToken token;
  protocol::Entry entry;
  for (const Effect& effect : machine.step(Leading{{1}, {1}}, {}, 0)) {
    if (const auto* proposal = std::get_if<Propose>(&effect)) {
      token = proposal->token;
      entry = proposal->entry;
    }
  }
  machine.step(Committed{{1}, token, entry}, {}, 0);
  EXPECT_THAT(machine.state().members().members(), SizeIs(2));
  machine.step(NotLeading{}, {}, 0);
  for (const Effect& effect : machine.step(Leading{{1}, {2}}, {}, 0)) {
    EXPECT_FALSE(std::holds_alternative<Propose>(effect));
  }
}

TEST(RootShardFounders, HaveTheReplicasThatWereAskedForAtTheFoundingAndOnlyThen) {
  ShardMachine machine({.cluster = {},
                        .shard = root,
                        .layout = layout,
                        .self = {1},
                        .incarnation = {1},
                        .founders = {{{1}, "n1", "a"}, {{2}, "n2", "b"}},
                        .founding_token = {},
                        .limits = {},
                        .faults = {},
                        .founding_replicas = 5});
  const auto proposals = [&](const Event& event) {
    std::vector<Propose> found;
    for (const Effect& effect : machine.step(event, {}, 0)) {
      if (const auto* proposal = std::get_if<Propose>(&effect)) {
        found.push_back(*proposal);
      }
    }
    return found;
  };
  const std::vector<Propose> first = proposals(Leading{{1}, {1}});
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<protocol::ReplicasRecord>(first[0].entry.records.at(0)))
      << "before the members that are planned with it";
  machine.step(Committed{{1}, first[0].token, first[0].entry}, {}, 0);
  EXPECT_EQ(machine.state().members().replicas(), 5u);
  machine.step(NotLeading{}, {}, 0);
  machine.step(Committed{{2}, {}, {{protocol::ReplicasRecord{{root, 9, 9}, 3}}}}, {}, 0);
  EXPECT_THAT(proposals(Leading{{1}, {2}}), SizeIs(0)) << "what was changed since stays";
  EXPECT_EQ(machine.state().members().replicas(), 3u);
}

class HastyShard : public ShardBench {
 protected:
  HastyShard() : ShardBench({}, shard, {.reply_before_durable = true}) {}
};

TEST_F(HastyShard, TheFaultAnswersBeforeTheCommit) {
  lead();
  submit(1, 1, spec(1));
  submit(2, 2, spec(1));
  EXPECT_THAT(answers<Accepted>(),
              ElementsAre(Pair(1, Accepted{job_id(1)}), Pair(2, Accepted{job_id(2)})));
}

TEST_F(ShardClients, ShowsWhatAWorkerSaysThatItsTasksWaitFor) {
  lead_with_job(spec(2));
  place({{0, 2}});
  answer_assign(attempt(1));
  const protocol::WaitingReason away{protocol::WaitingCode::staging, "task 1 waits for an object"};
  renew({{attempt(1), job_id(1), {{0, 2}}, {{0, 1}}, away}});
  confirm_read();
  effects.clear();
  ask(4, protocol::ListJobs{false});
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).waiting, away);
  renew({{attempt(1), job_id(1), {{0, 2}}, {{0, 1}}, {}}});
  confirm_read();
  effects.clear();
  ask(5, protocol::ListJobs{false});
  EXPECT_EQ(answers<JobList>().at(0).second.jobs.at(0).waiting.code,
            protocol::WaitingCode::capacity);
}

}  // namespace
}  // namespace fastgpu::ledger
