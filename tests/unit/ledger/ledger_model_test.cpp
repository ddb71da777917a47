/// The ledger against a naive model that keeps one struct for each task and nothing else in mind,
/// over thousands of random entries; and the ledger against itself: replayed, and restored from a
/// snapshot.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/ledger/ledger_invariants.hpp"
#include "tests/unit/ledger/ledger_values.hpp"

namespace fastgpu::ledger {
namespace {

using namespace testing;
using protocol::PlaceCause;
using protocol::TaskPhase;
using protocol::TaskState;
using ::testing::IsEmpty;

struct NaiveTask {
  bool ended{false};
  TaskState state{TaskState::pending};
  bool open{false};  ///< the attempt at the floor may still report
  base::AttemptId floor;
  std::uint32_t own{0};
  std::uint32_t node{0};
};

struct NaiveJob {
  std::vector<NaiveTask> tasks;
  std::uint32_t retries{};
  std::uint32_t crash_limit{};
  std::set<std::pair<base::AttemptId, std::uint32_t>> billed;
  std::int64_t device_ns{0};
  std::vector<protocol::Dependency> waits;
};

/// The rules once more, task by task.
class NaiveLedger {
 public:
  void apply(const protocol::SubmitRecord& record) {
    if (requests_.emplace(record.request, jobs_.size()).second) {
      jobs_.push_back({std::vector<NaiveTask>(record.spec->tasks),
                       record.spec->retries,
                       record.spec->crash_limit,
                       {},
                       0,
                       record.spec->after});
    }
  }
  void apply(const protocol::PlacedRecord& record) {
    each(record.job, record.ranges, [&](NaiveJob& job, std::uint32_t, NaiveTask& task) {
      if (job.waits.empty() && !task.ended && task.floor < record.attempt) {
        task.node += task.open && record.cause == PlaceCause::node_failure ? 1 : 0;
        task.open = true;
        task.floor = record.attempt;
      }
    });
  }
  void apply(const protocol::FinishRecord& record) {
    for (const protocol::TaskReport& report : record.reports) {
      each(record.job, {report.range}, [&](NaiveJob& job, std::uint32_t, NaiveTask& task) {
        const bool reached = task.open ? record.attempt >= task.floor : record.attempt > task.floor;
        if (job.waits.empty() && !task.ended && reached) {
          task.floor = record.attempt;
          finish(job, task, report.outcome);
        }
      });
    }
  }
  void apply(const protocol::ReleasedRecord& record) {
    std::int64_t fresh = 0;
    each(record.job, record.ranges, [&](NaiveJob& job, std::uint32_t index, NaiveTask&) {
      fresh += job.billed.emplace(record.attempt, index).second ? 1 : 0;
    });
    // The steps bill 8 for each task, so proportions are exact.
    jobs_[position(record.job)].device_ns += 8 * fresh;
  }
  void apply(const protocol::CancelRecord& record) { cancel(record.job); }
  void apply(const protocol::GiveUpRecord& record) {
    each(record.job, record.ranges,
         [](NaiveJob&, std::uint32_t, NaiveTask& task) { end(task, TaskState::lost); });
  }
  void apply(const protocol::MemberRecord&) {}
  void apply(const protocol::MemberStateRecord&) {}
  void apply(const protocol::TokenRecord&) {}
  void apply(const protocol::ClientKeyRecord&) {}
  void apply(const protocol::ReplicasRecord&) {}
  void apply(const protocol::DependencyRecord& record) {
    std::vector<protocol::Dependency> left;
    for (const protocol::Dependency& one : jobs_[position(record.job)].waits) {
      if (one.job != record.parent.job) {
        left.push_back(one);
      } else if (!fits(one.kind, record.parent)) {
        cancel(record.job);
      }
    }
    jobs_[position(record.job)].waits = left;
  }

  const std::vector<NaiveJob>& jobs() const { return jobs_; }

 private:
  static std::size_t position(base::JobId job) { return job.value / layout.shard_count - 1; }

  static bool fits(protocol::DependencyKind kind, const protocol::JobStanding& parent) {
    using enum protocol::JobKnowledge;
    switch (kind) {
      case protocol::DependencyKind::ok:
        return parent.knowledge == known && parent.state == TaskState::succeeded;
      case protocol::DependencyKind::fail:
        return parent.knowledge == known && parent.state != TaskState::succeeded;
      case protocol::DependencyKind::any:
        return parent.knowledge == known || parent.knowledge == forgotten;
    }
    return false;
  }

