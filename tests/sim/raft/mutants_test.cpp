/// A test of the tests: each known bug of consensus code is put back, one at a time, and a scenario
/// or one of the first seeds must notice. A fault that makes the machine abort counts as noticed,
/// so each try runs in a process of its own.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include "tests/sim/raft/chaos.hpp"
#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

constexpr std::uint64_t seeds_per_mutant = 300;
constexpr unsigned seconds_per_try = 60;

/// True if `holds` says false, or aborts, or does not end.
bool is_noticed(const std::function<bool()>& holds) {
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stderr);
    alarm(seconds_per_try);
    try {
      _exit(holds() ? 0 : 1);
    } catch (const std::exception&) {
      _exit(1);
    }
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/// What noticed the fault; empty if nothing did.
std::string noticed_by(Fault fault) {
  for (const Scenario& scenario : all_scenarios()) {
    if (is_noticed([&] { return scenario.run(fault).empty(); })) {
      return scenario.name;
    }
  }
  for (std::uint64_t seed = 1; seed <= seeds_per_mutant; ++seed) {
    ChaosOptions options;
    options.seed = seed;
    options.fault = fault;
    if (is_noticed([&] { return run_chaos(options).violations.empty(); })) {
      return "seed " + std::to_string(seed);
    }
  }
  return {};
}

/// Whether chance alone would have found it soon.
std::string by_seeds(Fault fault) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    ChaosOptions options;
    options.seed = seed;
    options.fault = fault;
    if (is_noticed([&] { return run_chaos(options).violations.empty(); })) {
      return "; seed " + std::to_string(seed);
    }
  }
  return {};
}

TEST(RaftMutants, AreAllNoticed) {
  std::size_t killed = 0;
  std::size_t all = 0;
  for (auto at = static_cast<unsigned>(Fault::none) + 1; at < static_cast<unsigned>(Fault::count);
       ++at) {
    const auto fault = static_cast<Fault>(at);
    const std::string by = noticed_by(fault);
    ++all;
    killed += by.empty() ? 0 : 1;
    std::cout << (by.empty() ? "SURVIVED " : "killed   ") << name_of(fault) << ": " << by
              << by_seeds(fault) << "\n";
    EXPECT_FALSE(by.empty()) << "nothing notices " << name_of(fault);
  }
  std::cout << killed << " of " << all << " mutants killed\n";
}

TEST(RaftMutants, AreNoticedOnlyWhenThereIsOne) {
  EXPECT_FALSE(is_noticed([] { return run_chaos({}).violations.empty(); }));
  EXPECT_TRUE(is_noticed([] { return false; }));
}

}  // namespace
}  // namespace fastgpu::raft::testing
