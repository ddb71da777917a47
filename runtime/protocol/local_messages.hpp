#pragma once

/// What the actors of one node say to each other: never on a wire, never stored. The words that
/// also travel between nodes are in peer_messages.hpp.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/log_record.hpp"
#include "runtime/base/result.hpp"
#include "runtime/protocol/client_messages.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/peer_messages.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::protocol {

// --- shard to scheduler --------------------------------------------------------------------------

/// These tasks wait for a device. Said again for tasks that come back (refused, lost, retried).
struct TasksReady {
  base::ShardId shard;
  base::JobId job;
  std::vector<base::TaskRange> ranges;
  ResourceRequest request;
  base::ObjectHash signature;  ///< program and kernel: tasks that should take equally long
  PlaceCause cause{PlaceCause::first};
  bool command{false};      ///< tasks of a command, not of a kernel
  bool lost_before{false};  ///< a node was lost that had them
  bool operator==(const TasksReady&) const = default;
};
/// These tasks need no device any more: cancelled or given up.
struct TasksGone {
  base::JobId job;
  std::vector<base::TaskRange> ranges;
  bool operator==(const TasksGone&) const = default;
};
/// A worker answered an Assign, or did not in time (`answered` false, `refused` none), or was never
/// asked (`answered` false, `refused` stale_attempt).
struct AssignAnswered {
  base::JobId job;
  base::DeviceId device;
  std::uint32_t tasks{};
  bool answered{true};
  RefusalReason refused{RefusalReason::none};
  DeviceBooks books;  ///< meaningful when answered
  bool operator==(const AssignAnswered&) const = default;
};
/// Tasks ended: what the predictor learns from.
struct TasksRan {
  base::ObjectHash signature;
  base::DeviceId device;
  DeviceKind kind{DeviceKind::cpu};
  std::uint32_t tasks{};
  std::int64_t run_ns{};  ///< of one of them, mean
  bool operator==(const TasksRan&) const = default;
};
/// The shard is led here no longer: forget all its tasks.
struct ShardRetired {
  base::ShardId shard;
  bool operator==(const ShardRetired&) const = default;
};

// --- scheduler to shard --------------------------------------------------------------------------

/// Propose and assign: these ready tasks go to this device. `incarnation` as the view showed it.
struct Place {
  base::ShardId shard;
  base::JobId job;
  std::vector<base::TaskRange> ranges;
  base::DeviceId device;
  base::Incarnation incarnation;
  bool operator==(const Place&) const = default;
};
/// Why the job's ready tasks are not placed; said when it changes. `none`: nothing waits.
struct Waiting {
  base::ShardId shard;
  base::JobId job;
  WaitingReason reason;
  bool operator==(const Waiting&) const = default;
};

// --- monitor to everybody ------------------------------------------------------------------------

/// The cluster as this node sees it now; itself included.
struct ClusterView {
  base::ClusterId cluster;
  base::NodeId self;
  std::vector<NodeView> nodes;  ///< by id
  /// The root's list as this node knows it; null before it knows one. Shared by views.
  std::shared_ptr<const Members> members{};
  bool operator==(const ClusterView&) const = default;
};
using SharedView = std::shared_ptr<const ClusterView>;

/// A life of a node is over for our purposes.
struct NodeLost {
  base::NodeId node;
  base::Incarnation incarnation;  ///< the life that is lost
  bool proven{false};             ///< a successor was heard: it surely runs nothing more
  bool operator==(const NodeLost&) const = default;
};

// --- replicas and objects to monitor -------------------------------------------------------------

/// How the replica of a shard stands on this node. Said by every one at its start, and when it
/// changes.
struct ReplicaStands {
  base::ShardId shard;
  bool votes{false};  ///< it is a voter of its group, by the newest members in its log
  bool operator==(const ReplicaStands&) const = default;
};
/// How the copies stand of the objects that this node answers for: see NodeDuties. Said with the
/// first view, and when it changes.
struct CopiesStand {
  std::uint64_t due{};
  bool counted{false};
  std::uint64_t members_version{};  ///< of the list of members by which that is
  bool operator==(const CopiesStand&) const = default;
};

// --- gateway and shard ---------------------------------------------------------------------------

/// A request that the shard's ledger answers: Submit, ListJobs, ShowJob, WaitJob, CancelJob, Join,
/// ChangeMember, AddToken, SetClientKey.
struct ShardRequest {
  base::CallId call;
  base::ShardId shard;
  ClientRequest request;
  bool operator==(const ShardRequest&) const = default;
};
struct ShardReply {
  base::CallId call;
  base::ShardId shard;
  ClientReply reply;
  bool operator==(const ShardReply&) const = default;
};

