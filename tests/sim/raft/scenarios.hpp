#pragma once

/// One scripted scenario for each known way in which consensus code has lost data or stood still.
/// Each returns what went wrong: nothing, unless a fault is put in.

#include <span>
#include <string>
#include <vector>

#include "tests/sim/raft/group.hpp"

namespace fastgpu::raft::testing {

using Violations = std::vector<std::string>;

struct Scenario {
  const char* name;
  Violations (*run)(Fault);
};
/// All of them, for the mutation test.
std::span<const Scenario> all_scenarios();

GroupOptions script(Fault fault);
inline bool is_append_with_entries(const Message& message) {
  const auto* append = std::get_if<Append>(&message.body);
  return append != nullptr && !append->entries.empty();
}
inline bool is_between(const Message& message, std::uint32_t from, std::uint32_t to) {
  return message.from.value == from && message.to.value == to;
}

// commit and acknowledgement
Violations old_entries_commit_only_with_a_new_one(Fault fault);
Violations a_new_leader_commits_what_it_found(Fault fault);
Violations a_stale_tail_is_never_acknowledged(Fault fault);
Violations what_one_leader_checked_does_not_count_for_the_next(Fault fault);
Violations a_transfer_gives_no_second_vote(Fault fault);
Violations a_vote_outlives_a_crash_at_every_point(Fault fault);
Violations a_new_term_begins_without_a_vote(Fault fault);
Violations entries_commit_under_steady_load(Fault fault);
// persistence and role changes
Violations a_candidate_tells_what_is_on_its_disk(Fault fault);
Violations a_late_report_after_a_change_of_role_acknowledges_nothing(Fault fault);
Violations a_late_report_is_no_answer_to_the_next_leader(Fault fault);
Violations a_late_report_counts_no_entry_that_was_cut(Fault fault);
Violations a_failed_write_is_unknown_and_ends_the_process(Fault fault);
Violations acknowledgements_wait_for_the_disk(Fault fault);
// snapshots
Violations nobody_campaigns_while_a_snapshot_is_put_in_place(Fault fault);
Violations an_install_is_not_told_to_the_next_leader(Fault fault);
Violations a_crash_during_an_install_leaves_the_old_or_the_new(Fault fault);
Violations an_entry_of_a_greater_term_gives_way_to_the_snapshot(Fault fault);
Violations a_damaged_snapshot_is_sent_again(Fault fault);
Violations a_long_snapshot_arrives_in_pieces(Fault fault);
Violations what_is_unanswered_stays_within_the_window(Fault fault);
// members
Violations a_cut_brings_back_the_members_before(Fault fault);
Violations a_snapshot_holds_the_members_of_its_index(Fault fault);
Violations members_change_only_after_an_entry_of_the_term(Fault fault);
Violations members_change_one_at_a_time(Fault fault);
Violations a_leaving_voter_campaigns_until_that_is_committed(Fault fault);
Violations a_learner_votes_only_once_it_has_caught_up(Fault fault);
Violations members_come_and_go(Fault fault);
Violations leadership_is_handed_over(Fault fault);
// messages, identity, disks, links, time
Violations messages_out_of_the_protocol_are_dropped(Fault fault);
Violations a_woken_leader_serves_no_stale_read(Fault fault);
Violations a_lost_disk_is_refused_under_its_old_id(Fault fault);
Violations damage_is_no_torn_tail(Fault fault);
Violations what_a_lost_disk_acknowledged_does_not_count(Fault fault);
Violations a_leader_that_hears_nobody_steps_down(Fault fault);
Violations a_node_that_was_cut_off_deposes_nobody(Fault fault);
Violations a_node_of_a_greater_term_comes_back(Fault fault);
Violations a_bridge_is_enough_to_go_on(Fault fault);
// groups founded anew
Violations a_group_founded_anew_does_not_listen_to_its_past(Fault fault);
Violations two_old_replicas_are_no_group_once_they_know(Fault fault);
Violations an_empty_replica_keeps_the_epoch_in_which_it_was_called(Fault fault);

}  // namespace fastgpu::raft::testing
