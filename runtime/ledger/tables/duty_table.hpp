#pragma once

/// What the leader knows of every live task of its shard beyond the ledger: ready for the
/// scheduler, or held by an attempt, and how that attempt stands at its worker.
///
/// Volatile: rebuilt at each leadership from the ledger, then corrected by workers' reports. Owned
/// by ShardMachine. Each live task of each live job has exactly one duty; an attempt that has no
/// task left is forgotten. Nothing fails; names of unknown jobs and attempts are ignored.

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/ledger/ledger_job.hpp"
#include "runtime/ledger/tables/interval_map.hpp"
#include "runtime/ledger/tables/task_ranges.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

/// A task's present duty. Ready: `attempt` is none and `cause` says why it waits.
struct Duty {
  base::AttemptId attempt;
  protocol::PlaceCause cause{protocol::PlaceCause::first};
  bool giving_up{false};  ///< its end as lost is proposed: neither ready nor held
  bool ready() const { return !attempt && !giving_up; }
  bool operator==(const Duty&) const = default;
};

/// How far an attempt's worker has answered for it.
enum class Grant : std::uint8_t {
  proposed,   ///< its Assign waits until its placement is committed
  asked,      ///< its Assign is unanswered
  inherited,  ///< placed by an earlier leader; its worker has not reported to this one
  granted,    ///< its worker said that it has it
};

struct Holding {
  base::JobId job;
  base::DeviceId device;
  base::Incarnation incarnation;
  TaskRanges ranges;  ///< tasks whose duty it is now
  protocol::PlaceCause cause{protocol::PlaceCause::first};
  Grant grant{Grant::asked};
  bool may_overlap{true};           ///< JobSpec::safe_to_overlap
  TaskRanges running;               ///< as its worker said last; all, until it says so
  TaskRanges seen_running;          ///< as its worker listed last
  std::int64_t known_at_ns{};       ///< the worker's own clock when it granted or listed it last
  protocol::WaitingReason waiting;  ///< as its worker listed last
  bool operator==(const Holding&) const = default;
};

/// Its tasks may run at its node, and must not run anywhere else before it is known that they do
/// not.
inline bool needs_proof(const Holding& holding) {
  return !holding.may_overlap && holding.grant != Grant::proposed;
}

/// Tasks taken from an attempt, and where it runs.
struct TakenFrom {
  base::AttemptId attempt;
  base::JobId job;
  base::DeviceId device;
  Grant grant{Grant::asked};
  TaskRanges ranges;
  bool operator==(const TakenFrom&) const = default;
};

class DutyTable {
 public:
  void clear();
  /// A live job as the ledger has it: placed tasks are inherited, the others ready.
  void add(const Job& job);

  bool empty() const { return jobs_.empty(); }
  const std::map<base::AttemptId, Holding>& holdings() const { return holdings_; }
  const Holding* find(const base::AttemptId& attempt) const;
  /// An Assign to the device waits for the commit of its placement.
  bool any_proposed(base::DeviceId device) const { return proposed_.contains(device); }
  /// Attempts with tasks on the node, ascending.
  std::vector<base::AttemptId> on_node(base::NodeId node) const;
  /// `visit(TaskRange, const Duty&)` for the job's live tasks in `range`.
  template <class Visit>
  void for_each_in(base::JobId job, base::TaskRange range, Visit visit) const {
    const auto at = jobs_.find(job);
    if (at != jobs_.end()) {
      at->second.for_each_in(range, visit);
    }
  }
  TaskRanges ready_part(base::JobId job, const TaskRanges& ranges) const;
  bool has_ready(base::JobId job) const;
  std::uint32_t running_tasks(base::JobId job) const;
  /// What a worker says that the job waits for; none if no worker says so.
  protocol::WaitingReason waiting_at_workers(base::JobId job) const;

  /// Tasks become ready. Returns those that were not, and from whom they were taken.
  std::vector<TakenFrom> make_ready(base::JobId job, const TaskRanges& ranges,
                                    protocol::PlaceCause cause);
  /// Tasks are held by a new or known attempt. Returns other attempts that lost tasks by this.
  std::vector<TakenFrom> hold(const base::AttemptId& attempt, const Holding& holding);
  std::vector<TakenFrom> give_up(base::JobId job, const TaskRanges& ranges);
  /// Tasks are terminal. Returns the attempts that had them.
  std::vector<TakenFrom> end(base::JobId job, const TaskRanges& ranges);

  /// Its Assign is sent.
  void set_asked(const base::AttemptId& attempt);
  /// Its worker has granted it, at `at_ns` of the worker's own clock.
  void set_granted(const base::AttemptId& attempt, std::int64_t at_ns);
  /// Its worker listed it so in a Renew asked at `at_ns`.
  void set_listed(const protocol::HeldAttempt& held, std::int64_t at_ns);

 private:
  std::vector<TakenFrom> take(base::JobId job, const TaskRanges& ranges,
                              const base::AttemptId& except);
  std::set<base::AttemptId> attempts_of(base::JobId job) const;
  void forget_if_empty(std::map<base::AttemptId, Holding>::iterator at);
  void forget_proposed(const base::AttemptId& attempt, base::DeviceId device);

  std::map<base::JobId, IntervalMap<Duty>> jobs_;
  std::map<base::AttemptId, Holding> holdings_;
  std::map<base::NodeId, std::set<base::AttemptId>> by_node_;
  std::map<base::DeviceId, std::set<base::AttemptId>> proposed_;
};

}  // namespace fastgpu::ledger
