#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sim/commands/command_world.hpp"
#include "tests/support/dependency_check.hpp"

// Commands under trouble: never executed twice at once, never beyond their lease, and all of them
// come to their end.

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

struct Result {
  std::string drawn;
  std::vector<std::string> violations;
  std::uint64_t executions{};
  std::uint64_t killed{};
  std::uint64_t jobs{};
  std::uint64_t leaders{};
  std::uint64_t held_back{};
  std::uint64_t hash{0xcbf29ce484222325u};
};

class Chaos {
 public:
  Chaos(std::uint64_t seed, ledger::LedgerFaults faults)
      : random_(seed * 0x2545f4914f6cdd1du + 3), options_(draw(seed, faults)), world_(options_) {}

  Result run() {
    const base::Time end = world_.agenda().now() + 60s;
    user(end);
    trouble(end);
    world_.run_for(60s);
    world_.make_peace();
    const bool settled =
        world_.run_until([this] { return all_ended() || !world_.violations().empty(); }, 600s);
    Result result;
    result.drawn = text_;
    check_ends();
    result.violations = world_.violations();
    result.violations.insert(result.violations.end(), found_.begin(), found_.end());
    if (!settled)
      result.violations.push_back("a job was still not terminal 600 s after peace");
    for (const Execution& execution : world_.record().all())
      for (const auto value :
           {execution.began.time_since_epoch().count(), execution.ended.time_since_epoch().count()})
        result.hash = (result.hash ^ static_cast<std::uint64_t>(value)) * 0x100000001b3u;
    result.executions = world_.record().all().size();
    result.killed = world_.record().killed_at_lease_end();
    result.jobs = world_.accepted().size();
    result.leaders = world_.leaders();
    result.held_back = held_back_;
    return result;
  }

