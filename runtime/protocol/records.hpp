#pragma once

/// What a shard's log holds. Each is applied in log order by ledger::LedgerState; the rules of the
/// fence are told there. schema/record.capnp is the form on disk.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/dependency.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::protocol {

/// A job is accepted. Applying it a second time (same request) changes nothing. The job's id is
/// given when it is applied: the shard's next sequence.
struct SubmitRecord {
  base::RequestId request;
  SharedSpec spec;
  base::WallTimeMs submitted_at_ms{};
  base::NodeId accepted_by;
  bool operator==(const SubmitRecord&) const = default;
};

enum class PlaceCause : std::uint8_t {
  first,
  user_retry,    ///< the last attempt failed by its own fault
  node_failure,  ///< the last attempt was lost with its node, device or executor
  refused,       ///< the last attempt was never granted: not counted
};

/// "node_failure"
const char* to_word(PlaceCause cause);

/// Tasks are given to a device under a new attempt, which becomes their floor.
struct PlacedRecord {
  base::AttemptId attempt;
  base::JobId job;
  std::vector<base::TaskRange> ranges;
  base::DeviceId device;
  base::Incarnation incarnation;  ///< the node's life that may run it
  PlaceCause cause{PlaceCause::first};
  bool operator==(const PlacedRecord&) const = default;
};

/// What an attempt made of tasks. Counts for tasks that are live and whose floor it reaches.
struct FinishRecord {
  base::AttemptId attempt;
  base::JobId job;
  std::vector<TaskReport> reports;
  base::WallTimeMs finished_at_ms{};
  bool operator==(const FinishRecord&) const = default;
};

/// Usage of an attempt by some of its tasks, counted once per task; valid after a cancel or a
/// supersession too. Where a part of the tasks is known already, the rest counts in proportion.
struct ReleasedRecord {
  base::AttemptId attempt;
  base::JobId job;
  base::DeviceId device;
  std::vector<base::TaskRange> ranges;
  std::int64_t device_ns{};  ///< time for which these tasks together held the device
  bool operator==(const ReleasedRecord&) const = default;
};

/// All live tasks of the job are cancelled.
struct CancelRecord {
  base::RequestId request;
  base::JobId job;
  base::WallTimeMs cancelled_at_ms{};
  bool operator==(const CancelRecord&) const = default;
};

/// Live tasks end as `lost`: the cluster gives up on them.
struct GiveUpRecord {
  base::JobId job;
  std::vector<base::TaskRange> ranges;
  base::FailureReason reason{base::FailureReason::node_lost};
  std::string message;
  base::WallTimeMs given_up_at_ms{};
  bool operator==(const GiveUpRecord&) const = default;
};

/// Root shard only: a node is a member. Its id is the next one when `info.node` is none; the same
/// request twice gives the same id; a name in use by another request is refused.
struct MemberRecord {
  base::RequestId request;
  NodeInfo info;
  base::ObjectHash token{};  ///< hash of the JoinToken that this uses up; zero = none was needed
  base::WallTimeMs joined_at_ms{};
  bool operator==(const MemberRecord&) const = default;
};
/// Root shard only. Removed is for good; at least one member stays active.
struct MemberStateRecord {
  base::RequestId request;
  base::NodeId node;
  MemberState state{MemberState::active};
  bool operator==(const MemberStateRecord&) const = default;
};
/// Root shard only. A hash that is known already changes nothing.
struct TokenRecord {
  base::RequestId request;
  JoinToken token;
  base::WallTimeMs made_at_ms{};  ///< tokens that expired before are forgotten
  bool operator==(const TokenRecord&) const = default;
};
/// Root shard only. A name keeps its key; revoked is for good.
struct ClientKeyRecord {
  base::RequestId request;
  ClientKey client;
  bool operator==(const ClientKeyRecord&) const = default;
};
/// Root shard only: how many replicas each shard has where there are nodes enough.
struct ReplicasRecord {
  base::RequestId request;
  std::uint32_t replicas{};  ///< 1, 3 or 5; anything else is refused
  bool operator==(const ReplicasRecord&) const = default;
};

/// How a job ended that another one waits for. Where that is what the other asked for, it waits for
/// it no longer; where it is not, all its live tasks are cancelled. A second one changes nothing.
struct DependencyRecord {
  base::JobId job;     ///< that waits
  JobStanding parent;  ///< final
  base::WallTimeMs recorded_at_ms{};
  bool operator==(const DependencyRecord&) const = default;
};

using Record = std::variant<SubmitRecord, PlacedRecord, FinishRecord, ReleasedRecord, CancelRecord,
                            GiveUpRecord, MemberRecord, DependencyRecord, MemberStateRecord,
                            TokenRecord, ClientKeyRecord, ReplicasRecord>;

/// One log entry: records that are applied together, in order. Empty is a leader's no-op.
struct Entry {
  std::vector<Record> records;
  bool operator==(const Entry&) const = default;
};

}  // namespace fastgpu::protocol
