#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sim/chaos.hpp"

namespace fastgpu::testing {
namespace {

constexpr std::uint64_t batches = 20;
constexpr std::uint64_t seeds_per_batch = 50;

std::string report(const ChaosOptions& options, const ChaosResult& result) {
  std::string text = "seed " + std::to_string(options.seed) + " (" + result.drawn +
                     "); run it alone: FASTGPU_SEED=" + std::to_string(options.seed) +
                     " test_sim --gtest_filter=Chaos.ReplaysTheSeedOfTheEnvironment";
  for (const std::string& violation : result.violations) {
    text += "\n  " + violation;
  }
  return text;
}

class ChaosSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ChaosSeeds, LoseNothingAndRecordEachTaskOnce) {
  std::uint64_t accepted = 0;
  std::uint64_t crashes = 0;
  std::uint64_t lost_frames = 0;
  std::uint64_t followers = 0;
  std::uint64_t held_back = 0;
  for (std::uint64_t i = 0; i < seeds_per_batch; ++i) {
    ChaosOptions options;
    options.seed = GetParam() * seeds_per_batch + i + 1;
    const ChaosResult result = run_chaos(options);
    ASSERT_TRUE(result.violations.empty()) << report(options, result);
    accepted += result.accepted;
    crashes += result.crashes;
    lost_frames += result.frames_lost;
    followers += result.followers;
    held_back += result.held_back;
  }
  EXPECT_GT(accepted, seeds_per_batch) << "users were served in the middle of the trouble";
  EXPECT_GT(crashes, 0u) << "the trouble took place";
  EXPECT_GT(lost_frames, 0u) << "the trouble took place";
  EXPECT_GT(followers, seeds_per_batch / 2) << "jobs began after others";
  EXPECT_GT(held_back, seeds_per_batch / 2) << "jobs were cancelled by the end of others";
}

INSTANTIATE_TEST_SUITE_P(Batch, ChaosSeeds, ::testing::Range<std::uint64_t>(0, batches));

TEST(Chaos, GivesTheSameHistoryForTheSameSeed) {
  for (std::uint64_t seed : {3u, 17u, 29u}) {
    ChaosOptions options;
    options.seed = seed;
    const ChaosResult first = run_chaos(options);
    const ChaosResult second = run_chaos(options);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << first.drawn;
    EXPECT_EQ(first.steps, second.steps);
    options.seed = seed + 1;
    EXPECT_NE(first.trace_hash, run_chaos(options).trace_hash);
  }
}

/// The first seed of `limit` in which a rule that was broken on purpose was noticed; 0 if none.
std::uint64_t seed_that_notices(ChaosOptions options, std::uint64_t limit) {
  for (options.seed = 1; options.seed <= limit; ++options.seed) {
    if (!run_chaos(options).violations.empty()) {
      return options.seed;
    }
  }
  return 0;
}

TEST(ChaosNotices, AFinishRecordedBelowTheFence) {
  ChaosOptions options;
  options.ledger_faults.ignore_fence = true;
  EXPECT_NE(seed_that_notices(options, 100), 0u);
}

TEST(ChaosNotices, ATermThatDoesNotRiseAtStart) {
  ChaosOptions options;
  options.log_faults.keep_term = true;
  EXPECT_NE(seed_that_notices(options, 100), 0u);
}

TEST(ChaosNotices, AReplyBeforeItsRecordIsDurable) {
  ChaosOptions options;
  options.ledger_faults.reply_before_durable = true;
  EXPECT_NE(seed_that_notices(options, 100), 0u);
}

TEST(ChaosNotices, AStoreThatLiesAboutDurability) {
  ChaosOptions options;
  options.store_faults.lie_about_durability = true;
  EXPECT_NE(seed_that_notices(options, 100), 0u);
}

TEST(ChaosNotices, AJobThatBeginsBeforeTheEndOfWhatItWaitsFor) {
  ChaosOptions options;
  options.ledger_faults.start_before_parents = true;
  EXPECT_NE(seed_that_notices(options, 20), 0u);
}

// For people who follow a failure: FASTGPU_SEED picks the seed, FASTGPU_REPLICAS how many each
// shard has, FASTGPU_VERBOSE tells the history.
TEST(Chaos, ReplaysTheSeedOfTheEnvironment) {
  ChaosOptions options;
  if (const char* seed = std::getenv("FASTGPU_SEED")) {
    options.seed = std::strtoull(seed, nullptr, 10);
  }
  if (const char* replicas = std::getenv("FASTGPU_REPLICAS")) {
    options.replicas = static_cast<std::uint32_t>(std::strtoul(replicas, nullptr, 10));
  }
  options.verbose = std::getenv("FASTGPU_VERBOSE") != nullptr;
  const ChaosResult result = run_chaos(options);
  EXPECT_TRUE(result.violations.empty()) << report(options, result);
  std::cout << "seed " << options.seed << ": " << result.drawn << "; " << result.accepted
            << " jobs accepted, " << result.tasks_ended << " tasks ended, " << result.attempts
            << " attempts, " << result.crashes << " crashes, " << result.frames_lost
            << " frames lost, " << result.followers << " jobs after others, " << result.held_back
            << " held back, " << result.steps << " steps\n";
}

}  // namespace
}  // namespace fastgpu::testing
