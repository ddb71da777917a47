#include "tests/chaos/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/chaos/figures.hpp"

namespace fastgpu::chaos {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

std::vector<FaultKind> rounds_of(const ChaosOptions& options) {
  base::Random random(options.seed);
  const Plan plan = draw_plan(options, random);
  return draw_rounds(options, plan, random);
}

TEST(ChaosOptions, DrawTheSameRoundsFromTheSameSeed) {
  ChaosOptions options;
  options.rounds = 50;
  const auto first = rounds_of(options);
  EXPECT_EQ(first.size(), 50u);
  EXPECT_EQ(rounds_of(options), first);
  options.seed = 2;
  EXPECT_NE(rounds_of(options), first);
}

TEST(ChaosOptions, DrawNoOtherKindsThanThoseAskedFor) {
  const auto options = parse_options({"--only", "cut", "--rounds", "30"});
  ASSERT_TRUE(options.ok());
  EXPECT_THAT(rounds_of(options.value()), Each(FaultKind::cut));
}

TEST(ChaosOptions, PrintACommandThatGivesThemAgain) {
  const std::vector<std::string> words{
      "--seed", "9", "--rounds", "3", "--only", "kill,cut", "--quick", "--replicas-expected", "3"};
  const auto options = parse_options(words);
  ASSERT_TRUE(options.ok()) << options.error().message;
  EXPECT_EQ(replay_command(options.value()),
            "scripts/chaos --seed 9 --rounds 3 --nodes 3 --devices 2 --replicas 3 "
            "--replicas-expected 3 --quick --only kill,cut");
}

TEST(ChaosOptions, AreRefusedWhereTheyMakeNoSense) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--dance"},
                                             {"--seed"},
                                             {"--seed", "x"},
                                             {"--rounds", "0"},
                                             {"--nodes", "2"},
                                             {"--replicas", "4"},
                                             {"--only", "kill,dance"},
                                             {"--dance", "7"}}) {
    const auto options = parse_options(words);
    ASSERT_FALSE(options.ok()) << words[0];
    EXPECT_THAT(options.error().hint, HasSubstr("kill-all")) << "the hint says what is possible";
  }
}

TEST(ChaosFigures, GiveQuantilesThatWereMeasured) {
  Samples samples;
  EXPECT_EQ(samples.quantile(0.99), 0);
  for (int i = 100; i > 0; --i) {
    samples.ms.push_back(i);
  }
  EXPECT_EQ(samples.quantile(0.5), 50);
  EXPECT_EQ(samples.quantile(0.99), 99);
  EXPECT_EQ(samples.quantile(1), 100);
}

TEST(ChaosFigures, JudgeALeaderOnlyWhereAnotherCanTakeItsPlace) {
  RunFigures figures;
  figures.shard_accepts["killed"].ms = {2600};
  ChaosOptions options;
  options.replicas_expected = 1;
  EXPECT_TRUE(missed_targets(figures, options).empty());
  options.replicas_expected = 3;
  EXPECT_EQ(missed_targets(figures, options).size(), 1u);
  figures.kernels_elsewhere["killed"].ms = {100, 2001};
  EXPECT_EQ(missed_targets(figures, options).size(), 2u);
}

}  // namespace
}  // namespace fastgpu::chaos
