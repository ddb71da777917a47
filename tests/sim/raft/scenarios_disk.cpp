#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

/// 5 nodes; leader 1 reached only 2, whose disk stalls with its entries; then 1 is gone.
void leave_entries_in_flight_at_2(Group& group) {
  group.found(5);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  for (std::uint32_t other : {3u, 4u, 5u}) {
    group.cut(1, other);
  }
  group.stall_disk(2);
  for (int i = 0; i < 3; ++i) {
    group.propose(1);
  }
  group.run_for(10ms);
  group.crash(1, 9);
}

}  // namespace

Violations a_candidate_tells_what_is_on_its_disk(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.run_for(50ms);
  group.stall_disk(2);
  for (int i = 0; i < 3; ++i) {
    group.propose(1);
  }
  group.run_for(10ms);
  group.expect(group.machine(2).log().last() != group.machine(2).log().persisted(),
               "2 has entries that are not on its disk");
  group.crash(1, 9);
  group.run_for(500ms);
  group.free_disk(2);
  group.expect(group.run_until([&] { return group.leader().has_value(); }), "somebody leads");
  return group.checker().violations();
}

Violations a_late_report_after_a_change_of_role_acknowledges_nothing(Fault fault) {
  GroupOptions options = script(fault);
  options.sync_singly = true;
  Group group(options);
  leave_entries_in_flight_at_2(group);
  for (auto& [id, node] : group.nodes()) {
    node.ticks = id.value == 2;
  }
  group.expect(group.run_until([&] { return group.machine(2).role() == RoleKind::candidate; }),
               "2 campaigns while entries are on their way to its disk");
  group.free_disk(2);
  group.expect(group.elect(2), "2 leads");
  group.run_for(100ms);
  return group.checker().violations();
}

Violations a_late_report_is_no_answer_to_the_next_leader(Fault fault) {
  GroupOptions options = script(fault);
  options.sync_singly = true;
  Group group(options);
  leave_entries_in_flight_at_2(group);
  group.fate = [](Message& message) {
    return is_between(message, 3, 2) && is_append_with_entries(message) ? Group::Fate::drop
                                                                        : Group::Fate::pass;
  };
  group.expect(group.elect(3), "3 leads with the votes of 4 and 5");
  for (int i = 0; i < 3; ++i) {
    group.propose(3);
  }
  group.run_for(50ms);
  group.expect(group.machine(2).leader() == base::NodeId{3}, "2 follows it");
  group.free_disk(2);
  group.run_for(100ms);
  group.fate = nullptr;
  group.expect(
      group.run_until([&] { return group.machine(2).given_out() == group.machine(3).given_out(); }),
      "then 2 gets its entries");
  return group.checker().violations();
}

Violations a_late_report_counts_no_entry_that_was_cut(Fault fault) {
  GroupOptions options = script(fault);
  options.sync_singly = true;
  Group group(options);
  leave_entries_in_flight_at_2(group);
  const base::LogIndex longest = group.machine(2).log().last().index;
  group.expect(group.elect(3), "3 leads with the votes of 4 and 5");
  group.expect(group.run_until([&] { return group.machine(2).log().last().index < longest; }),
               "2 cuts what 1 had sent");
  group.free_disk(2);
  group.run_for(100ms);
  group.expect(group.machine(2).given_out() == group.machine(3).given_out(), "2 has its entries");
  return group.checker().violations();
}

Violations a_failed_write_is_unknown_and_ends_the_process(Fault fault) {
  Group group(script(fault));
  group.found(3);
  group.expect(group.elect(1), "1 leads");
  group.stall_disk(1);
  const base::LogToken token = group.propose(1);
  group.fail_disk(1);  // the others have the entry by then
  group.expect(group.outcome(token) == Group::Outcome::unknown, "it is not told as failed");
  group.expect(!group.at(1).machine, "the process ends");
  group.run_for(20ms);
  if (group.at(1).machine) {
    group.crash(1, 9);
  }
  group.start(1);
  group.expect(group.run_until([&] { return group.leader().has_value(); }), "somebody leads");
  group.run_for(200ms);
  return group.checker().violations();
}

// With a slow disk everywhere, whatever may only be said of a disk is said after its sync.
Violations acknowledgements_wait_for_the_disk(Fault fault) {
  Violations all;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    GroupOptions options = script(fault);
    options.seed = seed;
    options.sync_min = 5ms;
    options.sync_max = 20ms;
    Group group(options);
    group.found(3);
    group.expect(group.run_until([&] { return group.leader().has_value(); }), "somebody leads");
    const std::uint32_t leader = group.leader().value_or(1);
    for (int i = 0; i < 20; ++i) {
      group.propose(leader);
      group.run_for(3ms);
    }
    group.crash(leader);
    group.expect(group.run_until([&] { return group.leader().has_value(); }), "another leads");
    const Violations& found = group.checker().violations();
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

}  // namespace fastgpu::raft::testing
