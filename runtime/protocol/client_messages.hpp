#pragma once

/// What a client asks a node, and the answers. A call number pairs them. Every request may be
/// repeated to any node: those that change something carry a RequestId and are done once.

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/log_record.hpp"
#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/protocol/job.hpp"
#include "runtime/protocol/records.hpp"

namespace fastgpu::protocol {

// --- requests ------------------------------------------------------------------------------------

/// First on a connection. Answered by Welcome.
struct Hello {
  std::uint16_t protocol_version{};
  std::string program;  ///< such as "fastgpu 0.1.0", for logs
  bool operator==(const Hello&) const = default;
};
/// Answered by Accepted, or an Error: nothing was accepted unless its kind is `unknown`.
struct Submit {
  base::RequestId request;
  SharedSpec spec;
  bool operator==(const Submit&) const = default;
};
/// Answered by JobList of all shards that could be asked.
struct ListJobs {
  bool finished_too{false};
  Labels labels{};  ///< only jobs that have all of these
  bool operator==(const ListJobs&) const = default;
};
/// Answered by JobDetail with the reports of at most `limits::listed_results_max` tasks.
struct ShowJob {
  base::JobId job;
  std::uint32_t first_task{};
  bool operator==(const ShowJob&) const = default;
};
/// Answered by JobList with this one job once it is terminal, or after `wait_ns` at the latest.
struct WaitJob {
  base::JobId job;
  std::int64_t wait_ns{};
  bool operator==(const WaitJob&) const = default;
};
/// Answered by JobList with the job as it is then; already finished is an Error.
struct CancelJob {
  base::RequestId request;
  base::JobId job;
  bool operator==(const CancelJob&) const = default;
};
/// Answered by ClusterStatus.
struct AskCluster {
  bool operator==(const AskCluster&) const = default;
};
/// A piece of an object, in order. Answered by PutReply.
struct PutChunk {
  base::ObjectHash hash;
  std::uint64_t size_bytes{};
  std::uint64_t offset{};
  base::Bytes data;
  bool operator==(const PutChunk&) const = default;
};
/// Answered by Chunk.
struct GetChunk {
  ObjectRef object;
  std::uint64_t offset{};
  std::uint32_t length{};
  bool operator==(const GetChunk&) const = default;
};
/// A new node asks for its place; passed on to the root. Answered by Joined.
struct Join {
  base::RequestId request;
  std::string name;
  std::string address;
  std::string token;
  base::StoreId store{};
  std::string key{};
  bool operator==(const Join&) const = default;
};
/// A member is drained, taken back into service, or removed. Answered by Recorded.
struct ChangeMember {
  base::RequestId request;  ///< of shard 0
  base::NodeId node;
  MemberState state{MemberState::active};
  bool force{false};  ///< remove it though it may still serve
  bool operator==(const ChangeMember&) const = default;
};
/// One node may join with the token that hashes to this. Answered by Recorded.
struct AddToken {
  base::RequestId request;  ///< of shard 0
  base::ObjectHash hash;
  std::int64_t valid_ns{};
  bool operator==(const AddToken&) const = default;
};
/// A client's key is let in, or (revoked) never more. Answered by Recorded.
struct SetClientKey {
  base::RequestId request;  ///< of shard 0
  ClientKey client;
  bool operator==(const SetClientKey&) const = default;
};

/// What the tasks of a job printed on one node, from a position on. Answered by LogPart as soon as
/// there is something, or when the wait is over.
struct ReadLog {
  base::NodeId node;
  base::JobId job;
  std::uint32_t task{};  ///< the only one that is wanted, unless `all_tasks`
  bool all_tasks{true};
  std::uint64_t cursor{};  ///< 0 at first, then LogPart::next_cursor of the same node and job
  std::int64_t wait_ns{};
  std::uint32_t bytes_max{base::limits::log_read_bytes_max};  ///< about; at least one record comes
  bool operator==(const ReadLog&) const = default;
};

using ClientRequest =
    std::variant<Hello, Submit, ListJobs, ShowJob, WaitJob, CancelJob, AskCluster, PutChunk,
                 GetChunk, Join, ReadLog, ChangeMember, AddToken, SetClientKey>;

/// Of a request that changes something; null of the others.
template <class Request>
auto* request_id_of(Request& request) {
  using IdPointer =
      std::conditional_t<std::is_const_v<Request>, const base::RequestId*, base::RequestId*>;
  return std::visit(
      [](auto& known) -> IdPointer {
        if constexpr (requires { known.request; }) {
          return &known.request;
        } else {
          return nullptr;
        }
      },
      request);
}

// --- replies -------------------------------------------------------------------------------------

struct Welcome {
  std::uint16_t protocol_version{};
  base::ClusterId cluster;
  NodeInfo node;
  base::Incarnation incarnation;
  std::uint32_t shard_count{};
  std::vector<base::ShardId> leads;  ///< shards whose leader is this node: submit there
  std::vector<NodeInfo> members;
  bool operator==(const Welcome&) const = default;
};
struct Accepted {
  base::JobId job;
  bool operator==(const Accepted&) const = default;
};
struct JobSummary {
  base::JobId job;
  std::string name;
  TaskState state{TaskState::pending};
  std::array<std::uint32_t, task_state_count> counts{};  ///< tasks by TaskState
  DeviceKind kind{DeviceKind::any};
  base::WallTimeMs submitted_at_ms{};
  base::WallTimeMs finished_at_ms{};  ///< 0 while live
  std::vector<base::NodeId> nodes;    ///< where tasks run or ran, ascending
  WaitingReason waiting;              ///< of its pending tasks
  std::int64_t device_ns{};           ///< used so far
  Labels labels;
  bool operator==(const JobSummary&) const = default;
};
struct JobList {
  std::vector<JobSummary> jobs;     ///< by id
  std::uint64_t finished_hidden{};  ///< finished ones that were not asked for
  std::uint32_t
      shards_unanswered{};  ///< shards without a leader that answered: the list lacks them
  base::NodeId source;      ///< the node that answered
  bool operator==(const JobList&) const = default;
};
/// An attempt as the ledger recorded it.
struct AttemptInfo {
  base::AttemptId attempt;
  std::vector<base::TaskRange> ranges;
  base::DeviceId device;
  PlaceCause cause{PlaceCause::first};
  bool operator==(const AttemptInfo&) const = default;
};
struct JobDetail {
  JobSummary summary;
  SharedSpec spec;
  std::vector<TaskReport> reports;    ///< terminal tasks from `first_task` on, by task
  std::uint32_t next_task{};          ///< ask again from here; equal to the task count at the end
  std::vector<AttemptInfo> attempts;  ///< newest last, at most limits::listed_results_max
  base::NodeId source;
  bool operator==(const JobDetail&) const = default;
};
struct ClusterStatus {
  base::ClusterId cluster;
  base::NodeId source;
  std::vector<NodeView> nodes;      ///< by id
  base::WallTimeMs wall_time_ms{};  ///< of the node that answered, when it did; 0 = not said
  bool operator==(const ClusterStatus&) const = default;
};
struct PutReply {
  ObjectRef object;                ///< `home` is the node that has it, once complete
  std::uint64_t received_bytes{};  ///< go on from here
  bool complete{false};
  bool operator==(const PutReply&) const = default;
};
struct Chunk {
  ObjectRef object;
  std::uint64_t offset{};
  base::Bytes data;
  bool operator==(const Chunk&) const = default;
};
struct Joined {
  base::ClusterId cluster;
  NodeInfo self;
  std::uint32_t shard_count{};
  std::vector<NodeInfo> members;
  bool operator==(const Joined&) const = default;
};

struct LogPart {
  std::vector<base::LogRecord> records;  ///< in the order in which the node wrote them
  std::uint64_t next_cursor{};           ///< go on from here
  base::NodeId node;                     ///< whose log it is
  bool at_end{false};                    ///< there was nothing behind these records
  std::uint64_t dropped_bytes{};         ///< output of the job that this node did not keep
  bool operator==(const LogPart&) const = default;
};

/// It is done, for good.
struct Recorded {
  bool operator==(const Recorded&) const = default;
};

using ClientReply = std::variant<base::Error, Welcome, Accepted, JobList, JobDetail, ClusterStatus,
                                 PutReply, Chunk, Joined, LogPart, Recorded>;

}  // namespace fastgpu::protocol
