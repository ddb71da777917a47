// Whole clusters under trouble, by seed. What a seed draws is in plan.cpp; FASTGPU_SEED and the
// other variables below are for scripts/sim.

#include "tests/sim/swarm.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace fastgpu::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t batches = 20;
constexpr std::uint64_t seeds_per_batch = 50;

class SwarmSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SwarmSeeds, LoseNothingAndGiveEachTaskOneEnd) {
  SwarmCounts sum;
  for (std::uint64_t i = 0; i < seeds_per_batch; ++i) {
    SwarmOptions options;
    options.seed = GetParam() * seeds_per_batch + i + 1;
    const SwarmResult result = run_swarm(options);
    ASSERT_TRUE(result.violations.empty()) << report(options, result);
    sum += result.counts;
  }
  EXPECT_GT(sum.accepted, 5 * seeds_per_batch) << "users were served in the middle of the trouble";
  EXPECT_GT(sum.followers, seeds_per_batch / 2) << "jobs began after others";
  EXPECT_GT(sum.held_back, seeds_per_batch / 2) << "jobs were cancelled by the end of others";
  EXPECT_GT(sum.repeats, seeds_per_batch) << "requests were sent twice";
  EXPECT_GT(sum.looks, seeds_per_batch) << "users looked";
  EXPECT_GT(sum.executions, seeds_per_batch) << "commands ran";
  EXPECT_GT(sum.snapshots, 0u) << "some were so far behind that they were sent a snapshot";
  EXPECT_GT(sum.lost_writes, 0u) << "disks lost what was not synced";
  for (std::size_t kind = 0; kind < fault_kinds; ++kind) {
    EXPECT_GT(sum.faults[kind], 0u) << to_word(static_cast<FaultKind>(kind));
  }
  for (const std::uint64_t frames :
       {sum.frames.lost, sum.frames.duplicated, sum.frames.reordered, sum.frames.corrupted}) {
    EXPECT_GT(frames, 0u) << "the network was bad";
  }
}

INSTANTIATE_TEST_SUITE_P(Batch, SwarmSeeds, ::testing::Range<std::uint64_t>(0, batches));

TEST(Swarm, EndsCommandsWithTheirLeases) {
  SwarmCounts sum;
  SwarmOptions options;
  options.bend = [](Plan& plan) {
    plan.run_commands();
    plan.faults[static_cast<std::size_t>(FaultKind::freeze)] = true;
  };
  for (options.seed = 1; options.seed <= 10; ++options.seed) {
    const SwarmResult result = run_swarm(options);
    ASSERT_TRUE(result.violations.empty()) << report(options, result);
    sum += result.counts;
  }
  EXPECT_GT(sum.leases_ended, 0u);
  EXPECT_GT(sum.executed_again, 0u) << "elsewhere, and never at once";
}

TEST(Swarm, GivesTheSameHistoryForTheSameSeed) {
  for (const std::uint64_t seed : {3u, 4u, 17u, 18u, 29u, 30u}) {
    SwarmOptions options;
    options.seed = seed;
    const SwarmResult first = run_swarm(options);
    EXPECT_EQ(first.trace_hash, run_swarm(options).trace_hash) << first.drawn;
    options.seed = seed + 1;
    EXPECT_NE(first.trace_hash, run_swarm(options).trace_hash);
  }
}

// --- for scripts/sim -----------------------------------------------------------------------------

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

SwarmOptions options_of_environment() {
  SwarmOptions options;
  options.seed = number_of("FASTGPU_SEED", 1);
  options.verbose = std::getenv("FASTGPU_VERBOSE") != nullptr;
  options.ledger_faults.ignore_fence = std::getenv("FASTGPU_PLANT") != nullptr;
  return options;
}

TEST(Swarm, ReplaysTheSeedOfTheEnvironment) {
  const SwarmOptions options = options_of_environment();
  const SwarmResult result = run_swarm(options);
  EXPECT_TRUE(result.violations.empty()) << report(options, result);
  std::cout << "seed " << options.seed << ": " << result.drawn << "\n" << table(result.counts);
}

// Takes the seed of the environment and every FASTGPU_STRIDE-th after it, for FASTGPU_SECONDS. Each
// seed is named before it begins, so that one that ends the process is known.
TEST(Swarm, GoesOnFromTheSeedOfTheEnvironment) {
  const std::uint64_t seconds = number_of("FASTGPU_SECONDS", 1);
  SwarmOptions options = options_of_environment();
  SwarmCounts sum;
  const std::uint64_t stride = number_of("FASTGPU_STRIDE", 1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (; std::chrono::steady_clock::now() < end; options.seed += stride) {
    std::cout << "begin " << options.seed << std::endl;
    const SwarmResult result = run_swarm(options);
    sum += result.counts;
    if (!result.violations.empty()) {
      std::cout << report(options, result) << std::endl;
      ADD_FAILURE();
      break;
    }
  }
  std::cout << "sum\n" << table(sum) << std::flush;
}

}  // namespace
}  // namespace fastgpu::testing
