#pragma once

/// One replica of a shard: keeps its part of the ledger and, while it leads, answers clients,
/// assigns tasks to workers and settles what they report.
///
/// Place: log events, clients' requests (from the gateway), workers' messages and the scheduler's
/// choices go in; proposals, replies, messages and news for the scheduler come out. Owned by the
/// shard actor and stepped on it only. What is durable is LedgerState, changed by Committed alone;
/// all else here is a leader's knowledge, rebuilt from the ledger and from the workers' reports at
/// each Leading.
/// Failure: a request that cannot be done is answered with an Error whose kind says whether it was
/// surely not done (unavailable, overloaded) or may have been (unknown). Messages of workers are
/// never answered with errors: they repeat until Settled, Renewed or stopped.
/// Invariant: what the outside sees as done (Accepted, Settled) was committed in the same step or
/// before. Limits: ShardLimits.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/ledger/ledger_effects.hpp"
#include "runtime/ledger/ledger_events.hpp"
#include "runtime/ledger/ledger_faults.hpp"
#include "runtime/ledger/ledger_state.hpp"
#include "runtime/ledger/tables/assign_table.hpp"
#include "runtime/ledger/tables/dependency_table.hpp"
#include "runtime/ledger/tables/duty_table.hpp"
#include "runtime/ledger/tables/leader_notes.hpp"
#include "runtime/ledger/tables/proposal_batch.hpp"
#include "runtime/ledger/tables/readers.hpp"

namespace fastgpu::ledger {

struct ShardOptions {
  base::ClusterId cluster;
  base::ShardId shard;
  base::ShardLayout layout;
  base::NodeId self;
  base::Incarnation incarnation;  ///< of this node's present life
  /// Shard 0: recorded as members when it leads first; their ids are theirs already.
  std::vector<protocol::NodeInfo> founders;
  /// Shard 0: recorded with them, lets one other node in. Empty: none.
  std::string founding_token;
  ShardLimits limits;
  LedgerFaults faults;
  /// Shard 0: whose keys are let in from the founding on.
  std::vector<protocol::ClientKey> founding_clients{};
  /// Shard 0: of each shard, recorded once, before the founders; 0: nobody asked for any number.
  std::uint32_t founding_replicas{0};
  /// Other replicas may lead without this one's knowing: clients are answered from its state only
  /// once a majority has confirmed, after they asked, that it leads still.
  bool replicated{false};
};

class ShardMachine {
 public:
  explicit ShardMachine(ShardOptions options);
  bool leading() const { return leading_; }
  base::Term term() const { return term_; }
  const LedgerState& state() const { return state_; }
  const DutyTable& duties() const { return duties_; }
  const DependencyTable& dependencies() const { return dependencies_; }
  /// The end of the lease of the attempt's commands is looked for.
  bool watches(const base::AttemptId& attempt) const { return commands_.contains(attempt); }
  /// When Tick is due, if nothing happens before.
  std::optional<base::Time> next_deadline() const;

  /// `now` is the node's steady clock, on which decisions are taken; `wall_now` is written into
  /// records for people.
  Effects step(const Event& event, base::Time now, base::WallTimeMs wall_now);

 private:
  // --- shard_machine.cpp: the door and the log ---------------------------------------------------
  void handle(const Leading& event);
  void handle(const NotLeading& event);
  void handle(const Committed& event);
  void handle(const OutcomeUnknown& event);
  void handle(const ReadReady& event);
  void handle(const ProposeRefused& event);
  void handle(const Restored& event);
  void handle(const Tick& event);
  void on_applied(const JobAccepted& change);
  void on_applied(const TasksPlaced& change);
  void on_applied(const TasksEnded& change);
  void on_applied(const TasksAgain& change);
  void on_applied(const FinishFenced&) {}
  void on_applied(const UsageReleased& change);
  void on_applied(const JobCancelled& change);
  void on_applied(const JobEnded& change);
  void on_applied(const JobForgotten&) {}
  void on_applied(const MemberAdded& change);
  void on_applied(const RequestRecorded& change);
  void on_applied(const RequestRefused& change);
  /// The log dropped the record: who waits for it is told.
  void forget_proposal(const protocol::Record& record, const base::Error& error);
  void propose_founders();
  void forget_leadership();
  void compact_if_due(const Committed& event);
  void propose(protocol::Record record) { batch_.add(std::move(record)); }
  void send(base::NodeId node, protocol::PeerMessage message);
  template <class Message>
  void tell_scheduler(Message message) {
    effects_.push_back(ToScheduler{std::move(message)});
  }
  void tell_members();