  void cancel(base::JobId job) {
    each(job, {{0, UINT32_MAX}},
         [](NaiveJob&, std::uint32_t, NaiveTask& task) { end(task, TaskState::cancelled); });
  }

  static void end(NaiveTask& task, TaskState state) {
    if (!task.ended) {
      task.ended = true;
      task.state = state;
    }
  }

  static void finish(const NaiveJob& job, NaiveTask& task, const protocol::TaskOutcome& outcome) {
    if (outcome.state == TaskState::succeeded) {
      end(task, TaskState::succeeded);
    } else if (outcome.reason == base::FailureReason::kernel_assert) {
      task.own < job.retries ? void(++task.own) : end(task, TaskState::failed);
    } else if (++task.node > job.crash_limit) {
      end(task, TaskState::lost);
    }
    task.open = false;
  }

  template <class Visit>
  void each(base::JobId job, const std::vector<base::TaskRange>& ranges, Visit visit) {
    NaiveJob& known = jobs_[position(job)];
    for (std::uint32_t index = 0; index < known.tasks.size(); ++index) {
      const bool named = std::any_of(ranges.begin(), ranges.end(), [index](base::TaskRange range) {
        return range.contains(index);
      });
      if (named) {
        visit(known, index, known.tasks[index]);
      }
    }
  }

  std::map<base::RequestId, std::size_t> requests_;
  std::vector<NaiveJob> jobs_;
};

/// Random records about few jobs, so that they meet.
class Steps {
 public:
  explicit Steps(std::uint64_t seed) : random_(seed) {}

