# Nodes and devices as they are told to others.
#
# A worker publishes the books of its device, the node's monitor sends them with each heartbeat, and
# the monitors that hear them keep them as their view. All of it is advice: only the worker of a
# device knows what it can still grant, and only the root shard knows who is a member.

@0xc39fa4d14fe87e24;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";
using Job = import "/schema/job.capnp";

struct NodeInfo {
  # A member, as the root shard records it.

  node @0 :UInt32;
  # Given by the root shard, from 1, never reused. 0 in a MemberRecord that asks for the next one.

  name @1 :Text;
  # Chosen by the operator, unique in the cluster; at most 256 bytes.

  address @2 :Text;
  # The one address that people give, host and port: "127.0.0.1:7601".

  store @3 :UInt64;
  # Of the disk with which it belongs to the cluster: drawn at random by the node before it joins.
  # 0: it has none that counts.

  key @4 :Text;
  # Its public key, 40 characters of Z85; empty where links are not authenticated.

  state @5 :MemberState;
  # Set by the root shard.
}

enum MemberState {
  active @0;
  draining @1;  # takes no new tasks; its replicas move to others
  removed @2;   # for good: nobody listens to it
}

struct ShardPlan {
  # Set by the root shard: where a shard's replicas should be. Where they are is told by the log of
  # the shard itself.

  shard @0 :UInt32;

  replicas @1 :List(UInt32);
  # Nodes; the first should lead. At most 64.
}

struct ClientKey {
  # Who may ask as a client.

  name @0 :Text;
  # Chosen by the operator, unique among clients; at most 256 bytes.

  key @1 :Text;
  # As NodeInfo.key.

  revoked @2 :Bool;
}

struct JoinToken {
  # Lets one node join, once.

  hash @0 :Data;
  # SHA-256 of what the operator holds, 32 bytes.

  expiresAtMs @1 :Int64;
  # Milliseconds since 1970 UTC by the clock of the root shard's leader.
}

struct LedShard {
  # Set by a node about itself: a shard that it leads now.

  shard @0 :UInt32;
  epoch @1 :UInt64;
  term @2 :UInt64;
}

struct DeviceTelemetry {
  # What a GPU's driver tells of it. -1: it does not tell.

  memoryBytesUsed @0 :UInt64;
  # By whomever, the driver and processes of others too.

  utilisationPercent @1 :Int32 = -1;
  temperatureCelsius @2 :Int32 = -1;
  powerMilliwatts @3 :Int32 = -1;

  eccErrors @4 :Int64 = -1;
  # Not corrected, since the driver was loaded.

  lastXid @5 :UInt64;
  # The last that came in this life of the node; 0 if none did.

  remark @6 :Text;
  # A short sentence for people on memory that does not come back; empty if there is none.
}

struct DeviceBooks {
  # Set by the worker of the device, whole, each time.

  device @0 :Common.DeviceId;

  incarnation @1 :UInt64;
  # The life of the worker's node in which this was said.

  version @2 :UInt64;
  # Grows with each change within one incarnation; an older one than is known is ignored.

  kind @3 :Job.DeviceKind;
  # Never `any`.

  model @4 :Text;
  uuid @5 :Text;
  # As the driver names them, at most 256 bytes; fixed for one incarnation.

  memoryBytesTotal @6 :UInt64;
  memoryBytesFree @7 :UInt64;
  # Free means: not promised to any granted task. At most the total.

  slotsTotal @8 :UInt32;
  slotsFree @9 :UInt32;
  # Tasks that run at the same time. Free is at most the total.

  queuedTasks @10 :UInt32;
  # Granted and not running yet.

  queueRoom @11 :UInt32;
  # How many more tasks the worker would grant.

  backlogNs @12 :Int64;
  # Predicted nanoseconds until the last granted task has ended.

  healthy @13 :Bool;
  # False: it grants nothing.

  unhealthyWhy @14 :Text;
  # A sentence for people, short, since it rides in every heartbeat; empty while healthy.

  noCommandsWhy @15 :Text;
  # Set by the worker while it grants no commands, as a sentence of the same kind; kernels are not
  # concerned. Empty: it takes them.

  telemetry @16 :DeviceTelemetry;
  # Set by the worker of a GPU once its driver has told; else absent.
}

struct NodeDuties {
  # Set by a node about itself: what others rely on it for, and a node that drains hands over first.

  votingReplicas @0 :UInt32;
  # Shards of which it has a replica that votes.

  copiesDue @1 :UInt64;
  # Objects that it answers for with fewer durable copies than there should be, one for each request
  # or job that needs it; without those that a submit or a task's end waits for still.

  copiesCounted @2 :Bool;
  # It has looked at all its objects since members came, went or changed last. False: more may be
  # due than it says.
}

enum NodeState {
  up @0;
  suspect @1;  # not heard of for a while
  down @2;     # counted as dead
}

struct NodeView {
  # A node as the answering node sees it.

  info @0 :NodeInfo;

  incarnation @1 :UInt64;
  # The latest that was heard; 0 if none was.

  state @2 :NodeState;

  ageNs @3 :Int64;
  # Nanoseconds since it was last heard of, by the answering node's clock; 0 for itself.

  leads @4 :List(LedShard);
  # As of its last heartbeat, by shard.

  devices @5 :List(DeviceBooks);
  # As of its last heartbeat, by ordinal.

  duties @6 :NodeDuties;
  # As of its last heartbeat; `copiesCounted` only if that was by the list of members that the
  # answering node knows. Absent: it has not said.
}