// --- with objects --------------------------------------------------------------------------------

/// PutChunk or GetChunk, from the gateway.
struct ObjectRequest {
  base::CallId call;
  ClientRequest request;
  bool operator==(const ObjectRequest&) const = default;
};
struct ObjectReply {
  base::CallId call;
  ClientReply reply;
  bool operator==(const ObjectReply&) const = default;
};

/// Names a piece of staging to the worker that asked for it.
using StageToken = base::Id<struct StageTokenTag, std::uint64_t>;

/// Bring this object here and give me its bytes. Answered by Staged, always.
struct Stage {
  base::DeviceId device;  ///< the worker that asks
  StageToken token;
  ObjectRef object;
  bool operator==(const Stage&) const = default;
};
struct Staged {
  base::DeviceId device;
  StageToken token;
  bool ok{false};
  base::Bytes data;
  base::Error error;  ///< meaningful when not ok
  bool operator==(const Staged&) const = default;
};
/// Keep these outputs durably. Answered by Kept with one ObjectRef for each, in order.
struct Keep {
  base::DeviceId device;
  StageToken token;
  base::JobId job;
  std::vector<base::Bytes> data;
  bool operator==(const Keep&) const = default;
};
struct Kept {
  base::DeviceId device;
  StageToken token;
  std::vector<ObjectRef> objects;
  base::Error error;  ///< meaningful when there are no objects
  bool operator==(const Kept&) const = default;
};

/// A file that a command finds in its folder, at `path` below it.
struct FolderFile {
  std::string path;
  bool executable{false};
  Data data;
  bool operator==(const FolderFile&) const = default;
};
/// Make a command's folder and fill it. Answered by FolderReady, always.
struct PrepareFolder {
  base::DeviceId device;
  StageToken token;
  std::string folder;  ///< its name among the node's, one for each attempt of a task
  std::vector<FolderFile> files;
  bool operator==(const PrepareFolder&) const = default;
};
struct FolderReady {
  base::DeviceId device;
  StageToken token;
  bool ok{false};
  std::string path;   ///< on the host; meaningful when ok
  base::Error error;  ///< meaningful when not ok
  bool operator==(const FolderReady&) const = default;
};
/// Keep these files of the folder as results. Answered by FolderCollected, always.
struct CollectFolder {
  base::DeviceId device;
  StageToken token;
  base::JobId job;
  std::string folder;
  std::vector<std::string> outputs;  ///< paths below it; of a folder, all files below that
  bool partial{false};               ///< its command failed: outputs it never made are no fault
  bool operator==(const CollectFolder&) const = default;
};
struct OutputFile {
  std::string path;
  Data data;
  bool operator==(const OutputFile&) const = default;
};
struct FolderCollected {
  base::DeviceId device;
  StageToken token;
  bool ok{false};
  std::vector<OutputFile> outputs;
  base::Error error;  ///< meaningful when not ok
  bool operator==(const FolderCollected&) const = default;
};
/// The folder is not needed any more. Not answered.
struct DropFolder {
  std::string folder;
  bool operator==(const DropFolder&) const = default;
};

// --- store to shards -----------------------------------------------------------------------------

/// What the disk of the ledger has free. Said when it falls below the reserve that is kept for work
/// accepted already, when that has passed, and now and then in between.
struct DiskRoom {
  std::uint64_t free_bytes{};
  std::uint64_t reserve_bytes{};
  bool low{false};  ///< no new work is taken
  bool operator==(const DiskRoom&) const = default;
};

// --- with logs -----------------------------------------------------------------------------------

/// What tasks printed, and marks where attempts begin and end: said by a worker before it says that
/// the attempt has finished, so that who hears of its end finds all of it. Never answered: what the
/// store has no room for is counted there.
struct LogAppend {
  std::vector<base::LogRecord> records;
  bool operator==(const LogAppend&) const = default;
};
/// From the gateway. Answered by LogAnswer: a LogPart or an Error.
struct LogRead {
  base::CallId call;
  ReadLog request;
  bool operator==(const LogRead&) const = default;
};
struct LogAnswer {
  base::CallId call;
  ClientReply reply;
  bool operator==(const LogAnswer&) const = default;
};

}  // namespace fastgpu::protocol