 private:
  CommandWorldOptions draw(std::uint64_t seed, ledger::LedgerFaults faults) {
    CommandWorldOptions options;
    options.seed = seed;
    options.nodes = 3 + static_cast<std::uint32_t>(random_.below(3));
    options.replicas = random_.chance(200'000) ? 1 : 3;
    options.bad_network = random_.chance(500'000);
    options.faults = faults;
    crashes_ = random_.chance(600'000);
    freezes_ = random_.chance(600'000);
    cuts_ = random_.chance(600'000);
    elections_ = options.replicas > 1 && random_.chance(500'000);
    text_ = std::to_string(options.nodes) + " nodes, " + std::to_string(options.replicas) +
            " replicas" + (options.bad_network ? ", bad network" : "") +
            (crashes_ ? ", crashes" : "") + (freezes_ ? ", freezes" : "") +
            (cuts_ ? ", cuts" : "") + (elections_ ? ", elections" : "");
    return options;
  }

  base::Duration between(base::Duration low, base::Duration high) {
    return low + base::Duration(static_cast<std::int64_t>(
                     random_.below(static_cast<std::uint64_t>((high - low).count()))));
  }

  void user(base::Time end) {
    const base::Time next = world_.agenda().now() + between(500ms, 4s);
    if (next >= end)
      return;
    world_.agenda().note(next, [this, end] {
      submit_something();
      if (random_.chance(150'000) && !world_.accepted().empty()) {
        auto job = world_.accepted().begin();
        std::advance(job, random_.below(world_.accepted().size()));
        world_.cancel(job->first);
      }
      user(end);
    });
  }

  void submit_something() {
    protocol::JobSpec spec;
    spec.tasks = 1 + static_cast<std::uint32_t>(random_.below(4));
    spec.crash_limit = 10'000;
    spec.retries = static_cast<std::uint32_t>(random_.below(4));
    if (random_.chance(200'000)) {
      spec.kernel.source = base::Bytes::copy_of(std::string_view("__global__ ok"));
      spec.kernel.name = "ok";
    } else {
      spec.command.argv = {"train", "{}"};
      if (random_.chance(500'000))
        spec.command.outputs = {"out"};
      if (random_.chance(400'000))
        spec.lease_ns = between(4s, 16s).count();
      spec.time_limit_ns = random_.chance(200'000) ? between(1s, 10s).count() : 0;
    }
    if (random_.chance(300'000) && !world_.accepted().empty()) {
      auto parent = world_.accepted().end();
      std::advance(parent, -1 - static_cast<std::ptrdiff_t>(random_.below(
                                    std::min<std::uint64_t>(world_.accepted().size(), 4))));
      spec.after = {{parent->first, static_cast<protocol::DependencyKind>(random_.below(3))}};
    }
    world_.submit(spec);
  }

  void trouble(base::Time end) {
    const base::Time next = world_.agenda().now() + between(200ms, 5s);
    if (next >= end)
      return;
    world_.agenda().note(next, [this, end] {
      make_trouble();
      trouble(end);
    });
  }

  void make_trouble() {
    const std::size_t victim = random_.below(options_.nodes);
    const std::size_t other = random_.below(options_.nodes);
    const base::Duration lasting = random_.chance(500'000) ? between(50ms, 3s) : between(3s, 25s);
    switch (random_.below(4)) {
      case 0:
        if (crashes_ && world_.up(victim)) {
          world_.crash(victim);
          world_.agenda().note_in(lasting, [this, victim] { world_.start(victim); });
        }
        return;
      case 1:
        if (freezes_ && world_.up(victim)) {
          world_.freeze(victim);
          world_.agenda().note_in(lasting, [this, victim] { world_.thaw(victim); });
        }
        return;
      case 2:
        if (cuts_ && victim != other) {
          world_.cut(victim, other, true);
          world_.agenda().note_in(lasting,
                                  [this, victim, other] { world_.cut(victim, other, false); });
        }
        return;
      default:
        if (elections_)
          world_.change_leader();
        return;
    }
  }

  bool all_ended() {
    const ledger::LedgerState& state = world_.ledger();
    for (const auto& [id, spec] : world_.accepted())
      if (const ledger::Job* job = state.find(id); job == nullptr || job->live())
        return false;
    return true;
  }

  /// What is recorded as a command's success was one.
  void check_ends() {
    const ledger::LedgerState& state = world_.ledger();
    for (const auto& [id, spec] : world_.accepted()) {
      const ledger::Job* job = state.find(id);
      if (job != nullptr)
        check_held_back(*job, state);
      if (job == nullptr || !spec->is_command())
        continue;
      job->tasks.for_each([&](base::TaskRange range, const protocol::TaskRecord& record) {
        for (std::uint32_t task = range.first; task < range.end(); ++task)
          if (record.outcome && record.outcome->state == protocol::TaskState::succeeded &&
              !world_.record().succeeded(job->id, task, record.outcome->attempt))
            found_.push_back(base::to_string(job->id) + " task " + std::to_string(task) +
                             " is recorded as a success that never was");
          else if (record.outcome && record.outcome->state == protocol::TaskState::lost)
            found_.push_back(base::to_string(job->id) + " was lost: " + record.outcome->message);
      });
    }
  }

  void check_held_back(const ledger::Job& job, const ledger::LedgerState& state) {
    bool held_back = false;
    for (const protocol::Dependency& condition : job.spec->after)
      held_back = held_back || !has_ended_so(state.find(condition.job), condition.kind);
    held_back_ += held_back ? 1 : 0;
    if (const std::string wrong = held_back ? wrong_end_of_held_back(job) : ""; !wrong.empty())
      found_.push_back(base::to_string(job.id) + " " + wrong);
  }

  base::Random random_;
  std::uint64_t held_back_{0};
  bool crashes_{false};
  bool freezes_{false};
  bool cuts_{false};
  bool elections_{false};
  std::string text_;
  const CommandWorldOptions options_;
  CommandWorld world_;
  std::vector<std::string> found_;
};

Result run(std::uint64_t seed, ledger::LedgerFaults faults = {}) {
  return Chaos(seed, faults).run();
}

std::string report(std::uint64_t seed, const Result& result) {
  std::string text =
      "seed " + std::to_string(seed) + " (" + result.drawn +
      "); run it alone: FASTGPU_SEED=" + std::to_string(seed) +
      " test_sim_commands --gtest_filter=CommandChaos.ReplaysTheSeedOfTheEnvironment";
  for (const std::string& violation : result.violations)
    text += "\n  " + violation;
  return text;
}

constexpr std::uint64_t seeds_per_batch = 200;

class CommandSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(CommandSeeds, NeverRunACommandTwiceAtOnceNorBeyondItsLeaseNorBeforeItsParents) {
  std::uint64_t executions = 0;
  std::uint64_t killed = 0;
  std::uint64_t held_back = 0;
  for (std::uint64_t i = 0; i < seeds_per_batch; ++i) {
    const std::uint64_t seed = GetParam() * seeds_per_batch + i + 1;
    const Result result = run(seed);
    ASSERT_TRUE(result.violations.empty()) << report(seed, result);
    executions += result.executions;
    killed += result.killed;
    held_back += result.held_back;
  }
  EXPECT_GT(executions, 10 * seeds_per_batch) << "commands ran in the middle of the trouble";
  EXPECT_GT(killed, seeds_per_batch / 10) << "leases did end";
  EXPECT_GT(held_back, seeds_per_batch / 10) << "jobs were cancelled by the end of others";
}

INSTANTIATE_TEST_SUITE_P(Batch, CommandSeeds, ::testing::Range<std::uint64_t>(0, 10));

TEST(CommandChaos, GivesTheSameHistoryForTheSameSeed) {
  EXPECT_EQ(run(5).hash, run(5).hash);
  EXPECT_NE(run(5).hash, run(6).hash);
}

/// The first seed of `limit` in which a rule that was broken on purpose was noticed; 0 if none.
std::uint64_t seed_that_notices(ledger::LedgerFaults faults, std::uint64_t limit) {
  for (std::uint64_t seed = 1; seed <= limit; ++seed)
    if (!run(seed, faults).violations.empty())
      return seed;
  return 0;
}

TEST(CommandChaosNotices, CommandsThatArePlacedAnewWithoutProof) {
  ledger::LedgerFaults faults;
  faults.place_without_proof = true;
  EXPECT_NE(seed_that_notices(faults, 50), 0u);
}

TEST(CommandChaosNotices, JobsThatBeginBeforeTheEndOfWhatTheyWaitFor) {
  ledger::LedgerFaults faults;
  faults.start_before_parents = true;
  EXPECT_NE(seed_that_notices(faults, 20), 0u);
}

TEST(CommandChaosNotices, CommandsThatAreAssignedBeforeTheirPlacementIsCommitted) {
  ledger::LedgerFaults faults;
  faults.assign_before_commit = true;
  EXPECT_NE(seed_that_notices(faults, 200), 0u);
}

// For people who follow a failure: FASTGPU_SEED picks the seed.
TEST(CommandChaos, ReplaysTheSeedOfTheEnvironment) {
  const char* const asked = std::getenv("FASTGPU_SEED");
  const std::uint64_t seed = asked != nullptr ? std::strtoull(asked, nullptr, 10) : 1;
  const Result result = run(seed);
  EXPECT_TRUE(result.violations.empty()) << report(seed, result);
  std::cout << "seed " << seed << ": " << result.drawn << "; " << result.jobs << " jobs, "
            << result.executions << " executions, " << result.killed << " ended by their lease, "
            << result.leaders << " leaders\n";
}

}  // namespace
}  // namespace fastgpu::testing
