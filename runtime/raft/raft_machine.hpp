#pragma once

/// One replica of a group that agrees on a log: elects a leader, copies its entries, and says which
/// of them a majority has on disk for good.
///
/// Place: beneath the ledger of a shard. Events come from the shard's actor, the link and the
/// store; the adapter performs the effects. It serves base::ReplicatedLog thus: propose and
/// read_index are one step each, whose Refused in the same step is the Admission (not_leading; full
/// for all else); compact is Compact; Leading, NotLeading, Committed, OutcomeUnknown, ReadReady and
/// Restored are the log's events word for word (an entry that is no command is given out as an
/// empty one), queued until the call has returned. Persist becomes one Store::write whose
/// StoreToken is the tag, and StoreDurable is Persisted: both count up to a number, in order. Owned
/// by the shard actor and stepped on it only; no thread, no clock, randomness from the seed.
///
/// Durable before visible: what may only be said of a disk (a term, a vote, an acknowledgement) is
/// held here until the Persisted of its tag, and dropped if the term has changed since. Events are
/// taken at any time; no step waits.
/// A group that was founded anew has a greater epoch (see recovery/refounding.hpp). Its messages
/// are the only ones that its replicas take; a replica with an earlier log that hears of it stops
/// for good, one whose log is empty joins whoever leads it. Failure: messages that no sound peer
/// sends end in an Alarm. A failed write ends in Halt. What cannot be true unless this code is
/// wrong aborts. Limits: RaftLimits; each queue is refused (proposals, reads) or dropped (messages)
/// when full.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/raft/log_view.hpp"
#include "runtime/raft/raft_effects.hpp"
#include "runtime/raft/raft_events.hpp"
#include "runtime/raft/raft_options.hpp"
#include "runtime/raft/raft_roles.hpp"
#include "runtime/raft/stored_state.hpp"

namespace fastgpu::raft {

class RaftMachine {
 public:
  /// A replica with what its disk holds; a pristine one belongs to no group and waits to be called.
  /// Refuses what is damaged, and a disk that is not this replica's.
  static base::Result<std::unique_ptr<RaftMachine>> open(RaftOptions options, StoredState stored);

  base::Epoch epoch() const { return epoch_; }
  /// The group was founded anew without this replica, which takes no part in anything any more.
  bool outdated() const { return outdated_; }
  base::Term term() const { return term_; }
  std::optional<base::NodeId> vote() const { return vote_; }
  RoleKind role() const { return static_cast<RoleKind>(role_.index()); }
  const Role& role_state() const { return role_; }
  std::optional<base::NodeId> leader() const;
  /// Leads, with everything of earlier terms given out.
  bool ready() const;
  // Of a leader's members, itself among them; false where this replica does not lead.
  /// Answers, and has nearly all of the log: it may be promoted.
  bool is_near(base::NodeId node) const;
  /// Has the members in force on its disk.
  bool knows_members(base::NodeId node) const;
  /// The members in force may yet be cut.
  bool changing_members() const { return log_.active_index() > commit_; }
  bool handing_over() const;
  base::LogIndex commit_index() const { return commit_; }
  base::LogIndex given_out() const { return given_; }
  const LogView& log() const { return log_; }
  const Snapshot& snapshot() const { return snapshot_; }
  const RaftOptions& options() const { return options_; }
  PersistTag last_tag() const { return last_tag_; }
  PersistTag durable_tag() const { return durable_tag_; }
  std::size_t messages_held() const { return held_.size(); }
  bool installing() const { return installing_.has_value(); }
  bool halted() const { return halted_.has_value(); }
  /// When Tick is due, if nothing happens before.
  std::optional<base::Time> next_deadline() const;

  Effects step(const Event& event, base::Time now);

 private:
  /// A Persist that was not reported yet, and what this replica was when it asked for it.
  struct Pending {
    PersistTag tag;
    base::Term term;
    RoleKind role{};
    std::optional<base::NodeId> leader;
    StoreId leader_store;
    base::LogIndex last;  ///< of the log then
    bool entries{false};
  };
  struct Held {
    PersistTag after;
    Message message;
  };
  /// A whole snapshot on its way to disk; nothing else changes the log before it is there.
  struct Installing {
    PersistTag tag;
    base::Term term;
    base::NodeId from;
    StoreId from_store;
    Snapshot snapshot;
  };

  RaftMachine(RaftOptions options, const StoredState& stored);

