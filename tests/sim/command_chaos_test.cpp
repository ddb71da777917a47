#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sim/command_chaos.hpp"

namespace fastgpu::testing {
namespace {

constexpr std::uint64_t batches = 10;
constexpr std::uint64_t seeds_per_batch = 10;

std::string report(const CommandChaosOptions& options, const CommandChaosResult& result) {
  std::string text = "seed " + std::to_string(options.seed) + " (" + result.drawn +
                     "); run it alone: FASTGPU_SEED=" + std::to_string(options.seed) +
                     " test_sim --gtest_filter=CommandChaos.ReplaysTheSeedOfTheEnvironment";
  for (const std::string& violation : result.violations) {
    text += "\n  " + violation;
  }
  return text;
}

class CommandChaosSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(CommandChaosSeeds, NeverRunACommandTwiceAtOnceNorBeyondItsLeaseAndEndThemAll) {
  CommandChaosResult sum;
  for (std::uint64_t i = 0; i < seeds_per_batch; ++i) {
    CommandChaosOptions options;
    options.seed = GetParam() * seeds_per_batch + i + 1;
    const CommandChaosResult result = run_command_chaos(options);
    ASSERT_TRUE(result.violations.empty()) << report(options, result);
    sum.accepted += result.accepted;
    sum.crashes += result.crashes;
    sum.executions += result.executions;
    sum.killed_at_lease_end += result.killed_at_lease_end;
  }
  EXPECT_GT(sum.accepted, seeds_per_batch) << "users were served in the middle of the trouble";
  EXPECT_GT(sum.executions, 5 * seeds_per_batch) << "commands ran in the middle of the trouble";
  EXPECT_GT(sum.crashes, 0u) << "the trouble took place";
  EXPECT_GT(sum.killed_at_lease_end, 0u) << "leases did end";
}

INSTANTIATE_TEST_SUITE_P(Batch, CommandChaosSeeds, ::testing::Range<std::uint64_t>(0, batches));

TEST(CommandChaos, GivesTheSameHistoryForTheSameSeed) {
  CommandChaosOptions options;
  options.seed = 3;
  const CommandChaosResult first = run_command_chaos(options);
  const CommandChaosResult second = run_command_chaos(options);
  EXPECT_EQ(first.trace_hash, second.trace_hash) << first.drawn;
  EXPECT_EQ(first.executions, second.executions);
  options.seed = 4;
  EXPECT_NE(first.trace_hash, run_command_chaos(options).trace_hash);
}

/// The first seed of `limit` in which a rule that was broken on purpose was noticed; 0 if none.
std::uint64_t seed_that_notices(CommandChaosOptions options, std::uint64_t limit) {
  for (options.seed = 1; options.seed <= limit; ++options.seed) {
    if (!run_command_chaos(options).violations.empty()) {
      return options.seed;
    }
  }
  return 0;
}

TEST(CommandChaosNotices, CommandsThatArePlacedAnewWithoutProof) {
  CommandChaosOptions options;
  options.ledger_faults.place_without_proof = true;
  EXPECT_NE(seed_that_notices(options, 20), 0u);
}

TEST(CommandChaosNotices, ANodeThatIsHeardBeforeTheCommandsOfItsLastLifeAreGone) {
  CommandChaosOptions options;
  options.command.late_sweep = true;
  EXPECT_NE(seed_that_notices(options, 40), 0u);
}

// For people who follow a failure: FASTGPU_SEED picks the seed, FASTGPU_VERBOSE tells the history.
TEST(CommandChaos, ReplaysTheSeedOfTheEnvironment) {
  CommandChaosOptions options;
  if (const char* seed = std::getenv("FASTGPU_SEED")) {
    options.seed = std::strtoull(seed, nullptr, 10);
  }
  options.verbose = std::getenv("FASTGPU_VERBOSE") != nullptr;
  const CommandChaosResult result = run_command_chaos(options);
  EXPECT_TRUE(result.violations.empty()) << report(options, result);
  std::cout << "seed " << options.seed << ": " << result.drawn << "; " << result.accepted
            << " jobs accepted, " << result.executions << " executions, "
            << result.killed_at_lease_end << " ended by their lease, " << result.crashes
            << " crashes\n";
}

}  // namespace
}  // namespace fastgpu::testing