  protocol::Record next() {
    if (jobs_ == 0 || random_.chance(20'000)) {
      const bool again = jobs_ > 0 && random_.chance(300'000);
      const std::uint64_t number = again ? 1 + random_.below(jobs_) : ++jobs_;
      return random_.chance(300'000) ? submitted(number, spec_after(1 + below(40), conditions()))
                                     : submitted(number, spec(1 + below(40), below(3), below(3)));
    }
    const std::uint64_t job = 1 + random_.below(jobs_);
    if (random_.chance(50'000)) {
      return parent_ended(job, some_parent(), static_cast<TaskState>(2 + below(5)),
                          static_cast<protocol::JobKnowledge>(below(20) < 18 ? 0 : 1 + below(2)));
    }
    switch (random_.below(20)) {
      case 0:
        return protocol::GiveUpRecord{job_id(job), ranges(), base::FailureReason::node_lost, "", 1};
      case 1:
        return random_.chance(200'000) ? protocol::Record(cancelled(900 + job, job))
                                       : protocol::Record(placed_somewhere(job));
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        return placed_somewhere(job);
      case 9:
      case 10:
      case 11: {
        auto list = ranges();
        const auto ns = static_cast<std::int64_t>(8 * count_tasks(normalized(list)));
        return released(some_attempt(), std::move(list), ns, job);
      }
      default: {
        protocol::FinishRecord record{some_attempt(), job_id(job), {}, 2000};
        for (const base::TaskRange& range : ranges()) {
          record.reports.push_back({range, some_outcome()});
        }
        return record;
      }
    }
  }

 private:
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(random_.below(bound));
  }
  protocol::PlacedRecord placed_somewhere(std::uint64_t job) {
    if (random_.chance(700'000)) {
      ++sequence_;
    }
    if (random_.chance(20'000)) {
      ++term_;
      sequence_ = 1;
    }
    return placed(attempt(sequence_, term_), ranges(), static_cast<PlaceCause>(below(4)),
                  device(1 + below(3)), job);
  }
  base::JobId some_parent() { return {1000 + random_.below(3)}; }
  std::vector<protocol::Dependency> conditions() {
    std::vector<protocol::Dependency> list(1 + below(3));
    for (protocol::Dependency& one : list) {
      one = {some_parent(), static_cast<protocol::DependencyKind>(below(3))};
    }
    return list;
  }
  base::AttemptId some_attempt() {
    const std::uint64_t back = random_.below(6);
    return attempt(sequence_ > back ? sequence_ - back : 1, term_);
  }
  std::vector<base::TaskRange> ranges() {
    // Within the smallest job's size only by luck: what a job has not must not count.
    std::vector<base::TaskRange> list;
    std::uint32_t first = below(10);
    for (std::uint32_t i = 0; i <= below(3); ++i) {
      list.push_back({first, 1 + below(12)});
      first += list.back().count + below(6);
    }
    return list;
  }
  protocol::TaskOutcome some_outcome() {
    const std::uint32_t kind = below(5);
    return kind < 3 ? outcome() : kind == 3 ? failure() : node_failure();
  }

  base::Random random_;
  std::uint64_t jobs_{0};
  std::uint64_t term_{1};
  std::uint64_t sequence_{1};
};

void expect_same(const LedgerState& state, const NaiveLedger& naive) {
  ASSERT_EQ(state.jobs().size(), naive.jobs().size());
  std::size_t position = 0;
  for (const auto& [id, job] : state.jobs()) {
    const NaiveJob& expected = naive.jobs()[position++];
    ASSERT_EQ(job.spec->tasks, expected.tasks.size());
    ASSERT_EQ(job.device_ns, expected.device_ns) << base::to_string(id);
    if (job.live()) {
      ASSERT_EQ(job.waits_for, expected.waits) << base::to_string(id);
    }
    for (std::uint32_t index = 0; index < expected.tasks.size(); ++index) {
      const NaiveTask& task = expected.tasks[index];
      const protocol::TaskRecord& record = *job.tasks.find(index);
      const auto told = std::tuple(record.phase == TaskPhase::ended,
                                   record.outcome ? record.outcome->state : TaskState::pending,
                                   record.floor, record.own_failures, record.node_failures);
      ASSERT_EQ(told, std::tuple(task.ended, task.state, task.floor, task.own, task.node))
          << base::to_string(id) << " task " << index;
      if (!task.ended) {
        ASSERT_EQ(record.phase == TaskPhase::placed, task.open);
      }
    }
  }
}

constexpr int entries_per_seed = 250;
/// Jobs beyond the model's memory are never forgotten here.
constexpr RetentionLimits everything{1'000'000, 1ull << 40};

class LedgerModel : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LedgerModel, AgreesWithANaiveLedgerAfterEveryEntry) {
  LedgerState state(shard, layout, everything);
  NaiveLedger naive;
  Steps steps(GetParam());
  base::Random sizes(GetParam());
  for (std::uint64_t index = 1; index <= entries_per_seed; ++index) {
    protocol::Entry entry;
    for (std::uint64_t i = 0; i <= sizes.below(4); ++i) {
      entry.records.push_back(steps.next());
    }
    const LedgerState before = state;
    state.apply({index}, entry);
    for (const protocol::Record& record : entry.records) {
      std::visit([&naive](const auto& known) { naive.apply(known); }, record);
    }
    ASSERT_THAT(check(state), IsEmpty());
    ASSERT_THAT(check_step(before, state), IsEmpty());
    ASSERT_NO_FATAL_FAILURE(expect_same(state, naive)) << "entry " << index;
  }
}

TEST_P(LedgerModel, TheSameEntriesGiveTheSameStateAlsoFromASnapshotInBetween) {
  const RetentionLimits short_memory{20, 1u << 20};
  LedgerState first(shard, layout, short_memory);
  LedgerState restored(shard, layout, short_memory);
  Steps steps(GetParam());
  std::vector<protocol::Entry> log;
  const std::uint64_t snapshot_at = 1 + GetParam() % entries_per_seed;
  for (std::uint64_t index = 1; index <= entries_per_seed; ++index) {
    log.push_back({{steps.next(), steps.next()}});
    const auto changes = first.apply({index}, log.back());
    if (index == snapshot_at) {
      restored.restore(first.image());
    } else if (index > snapshot_at) {
      ASSERT_EQ(restored.apply({index}, log.back()), changes);
    }
  }
  LedgerState replayed(shard, layout, short_memory);
  for (std::uint64_t index = 1; index <= entries_per_seed; ++index) {
    replayed.apply({index}, log[index - 1]);
  }
  EXPECT_EQ(first.image(), replayed.image());
  EXPECT_EQ(first.image(), restored.image());
  EXPECT_THAT(check(restored), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerModel, ::testing::Range<std::uint64_t>(1, 17));

}  // namespace
}  // namespace fastgpu::ledger
