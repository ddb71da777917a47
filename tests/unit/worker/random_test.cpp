/// The worker machine against a leader that follows its rules over a bad line, and an executor that
/// dies now and then, from many seeds.

#include <map>
#include <set>

#include "runtime/base/random.hpp"
#include "runtime/books/task_set.hpp"
#include "tests/unit/worker/worker_bench.hpp"

namespace fastgpu::worker {
namespace {

class Story {
 public:
  explicit Story(std::uint64_t seed)
      : random_(seed), window_(1 + static_cast<std::uint32_t>(random_.below(6))), bench_(window_) {}

  void run() {
    bench_.ready();
    for (int i = 0; i < 400; ++i)
      turn(true);
    // Faults stop: everything granted must end and be settled.
    for (int i = 0; i < 4000 && !over(); ++i)
      turn(false);
    EXPECT_TRUE(over()) << "something never ended";
    for (const auto& [attempt, tasks] : granted_)
      for (const auto& range : tasks.ranges())
        for (std::uint32_t task = range.first; task < range.end(); ++task)
          EXPECT_TRUE(ended_[attempt].contains(task) || unwanted(attempt, task))
              << base::to_string(attempt) << " task " << task;
  }

 private:
  bool over() const { return bench_.machine.attempts().empty() && to_worker_.empty(); }

  /// Stopped, handed back, or given out again under a greater attempt.
  bool unwanted(base::AttemptId attempt, std::uint32_t task) {
    for (auto later = assigned_.upper_bound(attempt); later != assigned_.end(); ++later)
      if (later->second.contains(task))
        return true;
    return stopped_[attempt].contains(task) || handed_back_[attempt].contains(task);
  }

