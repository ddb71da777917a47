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
#include <utility>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/time.hpp"
#include "runtime/ledger/assign_table.hpp"
#include "runtime/ledger/duty_table.hpp"
#include "runtime/ledger/ledger_effects.hpp"
#include "runtime/ledger/ledger_events.hpp"
#include "runtime/ledger/ledger_faults.hpp"
#include "runtime/ledger/ledger_state.hpp"
#include "runtime/ledger/proposal_batch.hpp"

namespace fastgpu::ledger {

struct ShardOptions {
  base::ClusterId cluster;
  base::ShardId shard;
  base::ShardLayout layout;
  base::NodeId self;
  base::Incarnation incarnation;  ///< of this node's present life
  ShardLimits limits;
  LedgerFaults faults;
};

class ShardMachine {
 public:
  explicit ShardMachine(ShardOptions options);

  bool leading() const { return leading_; }
  const LedgerState& state() const { return state_; }
  const DutyTable& duties() const { return duties_; }
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
  void on_applied(const Applied& change);
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
  void request(base::CallId call, const protocol::Submit& submit);
  void request(base::CallId call, const protocol::ListJobs& list);
  void request(base::CallId call, const protocol::ShowJob& show);
  void request(base::CallId call, const protocol::WaitJob& wait);
  void request(base::CallId call, const protocol::CancelJob& cancel);
  void request(base::CallId call, const protocol::Join& join);
  void reply(base::CallId call, protocol::ClientReply answer);
  void answer_request(const base::RequestId& request, const protocol::ClientReply& answer);
  void answer_dropped(const protocol::Record& record, const base::Error& error);
  bool wait_for_commit(const base::RequestId& request, base::CallId call);
  protocol::JobSummary summary(const Job& job) const;
  protocol::JobList list_of(const Job& job) const;
  protocol::Joined joined(const protocol::NodeInfo& info) const;
  void answer_watchers(base::JobId job);
  void answer_late_watchers();

  // --- shard_workers.cpp: placing, assigning, finishing ------------------------------------------
  void handle(const protocol::Place& event);
  void handle(const protocol::Waiting& event);
  void handle(const AssignReplyEvent& event);
  void handle(const FinishEvent& event);
  void propose_finish(const FinishEvent& event, const Job& job, const TaskRanges& fresh);
  void send_assign(const base::AttemptId& attempt, const Holding& holding);
  void resend_assigns();
  void tell_ready(base::JobId job, const TaskRanges& ranges, protocol::PlaceCause cause);
  void make_ready(base::JobId job, const TaskRanges& ranges, protocol::PlaceCause cause);
  /// The attempt's tasks are lost with its node or were never there: ready again, or given up.
  void lose(const base::AttemptId& attempt, const TaskRanges& ranges);
  void stop(const TakenFrom& taken);
  void on_ended(const TasksEnded& ended);
  void on_again(const TasksAgain& again);
  void on_released(const UsageReleased& released);

  // --- shard_adoption.cpp: leases, new leaders, dead nodes ---------------------------------------
  void handle(const RenewEvent& event);
  void handle(const protocol::NodeLost& event);
  void handle(const ViewChanged& event);
  void answer_renewals(std::vector<RenewEvent> renewals);
  void answer_renewal(const RenewEvent& event);
  /// Goes through what the worker holds; returns the parts that it must stop.
  TaskRanges adopt(const RenewEvent& event, const protocol::HeldAttempt& held);
  void adopt_range(const RenewEvent& event, const protocol::HeldAttempt& held, const Job& job,
                   base::TaskRange range, TaskRanges& keep, TaskRanges& place, TaskRanges& stop);
  void miss_unlisted(const RenewEvent& event);
  void begin_read();
  void learn_incarnation(base::NodeId node, base::Incarnation incarnation);
  void lose_node(base::NodeId node, base::Incarnation through);
  void begin_adoption();
  void send_adopts();
  void end_adoption_when_due();
  void expire_leases();

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

  // Work.
  DutyTable duties_;
  AssignTable assigns_;
  std::map<base::AttemptId, TaskRanges> finishing_;  ///< Finishes proposed and not committed
  std::map<base::JobId, protocol::WaitingReason> waiting_;

  // Clients.
  std::map<base::RequestId, std::vector<base::CallId>> requests_in_flight_;
  std::size_t calls_in_flight_{0};
  std::map<base::JobId, std::set<base::CallId>> watchers_;
  std::set<std::pair<base::Time, std::pair<base::JobId, base::CallId>>> watch_deadlines_;

  // Leases and adoption.
  struct Lease {
    base::Incarnation incarnation;
    base::Time until;  ///< as this leader counts it: 1 % longer than the worker
  };
  std::map<base::DeviceId, Lease> leases_;
  std::vector<RenewEvent> renewals_;  ///< no read was begun since they came
  std::map<base::LogToken, std::vector<RenewEvent>> reads_;
  protocol::SharedView view_;
  std::map<base::NodeId, base::Incarnation> incarnations_;  ///< newest life heard of
  struct Adoption {
    int tries{0};
    base::Time due;
  };
  std::map<base::NodeId, Adoption> adopting_;  ///< nodes that did not report to this leader yet
  std::optional<base::Time> adoption_ends_;    ///< then inherited tasks are placed anew
};

}  // namespace fastgpu::ledger
