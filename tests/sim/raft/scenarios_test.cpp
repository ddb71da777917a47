/// The scenarios without any fault: each promise holds. That each of them can fail is shown by
/// mutants_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/raft/scenarios.hpp"

namespace fastgpu::raft::testing {
namespace {

using ::testing::IsEmpty;

TEST(RaftCommit, OldEntriesCommitOnlyWithANewOne) {
  EXPECT_THAT(old_entries_commit_only_with_a_new_one(Fault::none), IsEmpty());
}

TEST(RaftCommit, ANewLeaderCommitsWhatItFound) {
  EXPECT_THAT(a_new_leader_commits_what_it_found(Fault::none), IsEmpty());
}

TEST(RaftCommit, AStaleTailIsNeverAcknowledged) {
  EXPECT_THAT(a_stale_tail_is_never_acknowledged(Fault::none), IsEmpty());
}

TEST(RaftCommit, WhatOneLeaderCheckedDoesNotCountForTheNext) {
  EXPECT_THAT(what_one_leader_checked_does_not_count_for_the_next(Fault::none), IsEmpty());
}

TEST(RaftCommit, ATransferGivesNoSecondVote) {
  EXPECT_THAT(a_transfer_gives_no_second_vote(Fault::none), IsEmpty());
}

TEST(RaftCommit, AVoteOutlivesACrashAtEveryPoint) {
  EXPECT_THAT(a_vote_outlives_a_crash_at_every_point(Fault::none), IsEmpty());
}

TEST(RaftCommit, ANewTermBeginsWithoutAVote) {
  EXPECT_THAT(a_new_term_begins_without_a_vote(Fault::none), IsEmpty());
}

TEST(RaftCommit, EntriesCommitUnderSteadyLoad) {
  EXPECT_THAT(entries_commit_under_steady_load(Fault::none), IsEmpty());
}

TEST(RaftDisk, ACandidateTellsWhatIsOnItsDisk) {
  EXPECT_THAT(a_candidate_tells_what_is_on_its_disk(Fault::none), IsEmpty());
}

TEST(RaftDisk, ALateReportAfterAChangeOfRoleAcknowledgesNothing) {
  EXPECT_THAT(a_late_report_after_a_change_of_role_acknowledges_nothing(Fault::none), IsEmpty());
}

TEST(RaftDisk, ALateReportIsNoAnswerToTheNextLeader) {
  EXPECT_THAT(a_late_report_is_no_answer_to_the_next_leader(Fault::none), IsEmpty());
}

TEST(RaftDisk, ALateReportCountsNoEntryThatWasCut) {
  EXPECT_THAT(a_late_report_counts_no_entry_that_was_cut(Fault::none), IsEmpty());
}

TEST(RaftDisk, AFailedWriteIsUnknownAndEndsTheProcess) {
  EXPECT_THAT(a_failed_write_is_unknown_and_ends_the_process(Fault::none), IsEmpty());
}

TEST(RaftDisk, AcknowledgementsWaitForTheDisk) {
  EXPECT_THAT(acknowledgements_wait_for_the_disk(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, NobodyCampaignsWhileASnapshotIsPutInPlace) {
  EXPECT_THAT(nobody_campaigns_while_a_snapshot_is_put_in_place(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, AnInstallIsNotToldToTheNextLeader) {
  EXPECT_THAT(an_install_is_not_told_to_the_next_leader(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, ACrashDuringAnInstallLeavesTheOldOrTheNew) {
  EXPECT_THAT(a_crash_during_an_install_leaves_the_old_or_the_new(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, AnEntryOfAGreaterTermGivesWayToTheSnapshot) {
  EXPECT_THAT(an_entry_of_a_greater_term_gives_way_to_the_snapshot(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, ADamagedSnapshotIsSentAgain) {
  EXPECT_THAT(a_damaged_snapshot_is_sent_again(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, ALongSnapshotArrivesInPieces) {
  EXPECT_THAT(a_long_snapshot_arrives_in_pieces(Fault::none), IsEmpty());
}

TEST(RaftSnapshots, WhatIsUnansweredStaysWithinTheWindow) {
  EXPECT_THAT(what_is_unanswered_stays_within_the_window(Fault::none), IsEmpty());
}

TEST(RaftMembers, ACutBringsBackTheMembersBefore) {
  EXPECT_THAT(a_cut_brings_back_the_members_before(Fault::none), IsEmpty());
}

TEST(RaftMembers, ASnapshotHoldsTheMembersOfItsIndex) {
  EXPECT_THAT(a_snapshot_holds_the_members_of_its_index(Fault::none), IsEmpty());
}

TEST(RaftMembers, MembersChangeOnlyAfterAnEntryOfTheTerm) {
  EXPECT_THAT(members_change_only_after_an_entry_of_the_term(Fault::none), IsEmpty());
}

TEST(RaftMembers, MembersChangeOneAtATime) {
  EXPECT_THAT(members_change_one_at_a_time(Fault::none), IsEmpty());
}

TEST(RaftMembers, ALeavingVoterCampaignsUntilThatIsCommitted) {
  EXPECT_THAT(a_leaving_voter_campaigns_until_that_is_committed(Fault::none), IsEmpty());
}

TEST(RaftMembers, ALearnerVotesOnlyOnceItHasCaughtUp) {
  EXPECT_THAT(a_learner_votes_only_once_it_has_caught_up(Fault::none), IsEmpty());
}

TEST(RaftMembers, MembersComeAndGo) {
  EXPECT_THAT(members_come_and_go(Fault::none), IsEmpty());
}

TEST(RaftMembers, LeadershipIsHandedOver) {
  EXPECT_THAT(leadership_is_handed_over(Fault::none), IsEmpty());
}

TEST(RaftLinks, MessagesOutOfTheProtocolAreDropped) {
  EXPECT_THAT(messages_out_of_the_protocol_are_dropped(Fault::none), IsEmpty());
}

TEST(RaftLinks, AWokenLeaderServesNoStaleRead) {
  EXPECT_THAT(a_woken_leader_serves_no_stale_read(Fault::none), IsEmpty());
}

TEST(RaftLinks, ALostDiskIsRefusedUnderItsOldId) {
  EXPECT_THAT(a_lost_disk_is_refused_under_its_old_id(Fault::none), IsEmpty());
}

TEST(RaftLinks, DamageIsNoTornTail) {
  EXPECT_THAT(damage_is_no_torn_tail(Fault::none), IsEmpty());
}

TEST(RaftLinks, WhatALostDiskAcknowledgedDoesNotCount) {
  EXPECT_THAT(what_a_lost_disk_acknowledged_does_not_count(Fault::none), IsEmpty());
}

TEST(RaftLinks, ALeaderThatHearsNobodyStepsDown) {
  EXPECT_THAT(a_leader_that_hears_nobody_steps_down(Fault::none), IsEmpty());
}

TEST(RaftLinks, ANodeThatWasCutOffDeposesNobody) {
  EXPECT_THAT(a_node_that_was_cut_off_deposes_nobody(Fault::none), IsEmpty());
}

TEST(RaftLinks, ANodeOfAGreaterTermComesBack) {
  EXPECT_THAT(a_node_of_a_greater_term_comes_back(Fault::none), IsEmpty());
}

TEST(RaftLinks, ABridgeIsEnoughToGoOn) {
  EXPECT_THAT(a_bridge_is_enough_to_go_on(Fault::none), IsEmpty());
}

TEST(RaftEpochs, AGroupFoundedAnewDoesNotListenToItsPast) {
  EXPECT_THAT(a_group_founded_anew_does_not_listen_to_its_past(Fault::none), IsEmpty());
}

TEST(RaftEpochs, TwoOldReplicasAreNoGroupOnceTheyKnow) {
  EXPECT_THAT(two_old_replicas_are_no_group_once_they_know(Fault::none), IsEmpty());
}

TEST(RaftEpochs, AnEmptyReplicaKeepsTheEpochInWhichItWasCalled) {
  EXPECT_THAT(an_empty_replica_keeps_the_epoch_in_which_it_was_called(Fault::none), IsEmpty());
}

}  // namespace
}  // namespace fastgpu::raft::testing
