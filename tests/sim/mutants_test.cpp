// Rules of the whole system broken on purpose, each in histories of the swarm, to see that it is
// noticed (those of the Raft core, which need rarer histories, are broken in tests/sim/raft): by a
// violation, or by an assertion that ends the process. How many are is a figure that
// this test prints.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iostream>

#include "tests/sim/swarm.hpp"

namespace fastgpu::testing {
namespace {

struct Mutant {
  const char* name;
  void (*put)(SwarmOptions&);
  std::uint64_t seeds;  ///< at most
};

template <bool ledger::LedgerFaults::*rule>
void put_ledger(SwarmOptions& options) {
  options.ledger_faults.*rule = true;
}

template <raft::Fault fault>
void put_raft(SwarmOptions& options) {
  options.raft_fault = fault;
  options.bend = [](Plan& plan) {
    plan.replicas = 3;
    plan.nodes = std::max(plan.nodes, 3u);
    plan.commands = false;
  };
}

void with_commands(SwarmOptions& options) {
  options.bend = [](Plan& plan) { plan.run_commands(); };
}

/// What a leader has done before its entry is durable is seen when it dies then.
void break_leaders_amid_syncs(Plan& plan) {
  plan.run_commands();
  plan.replicas = 1;
  plan.faults = {};
  for (const FaultKind kind : {FaultKind::crash, FaultKind::sync_crash, FaultKind::slow_disk}) {
    plan.faults[static_cast<std::size_t>(kind)] = true;
  }
  plan.between_faults = std::chrono::milliseconds(800);
  plan.between_calls = std::chrono::milliseconds(500);
}

constexpr Mutant mutants[] = {
    {"a result counts below the fence", put_ledger<&ledger::LedgerFaults::ignore_fence>, 100},
    {"a submit is answered before it is durable",
     put_ledger<&ledger::LedgerFaults::reply_before_durable>, 100},
    {"a job begins before the end of what it waits for",
     put_ledger<&ledger::LedgerFaults::start_before_parents>, 20},
    {"a snapshot forgets which request a job answers",
     put_ledger<&ledger::LedgerFaults::forget_requests>, 100},
    {"a cancel changes the record of a success", put_ledger<&ledger::LedgerFaults::cancel_ended>,
     100},
    {"a later leader gives attempts of an earlier one again",
     put_ledger<&ledger::LedgerFaults::reuse_attempts>, 100},
    {"a snapshot forgets a finished job", put_ledger<&ledger::LedgerFaults::forget_in_snapshot>,
     100},
    {"commands are placed anew without proof",
     [](SwarmOptions& options) {
       options.ledger_faults.place_without_proof = true;
       with_commands(options);
     },
     40},
    {"commands are assigned before their placement is committed",
     [](SwarmOptions& options) {
       options.ledger_faults.assign_before_commit = true;
       options.bend = break_leaders_amid_syncs;
     },
     200},
    {"a lease is longer than its leader counts it",
     [](SwarmOptions& options) {
       options.ledger_faults.halve_leases = true;
       with_commands(options);
     },
     60},
    {"a node is heard before the commands of its last life are gone",
     [](SwarmOptions& options) {
       options.command.late_sweep = true;
       with_commands(options);
     },
     60},
    {"a term does not rise at a start",
     [](SwarmOptions& options) { options.log_faults.keep_term = true; }, 100},
    {"a sync is skipped",
     [](SwarmOptions& options) { options.store_faults.lie_about_durability = true; }, 100},
    {"a replica acknowledges before its sync", put_raft<raft::Fault::acknowledge_before_sync>, 200},
};

/// The first seed that noticed; 0: none did. In a process of its own, since an assertion may be
/// what notices.
std::uint64_t seed_that_notices(const Mutant& mutant) {
  for (std::uint64_t seed = 1; seed <= mutant.seeds; seed += 10) {
    const pid_t child = fork();
    if (child == 0) {
      SwarmOptions options;
      mutant.put(options);
      int noticed = 0;
      for (std::uint64_t i = 0; i < 10 && noticed == 0; ++i) {
        options.seed = seed + i;
        noticed = run_swarm(options).violations.empty() ? 0 : static_cast<int>(i + 1);
      }
      _exit(noticed);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status)) {
      return seed;
    }
    if (WEXITSTATUS(status) != 0) {
      return seed + static_cast<std::uint64_t>(WEXITSTATUS(status)) - 1;
    }
  }
  return 0;
}

TEST(SystemMutants, AreAllNoticed) {
  std::size_t noticed = 0;
  for (const Mutant& mutant : mutants) {
    const std::uint64_t seed = seed_that_notices(mutant);
    EXPECT_NE(seed, 0u) << mutant.name;
    noticed += seed != 0 ? 1 : 0;
    std::cout << mutant.name << ": "
              << (seed != 0 ? "noticed by seed " + std::to_string(seed) : "not noticed") << "\n";
  }
  std::cout << noticed << "/" << std::size(mutants) << " mutants noticed\n";
}

TEST(SystemMutants, AreNotWhatBentHistoriesNotice) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SwarmOptions options;
    options.seed = seed;
    options.bend = break_leaders_amid_syncs;
    const SwarmResult result = run_swarm(options);
    EXPECT_TRUE(result.violations.empty()) << report(options, result);
  }
}

}  // namespace
}  // namespace fastgpu::testing
