#pragma once

/// Known bugs of consensus code, each put back on purpose, one at a time, to see that the tests
/// notice. `none` outside of tests.

#include <cstdint>
#include <string_view>

namespace fastgpu::raft {

enum class Fault : std::uint8_t {
  none,
  // commit and acknowledgement
  commit_old_terms,        ///< counts replicas for entries of any term
  no_no_op,                ///< a term opens without an entry of its own
  acknowledge_last,        ///< replies with the end of the log instead of what was checked
  keep_checked,            ///< what an earlier leader checked counts for the next one
  uncapped_after_persist,  ///< the reply after the disk's report is not cut to what was checked
  transfer_vote,           ///< a second vote in a term, for the target of a transfer
  vote_not_persisted,      ///< a vote is told but not written
  votes_before_sync,
  keep_vote,            ///< a new term does not clear the vote
  term_and_vote_apart,  ///< two writes; the reply waits for the first
  commit_only_last,     ///< commits when a majority holds the newest entry, never sooner
  // persistence and role changes
  advertise_memory,         ///< campaigns with a log position that is not on disk
  no_tag_test,              ///< a disk's report is acted on whatever has become of the role
  reply_to_present_leader,  ///< what one leader sent is acknowledged to the next
  acknowledge_before_sync,
  vote_not_urgent,  ///< term and vote wait for other writes to gather
  campaign_while_installing,
  install_reply_any_term,  ///< an install is reported to whoever leads when it ends
  install_reply_before_sync,
  install_in_memory_first,  ///< the log is replaced before the disk's is
  snapshot_term_at_least,   ///< a local entry of a greater term counts as the snapshot's
  no_rollback,              ///< a cut does not bring back the configuration before
  tail_is_committed,        ///< at a start, the newest configuration is taken for committed
  snapshot_active_members,  ///< a snapshot holds the newest configuration, not that of its index
  no_own_term_rule,         ///< members change before an entry of the term is committed
  two_changes,              ///< a second change of members while one is uncommitted
  leave_before_commit,      ///< a voter does not campaign once its removal is in its log
  promote_unready,          ///< a learner that is behind becomes a voter
  fail_is_no,               ///< a failed write is told as not done, and work goes on
  report_past_cut,          ///< an old report counts entries that were cut since
  // messages and dead states
  accept_second_leader,
  accept_wrong_sender,
  accept_non_members,
  accept_malformed,
  accept_any_term,
  accept_beyond_log,
  go_idle,         ///< after a damaged snapshot the replica does nothing more, silently
  no_window,       ///< everything from the next index on is sent at once
  whole_snapshot,  ///< in one message
  // identity, disks, links, time
  read_by_role,           ///< a leader answers reads without asking whether it still leads
  accept_any_store,       ///< an empty disk under a known id is welcome
  ignore_store_of_reply,  ///< what a lost disk acknowledged counts for the new one
  cut_at_damage,          ///< a damaged record is taken for a torn tail
  no_chain,               ///< the chain does not cover what came before
  no_pre_vote,
  no_check_quorum,
  ignore_lower_terms,  ///< messages of lower terms are left unanswered
  accept_any_epoch,    ///< a group founded anew listens to its past
  outlive_epoch,       ///< a replica goes on though its group was founded anew without it
  epoch_in_memory,     ///< an empty replica does not write the epoch in which it is called
  count,
};

std::string_view name_of(Fault fault);

}  // namespace fastgpu::raft
