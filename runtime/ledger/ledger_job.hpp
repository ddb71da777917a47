#pragma once

/// A job as the ledger keeps it. Owned and changed by LedgerState alone.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/ledger/tables/interval_map.hpp"
#include "runtime/ledger/tables/task_ranges.hpp"
#include "runtime/protocol/dependency.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/ledger_image.hpp"

namespace fastgpu::ledger {

struct JobAttempt {
  base::DeviceId device;
  TaskRanges ranges;    ///< for which its placement took effect
  TaskRanges released;  ///< whose usage is counted
  protocol::PlaceCause cause{protocol::PlaceCause::first};
  bool operator==(const JobAttempt&) const = default;
};

struct Job {
  base::JobId id;
  base::RequestId request;
  base::RequestId cancel_request;  ///< zero = never cancelled
  protocol::SharedSpec spec;
  base::WallTimeMs submitted_at_ms{};
  base::WallTimeMs finished_at_ms{};
  base::NodeId accepted_by;
  std::int64_t device_ns{};

  IntervalMap<protocol::TaskRecord> tasks;  ///< covers all of them
  std::uint32_t live_tasks{};
  /// Of ended tasks, by TaskState; zero for pending and running.
  std::array<std::uint32_t, protocol::task_state_count> ended{};
  std::map<base::AttemptId, JobAttempt> attempts;
  std::vector<base::NodeId> nodes;  ///< of its attempts, ascending
  /// Conditions of its spec that are not known to hold. Until there are none, nothing of it counts
  /// but its end; a finished job has none.
  std::vector<protocol::Dependency> waits_for;

  /// The attempt's record, made when it is new.
  JobAttempt& attempt_on(const base::AttemptId& attempt, base::DeviceId device);

  bool live() const { return live_tasks > 0; }
  /// Of a finished job, the gravest of its tasks' states; of a live one, pending.
  protocol::TaskState state() const;
  /// Those tasks of `ranges` that the job has and that are live.
  TaskRanges live_part(const TaskRanges& ranges) const;
  bool operator==(const Job&) const = default;
};

/// True when a Finish of the attempt counts for the task.
bool passes_fence(const protocol::TaskRecord& task, const base::AttemptId& attempt);

/// The parent, whose standing is final, has ended as the condition asks.
bool holds(protocol::DependencyKind kind, const protocol::JobStanding& parent);
/// For people: why the condition can never hold.
std::string broken_text(protocol::DependencyKind kind, const protocol::JobStanding& parent);

/// About what the job takes in memory and in a snapshot. Of a finished job it depends on nothing
/// that may change any more, so all replicas forget alike.
std::uint64_t kept_bytes(const Job& job);
std::uint64_t estimated_bytes(const protocol::JobSpec& spec);
std::uint64_t estimated_bytes(const protocol::TaskOutcome& outcome);

}  // namespace fastgpu::ledger
