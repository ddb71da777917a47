#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

constexpr Scenario table[] = {
    {"old_entries_commit_only_with_a_new_one", old_entries_commit_only_with_a_new_one},
    {"a_new_leader_commits_what_it_found", a_new_leader_commits_what_it_found},
    {"a_stale_tail_is_never_acknowledged", a_stale_tail_is_never_acknowledged},
    {"what_one_leader_checked_does_not_count_for_the_next",
     what_one_leader_checked_does_not_count_for_the_next},
    {"a_transfer_gives_no_second_vote", a_transfer_gives_no_second_vote},
    {"a_vote_outlives_a_crash_at_every_point", a_vote_outlives_a_crash_at_every_point},
    {"a_new_term_begins_without_a_vote", a_new_term_begins_without_a_vote},
    {"entries_commit_under_steady_load", entries_commit_under_steady_load},
    {"a_candidate_tells_what_is_on_its_disk", a_candidate_tells_what_is_on_its_disk},
    {"a_late_report_after_a_change_of_role_acknowledges_nothing",
     a_late_report_after_a_change_of_role_acknowledges_nothing},
    {"a_late_report_is_no_answer_to_the_next_leader",
     a_late_report_is_no_answer_to_the_next_leader},
    {"a_late_report_counts_no_entry_that_was_cut", a_late_report_counts_no_entry_that_was_cut},
    {"a_failed_write_is_unknown_and_ends_the_process",
     a_failed_write_is_unknown_and_ends_the_process},
    {"acknowledgements_wait_for_the_disk", acknowledgements_wait_for_the_disk},
    {"nobody_campaigns_while_a_snapshot_is_put_in_place",
     nobody_campaigns_while_a_snapshot_is_put_in_place},
    {"an_install_is_not_told_to_the_next_leader", an_install_is_not_told_to_the_next_leader},
    {"a_crash_during_an_install_leaves_the_old_or_the_new",
     a_crash_during_an_install_leaves_the_old_or_the_new},
    {"an_entry_of_a_greater_term_gives_way_to_the_snapshot",
     an_entry_of_a_greater_term_gives_way_to_the_snapshot},
    {"a_damaged_snapshot_is_sent_again", a_damaged_snapshot_is_sent_again},
    {"a_long_snapshot_arrives_in_pieces", a_long_snapshot_arrives_in_pieces},
    {"what_is_unanswered_stays_within_the_window", what_is_unanswered_stays_within_the_window},
    {"a_cut_brings_back_the_members_before", a_cut_brings_back_the_members_before},
    {"a_snapshot_holds_the_members_of_its_index", a_snapshot_holds_the_members_of_its_index},
    {"members_change_only_after_an_entry_of_the_term",
     members_change_only_after_an_entry_of_the_term},
    {"members_change_one_at_a_time", members_change_one_at_a_time},
    {"a_leaving_voter_campaigns_until_that_is_committed",
     a_leaving_voter_campaigns_until_that_is_committed},
    {"a_learner_votes_only_once_it_has_caught_up", a_learner_votes_only_once_it_has_caught_up},
    {"members_come_and_go", members_come_and_go},
    {"leadership_is_handed_over", leadership_is_handed_over},
    {"messages_out_of_the_protocol_are_dropped", messages_out_of_the_protocol_are_dropped},
    {"a_woken_leader_serves_no_stale_read", a_woken_leader_serves_no_stale_read},
    {"a_lost_disk_is_refused_under_its_old_id", a_lost_disk_is_refused_under_its_old_id},
    {"damage_is_no_torn_tail", damage_is_no_torn_tail},
    {"what_a_lost_disk_acknowledged_does_not_count", what_a_lost_disk_acknowledged_does_not_count},
    {"a_leader_that_hears_nobody_steps_down", a_leader_that_hears_nobody_steps_down},
    {"a_node_that_was_cut_off_deposes_nobody", a_node_that_was_cut_off_deposes_nobody},
    {"a_node_of_a_greater_term_comes_back", a_node_of_a_greater_term_comes_back},
    {"a_bridge_is_enough_to_go_on", a_bridge_is_enough_to_go_on},
    {"a_group_founded_anew_does_not_listen_to_its_past",
     a_group_founded_anew_does_not_listen_to_its_past},
    {"two_old_replicas_are_no_group_once_they_know", two_old_replicas_are_no_group_once_they_know},
    {"an_empty_replica_keeps_the_epoch_in_which_it_was_called",
     an_empty_replica_keeps_the_epoch_in_which_it_was_called},
};

}  // namespace

std::span<const Scenario> all_scenarios() {
  return table;
}

}  // namespace fastgpu::raft::testing
