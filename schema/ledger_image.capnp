# A snapshot of a shard: its whole ledger after an entry of its log. Not a conversation; the reader
# is a later life of the same program, possibly years newer, or another replica of the shard.
#
# The shard sets every field from the state that it has applied. The log keeps the snapshot with its
# index and a checksum, in place of all entries up to that index, which then may be dropped. So what
# the entries said and a later start needs must be in here; and what a field means may never change
# (schema/rules.md, "How it grows").

@0xd4b39f5fe6c448c1;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";
using Job = import "/schema/job.capnp";
using Cluster = import "/schema/cluster.capnp";
using Record = import "/schema/record.capnp";

struct LedgerImage {
  formatVersion @0 :UInt16;
  # 1. Raised by the rule of Entry.formatVersion.

  applied @1 :UInt64;
  # The index of the last entry that it contains.

  nextJobSequence @2 :UInt64;
  # Of the next job to be accepted, from 1; a job id is this * shard count + shard.

  jobs @3 :List(JobImage);
  # Live ones and finished ones that are kept, by id.

  finished @4 :List(UInt64);
  # Ids of the finished jobs among them, in the order in which they finished.

  members @5 :List(MemberImage);
  # By node id, from 1 without gap. Root shard only; empty in others.

  membersVersion @6 :UInt64;
  # The index of the entry that changed the members last; 0 if none did.

  plan @7 :List(Cluster.ShardPlan);
  # By shard. Root shard only, as the lists below.

  clients @8 :List(Cluster.ClientKey);
  # By name.

  tokens @9 :List(Cluster.JoinToken);
  # Not used yet, by hash.

  replicas @10 :UInt32;
  # Of each shard, where there are nodes enough, as the last ReplicasRecord says; 0: none was
  # recorded, which means 3.
}

struct JobImage {
  job @0 :UInt64;

  request @1 :Common.RequestId;
  # Of the submit that made it.

  cancelRequest @2 :Common.RequestId;
  # Of the cancel that ended it; absent if none did.

  spec @3 :Job.JobSpec;

  submittedAtMs @4 :Int64;
  finishedAtMs @5 :Int64;
  # Milliseconds since 1970 UTC, as recorded; for people. 0 while live.

  acceptedBy @6 :UInt32;
  # The node that the client spoke with.

  deviceNs @7 :Int64;
  # Device time counted so far, in nanoseconds.

  tasks @8 :List(TaskSegment);
  # From task 0 to the last without gap, in order.

  attempts @9 :List(AttemptImage);
  # Ascending.

  outcomes @10 :List(Job.TaskOutcome);
  # What the segments point to: an outcome that several share is kept once.

  waitsFor @11 :List(Job.Dependency);
  # Those of JobSpec.after that are not known to be fulfilled. Empty: nothing keeps its tasks from
  # being placed, or it is finished.
}

enum TaskPhase {
  ready @0;   # waits for a device; attempts up to the floor are over
  placed @1;  # the attempt at the floor may run it
  ended @2;   # terminal for good
}

struct TaskSegment {
  # Neighbouring tasks that are alike.

  range @0 :Common.TaskRange;
  phase @1 :TaskPhase;

  nextCause @2 :Record.PlaceCause;
  # Of the next placement; valid while ready.

  ownFailures @3 :UInt32;
  # Attempts that failed by the job's own fault.

  nodeFailures @4 :UInt32;
  # Attempts that were lost with their node or device.

  floor @5 :Common.AttemptId;
  # The greatest attempt that was placed or heard of; absent if none was.

  device @6 :Common.DeviceId;
  incarnation @7 :UInt64;
  # Of the floor.

  outcome @8 :UInt32;
  # 1 + the index in JobImage.outcomes. 0 exactly while not ended.
}

struct AttemptImage {
  # An attempt and how much of its usage is counted.

  attempt @0 :Common.AttemptId;
  device @1 :Common.DeviceId;

  ranges @2 :List(Common.TaskRange);
  # As placed; empty where that was never recorded.

  released @3 :List(Common.TaskRange);
  # Tasks whose usage is counted.

  cause @4 :Record.PlaceCause;
  # Of its placement; `first` in images that were written before this was kept.
}

struct MemberImage {
  request @0 :Common.RequestId;
  # Of the join that made it.

  info @1 :Cluster.NodeInfo;
}