  // --- shard_clients.cpp: the gateway's requests -------------------------------------------------
  void handle(const protocol::ShardRequest& event);
  void answer(const protocol::ShardRequest& event);
  bool needs_read(const protocol::ClientRequest& request) const;
  void wait_for_read(const protocol::ShardRequest& event);
  /// Their read will not be confirmed: another leader may answer.
  void turn_away(const Readers& readers);
  template <class Other>
  void request(base::CallId call, const Other& other);
  void request(base::CallId call, const protocol::Submit& submit);
  void request(base::CallId call, const protocol::ListJobs& list);
  void request(base::CallId call, const protocol::ShowJob& show);
  void request(base::CallId call, const protocol::WaitJob& wait);
  void request(base::CallId call, const protocol::CancelJob& cancel);
  void request(base::CallId call, const protocol::Join& join);
  void request(base::CallId call, const protocol::ChangeMember& change);
  void request(base::CallId call, const protocol::AddToken& token);
  void request(base::CallId call, const protocol::SetClientKey& set);
  /// False outside of the root shard, which is answered.
  bool is_root(base::CallId call);
  bool is_up(base::NodeId node) const;
  void reply(base::CallId call, protocol::ClientReply answer);
  /// Answers all calls that wait for the request's commit.
  void answer_request(const base::RequestId& request, const protocol::ClientReply& answer);
  /// Takes a request's record in, or adds the call to those that wait for the same request.
  void propose_request(const base::RequestId& request, std::optional<base::CallId> call,
                       bool submit, protocol::Record record);
  /// Answers who waits for a record that the log dropped.
  void answer_dropped(const protocol::Record& record, const base::Error& error);
  /// How many finished jobs have all of these labels.
  std::size_t finished_with(const protocol::Labels& labels) const;
  protocol::JobSummary summary(const Job& job) const;
  protocol::JobList list_of(const Job& job) const;
  protocol::Joined joined(const protocol::NodeInfo& info) const;
  void answer_watchers(base::JobId job);
  void answer_late_watchers();
  void handle(const protocol::DiskRoom& event) { disk_ = event; }

  // --- shard_pins.cpp: who of those that have pinned objects is known here -----------------------
  void handle(const PinCheckEvent& event);
  void answer_check(base::NodeId node, const protocol::PinCheck& check);
  bool names(const base::RequestId& request) const;

  // --- shard_workers.cpp: placing, assigning, finishing ------------------------------------------
  void handle(const protocol::Place& event);
  void handle(const protocol::Waiting& event);
  void handle(const AssignReplyEvent& event);
  void handle(const FinishEvent& event);
  void place(const protocol::Place& choice, const TaskRanges& ranges, protocol::PlaceCause cause);
  void propose_finish(const FinishEvent& event, const TaskRanges& fresh, const TaskRanges& counts,
                      std::uint64_t tasks_told);
  /// The Finish of these tasks is in flight no longer.
  void end_finishing(const base::AttemptId& attempt, const TaskRanges& ranges);
  void settle(const base::AttemptId& attempt, base::JobId job, base::DeviceId device,
              const TaskRanges& ranges);
  void send_assign(const base::AttemptId& attempt, const Holding& holding);
  void resend_assigns();
  /// Tells the scheduler that an Assign got no answer that counts, or was never sent.
  void give_up_assign(const base::AttemptId& attempt);
  TaskRanges lost_part(base::JobId job, const TaskRanges& ranges) const;
  void tell_ready(base::JobId job, const TaskRanges& ranges, protocol::PlaceCause cause);
  /// Tasks that were held are ready again.
  void make_ready(base::JobId job, const TaskRanges& ranges, protocol::PlaceCause cause);
  /// These tasks cannot be assigned where they were placed: ready again.
  void take_back(const protocol::Place& choice, const TaskRanges& ranges,
                 protocol::PlaceCause cause);
  /// The attempt's node is gone: all is ready again. What `ran` counts it, and may end by it.
  void lose(const base::AttemptId& attempt, const TaskRanges& ran);
  void count_loss(const base::AttemptId& attempt, const Holding& holding, const TaskRanges& ran);
  void stop(const TakenFrom& taken);
  protocol::DeviceKind kind_of(base::DeviceId device, const Job& job) const;
  const base::ObjectHash& signature_of(const Job& job);

