# What the log of a shard holds on disk. Not a conversation: the reader is a later life of the same
# program, possibly years newer.
#
# The leader of the shard sets every field when it proposes the entry; nothing changes afterwards.
# The log around an entry keeps shard, epoch, term and index with a checksum and a chain to the
# entry before, so they are not repeated here. Entries are applied in log order, the records of an
# entry in list order; applying the same entries gives the same state on every replica and at every
# start, so a field may never come to mean something else (schema/rules.md, "How it grows").

@0x90e98376116cefa6;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";
using Job = import "/schema/job.capnp";
using Cluster = import "/schema/cluster.capnp";

struct Entry {
  formatVersion @0 :UInt16;
  # 1. Raised when a record is added that an older program cannot apply, or must not skip: an older
  # program then refuses to open the log instead of guessing. Every later program reads every lower
  # version.

  records @1 :List(Record);
  # Applied together, in order. Empty is the no-op with which a leader starts its term.
}

struct Record {
  union {
    unset @0 :Void;  # never written
    submit @1 :SubmitRecord;
    placed @2 :PlacedRecord;
    finish @3 :FinishRecord;
    released @4 :ReleasedRecord;
    cancel @5 :CancelRecord;
    giveUp @6 :GiveUpRecord;
    member @7 :MemberRecord;
    dependency @8 :DependencyRecord;
    memberState @9 :MemberStateRecord;
    token @10 :TokenRecord;
    clientKey @11 :ClientKeyRecord;
    replicas @12 :ReplicasRecord;
  }
}

struct SubmitRecord {
  # A job is accepted. Its id is given when this is applied: the shard's next sequence. The same
  # request a second time changes nothing.

  request @0 :Common.RequestId;
  # From the client's Submit.

  spec @1 :Job.JobSpec;

  submittedAtMs @2 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; for people.

  acceptedBy @3 :UInt32;
  # The node that the client spoke with.
}

enum PlaceCause {
  first @0;
  userRetry @1;    # the last attempt failed by its own fault: counts against `retries`
  nodeFailure @2;  # lost with its node, device or executor: counts against `crashLimit`
  refused @3;      # never granted: not counted
}

struct PlacedRecord {
  # Tasks are given to a device under a new attempt, which becomes their floor.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  ranges @2 :List(Common.TaskRange);
  device @3 :Common.DeviceId;

  incarnation @4 :UInt64;
  # The life of the device's node that may run it.

  cause @5 :PlaceCause;
}

struct FinishRecord {
  # What an attempt made of tasks. Counts for tasks that are live and whose floor it reaches.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  reports @2 :List(Job.TaskReport);
  # As the worker sent them.

  finishedAtMs @3 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; for people.
}

struct ReleasedRecord {
  # Usage of an attempt by some of its tasks, counted once per task; valid after a cancel or a
  # supersession too.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  device @2 :Common.DeviceId;
  ranges @3 :List(Common.TaskRange);

  deviceNs @4 :Int64;
  # Nanoseconds for which these tasks together held the device.
}

struct CancelRecord {
  # All live tasks of the job are cancelled.

  request @0 :Common.RequestId;
  # From the client's CancelJob.

  job @1 :UInt64;

  cancelledAtMs @2 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; for people.
}

struct GiveUpRecord {
  # Live tasks end as `lost`: the cluster gives up on them.

  job @0 :UInt64;
  ranges @1 :List(Common.TaskRange);
  reason @2 :Job.FailureReason;

  message @3 :Text;
  # For people: what happened, with its numbers.

  givenUpAtMs @4 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; for people.
}

struct MemberRecord {
  # Root shard only: a node is a member. The same request twice gives the same id; a name that
  # another request took is refused.

  request @0 :Common.RequestId;
  # From the new node's Join.

  info @1 :Cluster.NodeInfo;
  # With node 0: the next free id is given when this is applied.

  token @2 :Data;
  # Hash of the JoinToken that this uses up, 32 bytes; absent: none was needed.

  joinedAtMs @3 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; the token must not have expired by then.
}

struct MemberStateRecord {
  # Root shard only: a member is drained, taken back, or removed for good.

  request @0 :Common.RequestId;
  # From the client's ChangeMember.

  node @1 :UInt32;
  state @2 :Cluster.MemberState;
}

struct TokenRecord {
  # Root shard only: one node may join with it. A known one changes nothing.

  request @0 :Common.RequestId;
  # From the client's AddToken.

  token @1 :Cluster.JoinToken;

  madeAtMs @2 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; tokens that expired before are forgotten.
}

struct ClientKeyRecord {
  # Root shard only: a client's key is let in, or never more. A name keeps its key.

  request @0 :Common.RequestId;
  # From the client's SetClientKey.

  client @1 :Cluster.ClientKey;
}

struct ReplicasRecord {
  # Root shard only: how many replicas each shard has where there are nodes enough.

  request @0 :Common.RequestId;
  # Of the founding.

  replicas @1 :UInt32;
  # 1, 3 or 5; anything else is refused.
}

struct DependencyRecord {
  # How a job ended that another one waits for (JobSpec.after). Conditions that this fulfils are
  # waited for no longer; if one can never be fulfilled, all live tasks of the waiting job are
  # cancelled. A second one of the same two jobs changes nothing.

  job @0 :UInt64;
  # That waits. It is of this shard; the other one may be of any.

  parent @1 :Job.JobStanding;
  # Final: its state is terminal, or it is not known.

  recordedAtMs @2 :Int64;
  # Milliseconds since 1970 UTC by the leader's clock; for people. Of the waiting job's end, where
  # this ends it.
}
