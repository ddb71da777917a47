#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/sim/raft/chaos.hpp"

namespace fastgpu::raft::testing {
namespace {

constexpr std::uint64_t batches = 20;
constexpr std::uint64_t seeds_per_batch = 300;

std::string report(const ChaosOptions& options, const ChaosResult& result) {
  std::string text = "seed " + std::to_string(options.seed) + " (" + result.drawn +
                     "); run it alone: FASTGPU_SEED=" + std::to_string(options.seed) +
                     " test_sim_raft --gtest_filter=RaftChaos.ReplaysTheSeedOfTheEnvironment";
  for (const std::string& violation : result.violations) {
    text += "\n  " + violation;
  }
  return text;
}

class RaftSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RaftSeeds, LoseNothingAndAgreeAgainInPeace) {
  ChaosResult sum;
  for (std::uint64_t i = 0; i < seeds_per_batch; ++i) {
    ChaosOptions options;
    options.seed = GetParam() * seeds_per_batch + i + 1;
    const ChaosResult result = run_chaos(options);
    ASSERT_TRUE(result.violations.empty()) << report(options, result);
    sum.done += result.done;
    sum.reads += result.reads;
    sum.leaderships += result.leaderships;
    sum.crashes += result.crashes;
    sum.installs += result.installs;
    sum.changes += result.changes;
  }
  EXPECT_GT(sum.done, 10 * seeds_per_batch) << "clients were served in the middle of the trouble";
  EXPECT_GT(sum.reads, seeds_per_batch);
  EXPECT_GT(sum.leaderships, seeds_per_batch) << "leaders changed";
  EXPECT_GT(sum.crashes, seeds_per_batch) << "the trouble took place";
  EXPECT_GT(sum.installs, seeds_per_batch / 4) << "snapshots were needed";
  EXPECT_GT(sum.changes, seeds_per_batch / 10) << "members came and went";
}

INSTANTIATE_TEST_SUITE_P(Batch, RaftSeeds, ::testing::Range<std::uint64_t>(0, batches));

TEST(RaftChaos, GivesTheSameHistoryForTheSameSeed) {
  for (std::uint64_t seed : {3u, 17u, 29u, 101u}) {
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

// For people who follow a failure: FASTGPU_SEED picks the seed, FASTGPU_VERBOSE tells the history,
// FASTGPU_SEEDS runs that many from there and sums them up.
TEST(RaftChaos, ReplaysTheSeedOfTheEnvironment) {
  ChaosOptions options;
  std::uint64_t seeds = 1;
  if (const char* seed = std::getenv("FASTGPU_SEED")) {
    options.seed = std::strtoull(seed, nullptr, 10);
  }
  if (const char* count = std::getenv("FASTGPU_SEEDS")) {
    seeds = std::strtoull(count, nullptr, 10);
  }
  options.verbose = std::getenv("FASTGPU_VERBOSE") != nullptr;
  ChaosResult sum;
  std::uint64_t violating = 0;
  for (std::uint64_t i = 0; i < seeds; ++i, ++options.seed) {
    const ChaosResult result = run_chaos(options);
    EXPECT_TRUE(result.violations.empty()) << report(options, result);
    violating += result.violations.empty() ? 0 : 1;
    sum.drawn = result.drawn;
    sum.steps += result.steps;
    sum.done += result.done;
    sum.reads += result.reads;
    sum.leaderships += result.leaderships;
    sum.crashes += result.crashes;
    sum.installs += result.installs;
    sum.changes += result.changes;
    sum.virtual_time += result.virtual_time;
  }
  std::cout << seeds << " seeds, the last: " << sum.drawn << "; in all " << sum.done
            << " proposals done, " << sum.reads << " reads, " << sum.leaderships << " leaderships, "
            << sum.crashes << " crashes, " << sum.installs << " snapshots, " << sum.changes
            << " changes of members, " << sum.steps << " steps, "
            << sum.virtual_time / std::chrono::seconds{1} << " virtual seconds, " << violating
            << " seeds with violations\n";
}

}  // namespace
}  // namespace fastgpu::raft::testing