  // --- shard_adoption.cpp: leases, new leaders, dead nodes ---------------------------------------
  void handle(const RenewEvent& event);
  void handle(const protocol::NodeLost& event);
  void handle(const ViewChanged& event);
  void begin_read();
  bool end_read(base::LogToken token);
  void answer_renewal(const RenewEvent& event);
  /// Takes over what a worker holds; returns the tasks that it must stop.
  TaskRanges adopt(const RenewEvent& event, const protocol::HeldAttempt& held);
  using TasksByAttempt = std::map<base::AttemptId, TaskRanges>;
  /// Tasks that the worker has not or has no more, though its device holds them here.
  TasksByAttempt missing_in(const RenewEvent& event) const;
  void miss(const TasksByAttempt& missing);
  /// False for a message of a life that is over.
  bool learn_incarnation(base::NodeId node, base::Incarnation incarnation);
  void lose_node(base::NodeId node, base::Incarnation through, bool proven);
  /// Of the node's lives up to `through`: which tasks may have been running last.
  TasksByAttempt last_running(base::NodeId node, base::Incarnation through, bool proven) const;
  std::uint32_t slots_of(base::DeviceId device) const;
  /// That life of the node takes nothing any more, or seems so.
  bool seems_over(base::NodeId node, base::Incarnation incarnation) const;
  bool has_inherited(base::NodeId node) const;
  void begin_adoption();
  void adopt_node(base::NodeId node);
  void send_adopts();
  void end_adoption_when_due();
  void grant_lease(base::DeviceId device, base::Incarnation incarnation, std::int64_t asked_at_ns);
  void end_lease(base::DeviceId device);
  void expire_leases();

  // --- shard_commands.cpp: what must not run twice at once ---------------------------------------
  /// Its tasks are not lost by silence.
  bool waits_for_proof(const Holding& holding) const {
    return needs_proof(holding) && !options_.faults.place_without_proof;
  }
  /// From now on the end of its lease is looked for.
  void watch_command(const base::AttemptId& attempt);
  /// When commands of the attempt surely run no longer, if nothing is heard from their node.
  base::Time command_end(const Holding& holding) const;
  base::Duration command_lease(base::JobId job) const;
  /// Assign::start_before_ns: however late it comes, it is not started after its lease.
  std::int64_t start_before_ns(const Holding& holding) const;
  void expire_commands();
  /// A placement of commands was not committed: nobody runs them.
  void drop_placement(const protocol::PlacedRecord& record);

  // --- shard_dependencies.cpp: jobs that wait for others -----------------------------------------
  void on_applied(const DependencyMet& change);
  void on_applied(const JobReleased& change);
  void handle(const DependencyAskEvent& event);
  void handle(const DependencyAnswerEvent& event);
  /// A live job may be placed from now on, or waits for others first.
  void begin(const Job& job);
  protocol::JobStanding standing_of(base::JobId id) const;
  void look_after_dependencies();
  void answer_ask(const DependencyAskEvent& event);
  protocol::WaitingReason waiting_for_jobs(const Job& job) const;
  std::string how_it_stands(base::JobId parent) const;

  const ShardOptions options_;
  LedgerState state_;

  // The turn that is under way.
  base::Time now_{};
  base::WallTimeMs wall_now_{};
  Effects effects_;

  // Leadership.
  bool leading_{false};
  base::Epoch epoch_;
  base::Term term_;
  std::uint64_t last_sequence_{0};  ///< of attempts in this term
  base::LogToken last_token_;
  ProposalBatch batch_;
  std::uint64_t entries_since_compact_{0};
  std::uint64_t records_since_compact_{0};

  // Work.
  DutyTable duties_;
  AssignTable assigns_;
  std::map<base::AttemptId, TaskRanges> finishing_;  ///< Finishes proposed and not committed
  std::map<base::JobId, protocol::WaitingReason> waiting_;
  std::map<base::JobId, base::ObjectHash> signatures_;
  std::map<base::JobId, TaskRanges> lost_;  ///< of live jobs: what a node had when it was lost
  DependencyTable dependencies_;
  std::uint64_t last_ask_{0};  ///< of jobs of other shards, in this leadership

  // Clients.
  std::map<base::RequestId, RequestInFlight> requests_in_flight_;
  std::size_t calls_in_flight_{0};
  std::size_t submits_in_flight_{0};
  protocol::DiskRoom disk_;
  std::map<base::JobId, std::map<base::CallId, base::Time>> watchers_;
  std::set<std::pair<base::Time, std::pair<base::JobId, base::CallId>>> watch_deadlines_;

  // Leases and adoption.
  std::map<base::DeviceId, Lease> leases_;
  std::set<std::pair<base::Time, base::DeviceId>> lease_ends_;
  base::Time led_since_{};
  std::map<base::DeviceId, RenewalAnswer> renewed_;
  std::map<base::AttemptId, base::Time> commands_;  ///< by when their lease may have ended
  std::set<std::pair<base::Time, base::AttemptId>> command_ends_;
  Readers readers_;  ///< no read was begun since they came
  std::map<base::LogToken, Readers> reads_;
  protocol::SharedView view_;
  std::map<base::DeviceId, DeviceShown> devices_;           ///< as the view shows them
  std::map<base::NodeId, base::Incarnation> incarnations_;  ///< newest life heard of
  std::map<base::NodeId, base::Incarnation> lost_lives_;    ///< said to be lost, not seen up since
  std::map<base::NodeId, Adoption> adopting_;  ///< nodes that did not report to this leader yet
  std::optional<base::Time> adoption_ends_;    ///< then inherited tasks are placed anew
};

}  // namespace fastgpu::ledger
