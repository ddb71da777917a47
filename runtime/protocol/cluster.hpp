#pragma once

/// Nodes and devices as they are told to others: plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/protocol/job.hpp"

namespace fastgpu::protocol {

enum class MemberState : std::uint8_t {
  active,
  draining,  ///< takes no new tasks; its replicas move to others
  removed,   ///< for good: nobody listens to it
};
/// "draining"
const char* to_word(MemberState state);

/// A member of the cluster, as the root shard records it.
struct NodeInfo {
  base::NodeId node;
  std::string name;       ///< chosen by the operator, unique in the cluster
  std::string address;    ///< the one address that people give: "127.0.0.1:7601"
  base::StoreId store{};  ///< of the disk with which it belongs to the cluster
  std::string key{};  ///< public, as text of 40 characters; empty where links are not authenticated
  MemberState state{MemberState::active};
  bool operator==(const NodeInfo&) const = default;
};

/// The nodes that should keep a shard's replicas; the first should lead. What a shard really has
/// is told by its own log.
struct ShardPlan {
  base::ShardId shard;
  std::vector<base::NodeId> replicas;
  bool operator==(const ShardPlan&) const = default;
};

/// Who may ask as a client.
struct ClientKey {
  std::string name;  ///< chosen by the operator, unique among clients
  std::string key;   ///< public, as in NodeInfo
  bool revoked{false};
  bool operator==(const ClientKey&) const = default;
};

/// Lets one node join, once. What people hold hashes to this.
struct JoinToken {
  base::ObjectHash hash;
  base::WallTimeMs expires_at_ms{};
  bool operator==(const JoinToken&) const = default;
};

/// A shard that a node leads now.
struct LedShard {
  base::ShardId shard;
  base::Epoch epoch;
  base::Term term;
  bool operator==(const LedShard&) const = default;
};

/// What a GPU's driver tells of it, a few seconds old. What it does not tell is left out.
struct DeviceTelemetry {
  std::uint64_t memory_bytes_used{};  ///< by whomever, the driver and strangers too
  std::optional<std::uint32_t> utilisation_percent;
  std::optional<std::uint32_t> temperature_celsius;
  std::optional<std::uint32_t> power_milliwatts;
  std::optional<std::uint64_t> ecc_errors;  ///< not corrected, since the driver was loaded
  std::uint64_t last_xid{};                 ///< the last that came in this life; 0 if none did
  std::string remark;  ///< a sentence on memory that does not come back; empty if there is none
  bool operator==(const DeviceTelemetry&) const = default;
};

/// What a device has promised, as its worker publishes it. Advice to everybody but that worker.
struct DeviceBooks {
  base::DeviceId device;
  base::Incarnation incarnation;  ///< of the node's life in which this was said
  std::uint64_t version{};        ///< grows with each change in one incarnation
  DeviceKind kind{DeviceKind::cpu};
  std::string model;
  std::string uuid;
  std::uint64_t memory_bytes_total{};
  std::uint64_t memory_bytes_free{};
  std::uint32_t slots_total{1};  ///< tasks that run at the same time
  std::uint32_t slots_free{1};
  std::uint32_t queued_tasks{};  ///< granted, not running yet
  std::uint32_t queue_room{};    ///< how many more tasks it would grant
  std::int64_t backlog_ns{};     ///< predicted time until the last granted task has ended
  bool healthy{true};
  std::string unhealthy_why;  ///< a sentence for people; empty while healthy
  /// Why it takes no commands, for people; empty while it takes them. Kernels are not concerned.
  std::string no_commands_why;
  std::optional<DeviceTelemetry> telemetry;  ///< none of a CPU, and before the driver has told
  bool operator==(const DeviceBooks&) const = default;
};

/// What others rely on a node for, as it says of itself: a node that drains hands it over first.
struct NodeDuties {
  std::uint32_t voting_replicas{};  ///< shards of which it has a replica that votes
  /// Objects that it answers for with fewer durable copies than there should be, one for each
  /// request or job that needs it. Copies that a submit or a task's end waits for are no part of
  /// it: of those nobody has been told yet that they are kept.
  std::uint64_t copies_due{};
  /// It has looked at all its objects since members came, went or changed last. False: more may be
  /// due than it says.
  bool copies_counted{false};
  bool operator==(const NodeDuties&) const = default;
};

/// A node as some other node sees it.
enum class NodeState : std::uint8_t { up, suspect, down };
const char* to_word(NodeState state);

struct NodeView {
  NodeInfo info;
  base::Incarnation incarnation;
  NodeState state{NodeState::up};
  std::int64_t age_ns{};  ///< since it was last heard of
  std::vector<LedShard> leads;
  std::vector<DeviceBooks> devices;
  std::optional<NodeDuties> duties{};  ///< none: it has not said, or does not know yet
  bool operator==(const NodeView&) const = default;
};

/// The drain of this node of `all` is over: nothing of the cluster is lost or waits when it stops.
/// It is up, has no replica that votes, no task and no copy that is due; nor is one due elsewhere,
/// since what another node lacks a copy of may be here.
bool is_drained(const NodeView& node, const std::vector<NodeView>& all);

}  // namespace fastgpu::protocol
