#include "tests/chaos/vacancy.hpp"

#include <gtest/gtest.h>

#include "tests/chaos/figures.hpp"

namespace fastgpu::chaos {
namespace {

/// A command on the node, from its first word to its last, with one in between.
void add_command(history::History& history, const std::string& node, history::Stamp first,
                 history::Stamp last) {
  const auto job = static_cast<std::uint64_t>(history.size() + 1);
  using enum history::Moment;
  for (const auto& [at, moment] : {std::pair{last, end}, {first, start}, {first + 1, alive}}) {
    history.push_back(history::Execution{at, moment, job, 0, "1.1.1.1", node});
  }
}

TEST(Vacancy, IsThereWhileADeviceOfTheNodesRunsNoCommand) {
  history::History history;
  add_command(history, "n1", 0, 100);
  add_command(history, "n1", 10, 100);
  add_command(history, "n2", 0, 100);
  EXPECT_EQ(Vacancy(history, 2).none_for({"n1", "n2"}, 0, 100), 0);
  EXPECT_EQ(Vacancy(history, 2).none_for({"n1"}, 0, 100), 90);
}

TEST(Vacancy, IsMissedOnlyWhileAllOfThemDoAndOnlyInTheTimeAskedFor) {
  history::History history;
  add_command(history, "n1", 20, 60);
  add_command(history, "n2", 30, 50);
  add_command(history, "n2", 55, 400);
  add_command(history, "n1", 300, 400);
  add_command(history, "n3", 0, 1000);
  const Vacancy vacancy(history, 1);
  EXPECT_EQ(vacancy.none_for({"n1", "n2"}, 0, 100), 20 + 5);
  EXPECT_EQ(vacancy.none_for({"n1", "n2"}, 40, 350), 10 + 5 + 50);
  EXPECT_EQ(vacancy.none_for({"n1", "n2"}, 100, 200), 0);
}

TEST(Figures, JudgeAKernelByTheTimeInWhichItCouldHaveBegun) {
  constexpr history::Stamp ms = 1'000'000;
  history::History history;
  add_command(history, "n1", 0, 9000 * ms);  // the victim's own tell nothing
  add_command(history, "n2", 500 * ms, 4000 * ms);
  add_command(history, "n3", 1000 * ms, 3500 * ms);
  ChaosOptions options;
  options.devices = 1;
  RunFigures figures;
  figures.kernels_moved.push_back({"killed", "n1", 0, 3600 * ms, ""});
  figures.kernels_moved.push_back({"killed", "n1", 0, 900 * ms, ""});
  judge_kernels(figures, history, options);
  EXPECT_EQ(figures.kernels_elsewhere["killed"].ms, (std::vector<double>{1100, 900}));
  EXPECT_EQ(figures.kernels_with_waiting["killed"].ms, (std::vector<double>{3600, 900}));
  EXPECT_TRUE(missed_targets(figures, options).empty());
}

}  // namespace
}  // namespace fastgpu::chaos