  // --- raft_machine.cpp: the door, the disk, what is given out -----------------------------------
  void handle(const Started& event);
  void handle(const Tick& event);
  void handle(const Received& event);
  void handle(const Persisted& event);
  void handle(const PersistFailed& event);
  void handle(const Propose& event);
  void handle(const Read& event);
  void handle(const Compact& event);
  void handle(const ChangeMembers& event);
  void handle(const Transfer& event);
  void handle(const PeerLost& event);
  void finish();
  void give_out();
  void issue_write();
  void issue(Persist persist);
  Persist& write();
  /// The tag that what this step writes will have.
  PersistTag step_tag() const { return {last_tag_.value + 1}; }
  void set_hard_state(base::Term term, std::optional<base::NodeId> vote);
  void release_held();
  bool still_meant(const Message& message) const;
  void on_reported(const Pending& pending);
  /// Leaves once this term is on disk.
  void send(base::NodeId to, StoreId store, Body body, bool may_wait = false);
  void reply(const Message& to, Body body) { send(to.from, to.from_store, std::move(body)); }
  void refuse(base::LogToken token, Refusal why) { effects_.push_back(Refused{token, why}); }
  bool broken(Fault fault) const { return options_.fault == fault; }
  bool can_vote() const { return log_.active().has_voter(options_.self, options_.store); }

  // --- recovery/epochs.cpp -----------------------------------------------------------------------
  bool is_empty() const;
  bool calls_anew(const Message& message) const;
  void take_epoch(base::Epoch epoch);
  void on_refused(const Message& message, AlarmKind why);

  // --- election.cpp ------------------------------------------------------------------------------
  bool may_campaign() const;
  void on_election_timeout();
  void ask_for_pre_votes();
  void campaign(bool transfer);
  void receive(const Message& message, const VoteRequest& request);
  void receive(const Message& message, const VoteReply& reply);
  void answer_pre_vote(const Message& message, const VoteRequest& request);
  void answer_vote(const Message& message, const VoteRequest& request);
  void count_own_vote();
  bool won(const std::set<base::NodeId>& granted) const;
  void become_follower(base::Term term);
  void become_leader();
  void step_down();
  /// The sender leads this term.
  Follower& follow(const Message& message);
  bool has_live_leader() const;
  void draw_election_deadline();
  std::size_t turn_after(base::NodeId leader) const;

  // --- leader.cpp, follower.cpp: entries ---------------------------------------------------------
  void receive(const Message& message, const Append& append);
  void receive(const Message& message, const AppendReply& reply);
  base::LogIndex take(const Append& append);
  void reject(const Message& message, base::LogIndex prev);
  void acknowledge(bool even_if_told, bool to_heartbeat = false);
  void answer_lower_term(const Message& message);
  void append_own(Entry entry);
  void advance_commit();
  void replicate(base::NodeId node, Progress& progress);
  void send_entries(base::NodeId node, Progress& progress);
  void send_heartbeats(bool may_wait);
  void on_leader_tick();
  base::Time beat_after(base::Duration at_most) const;
  bool heard_majority() const;

  // --- install.cpp: snapshots --------------------------------------------------------------------
  void send_chunk(base::NodeId node, Progress& progress);
  void receive(const Message& message, const SnapshotChunk& chunk);
  void receive(const Message& message, const SnapshotReply& reply);
  void add_piece(const Message& message, const SnapshotChunk& chunk);
  void install(const Message& message, Snapshot snapshot);
  void finish_install();
  void adopt(const Snapshot& snapshot);

  // --- membership.cpp, read_index.cpp, transfer.cpp ----------------------------------------------
  std::optional<Refusal> why_not(const ChangeMembers& event) const;
  std::optional<Refusal> why_not(const ChangeMembers& event, const Member* member) const;
  bool caught_up(base::NodeId node) const;
  void on_members_changed();
  void on_members_committed();
  void begin_reads();
  void answer_reads();
  void continue_transfer();
  void receive(const Message& message, const TimeoutNow& order);

  const RaftOptions options_;
  base::Epoch epoch_;
  base::Random random_;

  // The turn that is under way.
  base::Time now_{};
  Effects effects_;
  Persist write_;
  bool wrote_{false};

  // On disk, or on its way.
  base::Term term_;
  std::optional<base::NodeId> vote_;
  LogView log_;
  Snapshot snapshot_;
  PersistTag hard_tag_;  ///< of the last write of term or vote
  PersistTag last_tag_;
  PersistTag durable_tag_;
  std::deque<Pending> pending_;
  std::deque<Held> held_;  ///< in the order of their tags
  std::optional<Installing> installing_;

  base::LogIndex commit_;
  base::LogIndex given_;  ///< through here Committed was said; never beyond the own disk
  Role role_;
  base::Time election_at_{};
  std::optional<std::string> halted_;
  bool outdated_{false};
  bool idle_{false};  ///< Fault::go_idle
};

}  // namespace fastgpu::raft
