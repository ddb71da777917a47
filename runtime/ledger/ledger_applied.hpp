#pragma once

/// What an applied entry changed: told by LedgerState::apply in the order of the records, for the
/// leader to act on. A record that changed nothing tells why.

#include <cstdint>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/ledger/tables/task_ranges.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/ledger_image.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::ledger {

struct JobAccepted {
  base::RequestId request;
  base::JobId job;
  bool repeated{false};  ///< the request was known: nothing changed
  bool operator==(const JobAccepted&) const = default;
};
/// The attempt is the floor of these tasks now; of others that it named it is not.
struct TasksPlaced {
  base::JobId job;
  base::AttemptId attempt;
  TaskRanges ranges;
  bool operator==(const TasksPlaced&) const = default;
};
/// These tasks are terminal now. By a Finish of `attempt`; none: cancelled or given up.
struct TasksEnded {
  base::JobId job;
  base::AttemptId attempt;
  TaskRanges ranges;
  protocol::SharedOutcome outcome;
  bool operator==(const TasksEnded&) const = default;
};
/// The attempt failed and these tasks may be tried again.
struct TasksAgain {
  base::JobId job;
  base::AttemptId attempt;
  TaskRanges ranges;
  protocol::PlaceCause cause{protocol::PlaceCause::user_retry};
  bool operator==(const TasksAgain&) const = default;
};
/// A Finish came too late for these tasks: ended, or placed anew since. Nothing was recorded.
struct FinishFenced {
  base::JobId job;
  base::AttemptId attempt;
  TaskRanges ranges;
  bool operator==(const FinishFenced&) const = default;
};
/// Usage was counted, or was known already (`device_ns` 0). `ranges` as the record named them.
struct UsageReleased {
  base::JobId job;
  base::AttemptId attempt;
  base::DeviceId device;
  TaskRanges ranges;
  std::int64_t device_ns{};
  bool operator==(const UsageReleased&) const = default;
};
struct JobCancelled {
  base::RequestId request;
  base::JobId job;
  bool operator==(const JobCancelled&) const = default;
};
/// One of the conditions that the job waits for holds: all of them that name the parent.
struct DependencyMet {
  base::JobId job;
  base::JobId parent;
  bool operator==(const DependencyMet&) const = default;
};
/// It waits for no other job any more.
struct JobReleased {
  base::JobId job;
  bool operator==(const JobReleased&) const = default;
};
/// All its tasks are terminal.
struct JobEnded {
  base::JobId job;
  protocol::TaskState state{protocol::TaskState::succeeded};  ///< Job::state
  bool operator==(const JobEnded&) const = default;
};
/// Finished long ago, and gone to make room.
struct JobForgotten {
  base::JobId job;
  bool operator==(const JobForgotten&) const = default;
};
struct MemberAdded {
  base::RequestId request;
  protocol::NodeInfo info;
  bool repeated{false};
  bool operator==(const MemberAdded&) const = default;
};
/// A change of members, tokens, keys or the number of replicas is done.
struct RequestRecorded {
  base::RequestId request;
  bool operator==(const RequestRecorded&) const = default;
};
/// A request was refused by the state that it met in the log.
struct RequestRefused {
  base::RequestId request;
  base::Error error;
  bool operator==(const RequestRefused&) const = default;
};

using Applied = std::variant<JobAccepted, TasksPlaced, TasksEnded, TasksAgain, FinishFenced,
                             UsageReleased, JobCancelled, DependencyMet, JobReleased, JobEnded,
                             JobForgotten, MemberAdded, RequestRecorded, RequestRefused>;

}  // namespace fastgpu::ledger