  void turn(bool faults) {
    faults_ = faults;
    bench_.pass(base::Duration(static_cast<std::int64_t>(random_.below(40'000'000))));
    if (faults && random_.chance(200'000))
      assign();
    if (faults && random_.chance(30'000))
      change_leader();
    if (faults && random_.chance(40'000) && last_)
      stop_some();
    executor();
    hear();
    deliver();
  }

  void assign() {
    const auto attempt = WorkerBench::attempt(++sequence_, term_);
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(random_.below(20));
    protocol::Assign assign{attempt,
                            WorkerBench::job,
                            {{next_task_, count}},
                            WorkerBench::device,
                            WorkerBench::life,
                            WorkerBench::spec_of(WorkerBench::plain_spec(100'000))};
    if (random_.chance(850'000))
      next_task_ += count;  // else the next attempt supersedes this one
    last_ = assign;
    for (const auto& range : assign.ranges)
      assigned_[attempt].add(range);
    post(FromLeader<protocol::Assign>{WorkerBench::leader, assign});
  }
  void change_leader() {
    term_ += 1;
    sequence_ = 0;
    post(FromLeader<protocol::Adopt>{WorkerBench::leader, {WorkerBench::shard, {1}, {term_}}});
  }
  void stop_some() {
    const protocol::Stop stop{last_->attempt, last_->job, last_->device, last_->ranges};
    for (const auto& range : stop.ranges)
      stopped_[stop.attempt].add(range);
    post(FromLeader<protocol::Stop>{WorkerBench::leader, stop});
  }
  /// A message to the worker: lost, repeated or late while there are faults.
  void post(const Event& event) {
    if (faults_ && random_.chance(150'000))
      return;
    to_worker_.push_back(event);
    if (faults_ && random_.chance(150'000))
      to_worker_.push_back(event);
  }
  void deliver() {
    while (!to_worker_.empty() && !(faults_ && random_.chance(300'000))) {
      const std::size_t which = faults_ ? random_.below(to_worker_.size()) : 0;
      const Event event = to_worker_[which];
      to_worker_.erase(to_worker_.begin() + static_cast<std::ptrdiff_t>(which));
      bench_.step(event);
      watch_launches();
    }
  }
  /// What the worker sent: the leader answers renewals and settles ends.
  void hear() {
    for (auto& sent : std::exchange(bench_.sent, {})) {
      if (const auto* renew = std::get_if<protocol::Renew>(&sent.message);
          renew != nullptr && bench_.machine.health().quarantined())
        note_handed_back(*renew);
      if (faults_ && random_.chance(150'000))
        continue;
      if (const auto* renew = std::get_if<protocol::Renew>(&sent.message))
        post(FromLeader<protocol::Renewed>{
            WorkerBench::leader,
            {WorkerBench::shard,
             {1},
             {term_},
             WorkerBench::device,
             renew->asked_at_ns,
             base::Duration(random_.chance(500'000) ? 100ms : 10s).count(),
             {}}});
      else if (const auto* finish = std::get_if<protocol::Finish>(&sent.message))
        settle(*finish);
      else if (const auto* reply = std::get_if<protocol::AssignReply>(&sent.message))
        hear_reply(*reply);
    }
  }
  /// A device in quarantine leaves out what it will not run.
  void note_handed_back(const protocol::Renew& renew) {
    for (const auto& [attempt, tasks] : assigned_) {
      books::TaskSet held;
      for (const auto& listed : renew.held)
        for (const auto& range : listed.ranges)
          if (listed.attempt == attempt)
            held.add(range);
      for (const auto& range : tasks.ranges())
        for (std::uint32_t task = range.first; task < range.end(); ++task)
          if (!held.contains(task))
            handed_back_[attempt].add({task, 1});
    }
  }
  void hear_reply(const protocol::AssignReply& reply) {
    if (reply.refused == protocol::RefusalReason::none && last_ && reply.attempt == last_->attempt)
      for (const auto& range : last_->ranges)
        granted_[reply.attempt].add(range);
    EXPECT_LE(reply.books.queued_tasks, base::limits::device_queue_tasks_max);
  }
  void settle(const protocol::Finish& finish) {
    protocol::Settled settled{finish.attempt, finish.job, finish.device, {}};
    for (const auto& report : finish.reports) {
      EXPECT_TRUE(protocol::is_terminal(report.outcome.state));
      EXPECT_EQ(report.outcome.attempt, finish.attempt);
      settled.ranges.push_back(report.range);
      ended_[finish.attempt].add(report.range);
    }
    post(FromLeader<protocol::Settled>{WorkerBench::leader, settled});
  }

  void watch_launches() {
    for (const auto& launch : bench_.launches) {
      if (!known_.insert(launch.token).second)
        continue;
      EXPECT_TRUE(bench_.machine.leased(WorkerBench::shard, bench_.now));
      const auto& flight = bench_.machine.in_flight().at(launch.token);
      EXPECT_FALSE(succeeded_.contains({flight.task.attempt, launch.task}))
          << "task " << launch.task << " runs again under " << base::to_string(flight.task.attempt);
      attempt_of_[launch.token] = flight.task.attempt;
    }
    EXPECT_LE(bench_.launches.size(), window_);
  }
  void executor() {
    watch_launches();
    if (!bench_.kills.empty() || (faults_ && random_.chance(20'000))) {
      bench_.kills.clear();
      bench_.die();
      up_ = false;
    }
    if (!up_ && random_.chance(500'000)) {
      bench_.ready();
      up_ = true;
      watch_launches();
    }
    while (up_ && !bench_.launches.empty() && random_.chance(600'000)) {
      const Launch launch = bench_.launches.front();
      succeeded_.insert({attempt_of_.at(launch.token), launch.task});
      bench_.done();
      watch_launches();
    }
  }

  base::Random random_;
  std::uint32_t window_;
  WorkerBench bench_;
  bool faults_{true};
  bool up_{true};
  std::uint64_t term_{1};
  std::uint64_t sequence_{0};
  std::uint32_t next_task_{0};
  std::optional<protocol::Assign> last_;
  std::vector<Event> to_worker_;
  std::map<base::AttemptId, books::TaskSet> assigned_;
  std::map<base::AttemptId, books::TaskSet> granted_;
  std::map<base::AttemptId, books::TaskSet> stopped_;
  std::map<base::AttemptId, books::TaskSet> handed_back_;
  std::map<base::AttemptId, books::TaskSet> ended_;
  std::set<LaunchToken> known_;
  std::map<LaunchToken, base::AttemptId> attempt_of_;
  std::set<std::pair<base::AttemptId, std::uint32_t>> succeeded_;
};

TEST(WorkerRandom, RunsNoTaskTwiceUnderOneAttemptAndReportsEveryEnd) {
  for (std::uint64_t seed = 1; seed <= 12 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Story(seed).run();
  }
}

}  // namespace
}  // namespace fastgpu::worker
