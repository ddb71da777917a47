/// A test of the judge: a good history passes, each planted fault is caught by the check that is
/// there for it, and nothing that is allowed is accused.

#include "tests/history/checker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "tests/history/history_text.hpp"
#include "tests/history/planted_histories.hpp"

namespace fastgpu::history {
namespace {

using namespace testing;

std::string told(const Verdict& verdict) {
  std::string all;
  for (const Violation& violation : verdict.violations) {
    all += std::string(name_of(violation.check)) + ": " + violation.text + "\n";
  }
  return all;
}

const Violation* caught(const Verdict& verdict, Check by) {
  const auto found = std::find_if(verdict.violations.begin(), verdict.violations.end(),
                                  [by](const Violation& it) { return it.check == by; });
  return found == verdict.violations.end() ? nullptr : &*found;
}

TEST(HistoryChecker, FindsNothingInAGoodHistory) {
  const Verdict verdict = check(good_history());
  EXPECT_TRUE(verdict.violations.empty()) << told(verdict);
}

TEST(HistoryChecker, CountsWhatAHistoryTells) {
  const Figures figures = check(good_history()).figures;
  EXPECT_EQ(figures.submits_ok, 4u) << "one of them twice";
  EXPECT_EQ(figures.submits_refused, 1u);
  EXPECT_EQ(figures.submits_unknown, 1u);
  EXPECT_EQ(figures.jobs, 4u);
  EXPECT_EQ(figures.jobs_lost, 0u);
  EXPECT_EQ(figures.tasks, 7u);
  EXPECT_EQ(figures.tasks_cancelled, 1u);
  EXPECT_EQ(figures.reads_ok, 3u);
  EXPECT_EQ(figures.cancels_ok, 1u);
  EXPECT_EQ(figures.executions, 3u);
  EXPECT_EQ(figures.tasks_executed, 2u);
  EXPECT_EQ(figures.tasks_executed_again, 1u);
}

TEST(HistoryChecker, CountsResultsThatCameTooLate) {
  History history = good_history();
  EXPECT_EQ(check(history).figures.results_refused, 0u);
  for (const NearMiss& near : all_near_misses()) {
    if (near.name == "an execution whose result is refused") {
      near.put(history);
    }
  }
  EXPECT_EQ(check(history).figures.results_refused, 1u);
}

TEST(HistoryChecker, CatchesEveryPlantedFaultByTheCheckForIt) {
  std::set<Check> used;
  std::size_t found = 0;
  for (const Plant& plant : all_plants()) {
    History history = good_history();
    plant.put(history);
    const Verdict verdict = check(history);
    const Violation* violation = caught(verdict, plant.caught_by);
    std::cout << (violation ? "caught   " : "SURVIVED ") << name_of(plant.caught_by) << ": "
              << plant.name << (violation ? "\n           " + violation->text : "") << "\n";
    EXPECT_NE(violation, nullptr) << plant.name << "\n" << told(verdict);
    found += violation ? 1 : 0;
    used.insert(plant.caught_by);
  }
  EXPECT_EQ(used.size(), std::size_t{check_count}) << "a check has no plant that it must catch";
  std::cout << found << " of " << all_plants().size() << " planted faults caught\n";
}

TEST(HistoryChecker, LetsPassWhatIsStrangeButAllowed) {
  for (const NearMiss& near : all_near_misses()) {
    History history = good_history();
    near.put(history);
    const Verdict verdict = check(history);
    EXPECT_TRUE(verdict.violations.empty()) << near.name << "\n" << told(verdict);
  }
}

TEST(HistoryChecker, CountsWhatIsLostAndWhatHasTwoOutcomes) {
  for (const Plant& plant : all_plants()) {
    History history = good_history();
    plant.put(history);
    const Figures figures = check(history).figures;
    const bool lost = plant.name.find("is gone") != std::string::npos ||
                      plant.name.find("does not know") != std::string::npos;
    EXPECT_EQ(figures.jobs_lost, lost ? 1u : 0u) << plant.name;
    if (plant.name.find("two") == 0 || plant.name.find("is changed") != std::string::npos) {
      EXPECT_EQ(figures.tasks_with_two_outcomes, 1u) << plant.name;
    }
  }
}

// The judge is asked again about kept histories: what it says must not depend on their being kept.
TEST(HistoryChecker, SaysTheSameOfAHistoryThatWasWrittenDown) {
  for (const Plant& plant : all_plants()) {
    History history = good_history();
    plant.put(history);
    std::string text;
    for (const Entry& entry : history) {
      text += to_line(entry) + "\n";
    }
    const auto read = parse(text, "a file");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(told(check(read.value())), told(check(history))) << plant.name;
  }
}

TEST(HistoryChecker, TakesTimeInProportionToTheHistory) {
  // Many jobs with many reads each: anything but one pass would be noticed by the test's limit.
  History history;
  std::uint64_t op = 0;
  std::vector<JobView> views;
  for (std::uint64_t job = 1; job <= 5'000; ++job) {
    const std::string key = "k-" + std::to_string(job);
    const auto at = static_cast<Stamp>(job * 100);
    const JobView view{job, key, 1, {{0, "succeeded", "1.1.1.1", "n1", std::to_string(job)}}};
    history.push_back(Invoke{at, ++op, "a", Call::submit, key, Kind::kernel, 1, job, 0});
    history.push_back(Return{at + 1, op, Answer::ok, job, ""});
    for (int i = 0; i < 10; ++i) {
      history.push_back(Invoke{at + 2 + i, ++op, "a", Call::read, "", Kind::kernel, 0, 0, job});
      history.push_back(Return{at + 3 + i, op, Answer::ok, 0, "", view});
    }
    for (const char* node : {"n1", "n2", "n3"}) {
      history.push_back(NodeSays{at + 50'000'000, node, view});
    }
  }
  history.push_back(Mark{49'000'000, "audit", "n1 n2 n3"});
  const Verdict verdict = check(std::move(history));
  EXPECT_TRUE(verdict.violations.empty()) << told(verdict).substr(0, 1000);
  EXPECT_EQ(verdict.figures.jobs, 5'000u);
}

}  // namespace
}  // namespace fastgpu::history
