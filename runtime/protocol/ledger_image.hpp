#pragma once

/// A shard's whole ledger as a value: what a snapshot holds. Made by ledger::LedgerState::image and
/// taken back by its `restore`; schema/ledger_image.capnp is the form on disk. Plain values, which
/// share specs and outcomes with the ledger they came from, so taking one copies no bulk data.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::protocol {

/// An outcome that many tasks share; compared by what it says.
struct SharedOutcome {
  std::shared_ptr<const TaskOutcome> value;
  const TaskOutcome& operator*() const { return *value; }
  const TaskOutcome* operator->() const { return value.get(); }
  explicit operator bool() const { return value != nullptr; }
  friend bool operator==(const SharedOutcome& a, const SharedOutcome& b) {
    return a.value == b.value || (a.value && b.value && *a.value == *b.value);
  }
};

enum class TaskPhase : std::uint8_t {
  ready,   ///< waits for a device; attempts up to the floor are over
  placed,  ///< the attempt at the floor may run it
  ended,   ///< terminal for good
};

/// What the ledger knows of a task; neighbours that are alike share one.
struct TaskRecord {
  TaskPhase phase{TaskPhase::ready};
  PlaceCause next_cause{PlaceCause::first};  ///< of the next placement; meaningful while ready
  std::uint32_t own_failures{};              ///< attempts that failed by the job's own fault
  std::uint32_t node_failures{};             ///< attempts that were lost with their node or device
  base::AttemptId floor;                     ///< the greatest attempt placed or heard; none = never
  base::DeviceId device;                     ///< of the floor
  base::Incarnation incarnation;             ///< of the floor
  SharedOutcome outcome;                     ///< set when ended
  bool operator==(const TaskRecord&) const = default;
};

/// `count` tasks from `first` on that are alike.
struct TaskSegment {
  base::TaskRange range;
  TaskRecord record;
  bool operator==(const TaskSegment&) const = default;
};

/// An attempt of a job and how much of its usage is counted.
struct AttemptImage {
  base::AttemptId attempt;
  base::DeviceId device;
  std::vector<base::TaskRange> ranges;    ///< as placed; empty where that was never recorded
  std::vector<base::TaskRange> released;  ///< tasks whose usage is counted
  PlaceCause cause{PlaceCause::first};
  bool operator==(const AttemptImage&) const = default;
};

struct JobImage {
  base::JobId job;
  base::RequestId request;
  base::RequestId cancel_request;  ///< of the cancel that ended it; zero = none
  SharedSpec spec;
  base::WallTimeMs submitted_at_ms{};
  base::WallTimeMs finished_at_ms{};  ///< 0 while live
  base::NodeId accepted_by;
  std::int64_t device_ns{};
  std::vector<TaskSegment> tasks;      ///< cover 0 to the task count without gap, in order
  std::vector<AttemptImage> attempts;  ///< ascending
  std::vector<Dependency> waits_for;   ///< those of its spec that are not known to hold yet
  bool operator==(const JobImage&) const = default;
};

struct MemberImage {
  base::RequestId request;
  NodeInfo info;
  bool operator==(const MemberImage&) const = default;
};

struct LedgerImage {
  base::LogIndex applied;              ///< the last entry that it contains
  std::uint64_t next_job_sequence{1};  ///< of the next accepted job
  std::vector<JobImage> jobs;          ///< by id
  std::vector<base::JobId> finished;   ///< finished and kept, in the order in which they finished
  std::vector<MemberImage> members;    ///< by node id, from 1 without gap; root shard only
  std::uint64_t members_version{};     ///< the log index that changed them last
  std::vector<ShardPlan> plan{};       ///< by shard; root shard only, as are those below
  std::vector<ClientKey> clients{};    ///< by name
  std::vector<JoinToken> tokens{};     ///< not used yet, by hash
  std::uint32_t replicas{};            ///< of each shard, as recorded; 0 = none was: 3
  bool operator==(const LedgerImage&) const = default;
};

}  // namespace fastgpu::protocol
