# The conversation of nodes with each other.
#
#   monitor  -> monitor   Heartbeat to every member; MembersAsk when the other's list is newer, and
#                         Members in answer
#   leader   -> worker    Assign; answered by AssignReply: granted or refused, with exact books
#   worker   -> leader    Finish, sent again until Settled
#   worker   -> leader    Renew, with all that it holds; answered by Renewed, with what to stop
#   leader   -> worker    Stop: cancelled or superseded
#   leader   -> all       Adopt, once its first entry is committed: refuse lower terms, report to me
#   objects  -> objects   ObjectFetch; answered by ObjectPart
#   gateway  -> gateway   Forward, a client's request for a shard that is led there; ForwardReply
#   gateway  -> objects   ObjectPin, before a submit is proposed; answered by ObjectPinned
#   objects  -> leader    PinCheck: whose pins need not stand; answered by PinAnswer
#   objects  -> objects   KeepCopies; answered by CopiesKept: see copies.capnp
#   leader   -> leader    DependencyAsk, for jobs that others wait for; answered by DependencyAnswer
#   replica  -> replica   RaftMessage, one or several in a frame: see raft.capnp
#
# Every message may be lost, repeated or late. Who receives one twice answers from its books and
# does nothing twice. "Leader" is the leader of a shard, "worker" the one actor of a device.
#
# The frame around a message names the cluster, the sending node and its incarnation; a receiver
# refuses frames of another cluster or of a lower incarnation than it has heard of. What concerns a
# shard names that shard with epoch and term, alone or inside an attempt.

@0xfe00852b701d2376;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";
using Job = import "/schema/job.capnp";
using Cluster = import "/schema/cluster.capnp";
using Client = import "/schema/client.capnp";
using Raft = import "/schema/raft.capnp";
using Copies = import "/schema/copies.capnp";

struct PeerMessage {
  union {
    unset @0 :Void;            # never sent
    heartbeat @1 :Heartbeat;
    membersAsk @2 :Void;       # send me your list of members: yours is newer
    members @3 :Members;
    assign @4 :Assign;
    stop @5 :Stop;
    adopt @6 :Adopt;
    settled @7 :Settled;
    renewed @8 :Renewed;
    assignReply @9 :AssignReply;
    finish @10 :Finish;
    renew @11 :Renew;
    objectFetch @12 :ObjectFetch;
    objectPart @13 :ObjectPart;
    forward @14 :Forward;
    forwardReply @15 :ForwardReply;
    objectPin @16 :ObjectPin;
    objectPinned @17 :ObjectPinned;
    pinCheck @18 :PinCheck;
    pinAnswer @19 :PinAnswer;
    dependencyAsk @20 :DependencyAsk;
    dependencyAnswer @21 :DependencyAnswer;
    raft @22 :Raft.RaftMessage;
    raftBatch @23 :List(Raft.RaftMessage);
    keepCopies @24 :Copies.KeepCopies;
    copiesKept @25 :Copies.CopiesKept;
  }
}

# --- monitor to monitor --------------------------------------------------------------------------

struct Heartbeat {
  # I live, I lead these, my devices stand so. Sent each heartbeat interval.

  self @0 :Cluster.NodeInfo;
  leads @1 :List(Cluster.LedShard);
  devices @2 :List(Cluster.DeviceBooks);

  membersVersion @3 :UInt64;
  # Members.version of the list that the sender has on its disk; 0 if none.

  duties @4 :Cluster.NodeDuties;
  # Set once all replicas and the objects of the sender have told it how they stand; absent before.
}

struct Members {
  version @0 :UInt64;
  # The index in the root shard's log of the entry that changed the list last.

  members @1 :List(Cluster.NodeInfo);
  # All of them, by id; also the removed ones, whose ids are never given again.

  plan @2 :List(Cluster.ShardPlan);
  # By shard.

  clients @3 :List(Cluster.ClientKey);
  # By name.

  tokens @4 :List(Cluster.JoinToken);
  # Not used yet, by hash: whoever has the key with such a hash may ask to join, at any node.

  replicas @5 :UInt32;
  # Of each shard, where there are nodes enough; 0: nobody asked for another number than 3.
}

# --- shard leader to worker: every field is set by the leader ------------------------------------

struct Assign {
  # Run these tasks under this attempt, if your books allow it.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  ranges @2 :List(Common.TaskRange);
  # At least one; ascending, not overlapping.

  device @3 :Common.DeviceId;

  incarnation @4 :UInt64;
  # The life of the worker's node that is meant; in any other it is refused.

  spec @5 :Job.JobSpec;

  startBeforeNs @6 :Int64;
  # Of commands: from this moment of the worker's own clock on (Renew.askedAtNs plus the lease that
  # was answered last), the worker starts them only when a Renew that listed the attempt was
  # answered, since they may have been placed anew. 0: always so.

  lostBefore @7 :Bool;
  # A node was lost that had them: they had had their turn, and go before all that have not.
}

struct Stop {
  # Stop these tasks, or forget them: cancelled, superseded or terminal. Answered by Finish, or by
  # leaving them out of the next Renew.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  device @2 :Common.DeviceId;
  ranges @3 :List(Common.TaskRange);
}

struct Adopt {
  # I lead this shard now. Answered by Renew and by repeating every unsettled Finish.

  shard @0 :UInt32;
  epoch @1 :UInt64;
  term @2 :UInt64;
}

struct Settled {
  # Your Finish of these tasks is decided for good, recorded or refused by the fence: forget it.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  device @2 :Common.DeviceId;
  ranges @3 :List(Common.TaskRange);
}

struct Renewed {
  # The answer to a Renew, after a quorum round that began after the Renew came.

  shard @0 :UInt32;
  epoch @1 :UInt64;
  term @2 :UInt64;
  # Of the leader that grants it.

  device @3 :Common.DeviceId;

  askedAtNs @4 :Int64;
  # Renew.askedAtNs, given back. The lease counts from here, on the worker's own clock.

  leaseNs @5 :Int64;
  # How long it holds, in nanoseconds.

  stop @6 :List(Stop);
  # Attempts that the worker listed and should not go on with.

  commandLeaseNs @7 :Int64;
  # How long running commands may go on, in nanoseconds from askedAtNs on, where JobSpec.leaseNs
  # does not say it; 0: they are not renewed.
}

# --- worker to shard leader: every field is set by the worker ------------------------------------

enum RefusalReason {
  none @0;              # granted
  staleIncarnation @1;  # the Assign meant another life of the node
  staleAttempt @2;      # a lower epoch or term than seen, or not above the newest of a task
  noMemory @3;
  queueFull @4;
  wrongDeviceKind @5;
  unhealthy @6;         # or, for commands, it takes none now; its books say why
  draining @7;
}

struct AssignReply {
  # All of the attempt's tasks are granted, or none.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  device @2 :Common.DeviceId;
  refused @3 :RefusalReason;

  books @4 :Cluster.DeviceBooks;
  # After the decision.

  grantedAtNs @5 :Int64;
  # The worker's own clock at the grant, in nanoseconds; 0 when refused. A Renew that was asked
  # later (Renew.askedAtNs is greater) lists the attempt, or the worker has it no more.
}

struct Finish {
  # Outcomes, sent again until Settled names their tasks.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  device @2 :Common.DeviceId;
  reports @3 :List(Job.TaskReport);

  deviceNs @4 :Int64;
  # Nanoseconds for which the device was held for these tasks.
}

struct HeldAttempt {
  # Tasks of an attempt that the worker has: waiting, running, or ended and not settled.

  attempt @0 :Common.AttemptId;
  job @1 :UInt64;
  ranges @2 :List(Common.TaskRange);
  # All of them.

  running @3 :List(Common.TaskRange);
  # Those launched and not ended.

  waiting @4 :Job.WaitingReason;
  # Why others of them wait, where it is not for their turn: inputs whose holder is away. Absent
  # otherwise.
}

struct Renew {
  # Give me a lease of this shard; this is all that I hold of it.

  shard @0 :UInt32;
  epoch @1 :UInt64;
  term @2 :UInt64;
  # The highest that the worker has seen of the shard; a leader of a higher one answers with that.

  device @3 :Common.DeviceId;
  incarnation @4 :UInt64;

  askedAtNs @5 :Int64;
  # The worker's own clock when it sent this, in nanoseconds; means nothing to the leader.

  held @6 :List(HeldAttempt);
}

# --- objects to objects --------------------------------------------------------------------------

struct ObjectFetch {
  hash @0 :Data;
  # SHA-256 of the object, 32 bytes.

  offset @1 :UInt64;
  length @2 :UInt32;
  # The piece that is wanted, in bytes; the answer may be shorter.
}

struct ObjectPart {
  hash @0 :Data;
  offset @1 :UInt64;
  # As asked.

  sizeBytes @2 :UInt64;
  # Of the whole object; 0 with `missing`.

  missing @3 :Bool;
  # True: the sender does not have it, and `data` is empty.

  data @4 :Data;
  # At most 1 MiB.
}

# --- gateway to gateway --------------------------------------------------------------------------

struct Forward {
  call @0 :UInt64;
  # The asking gateway's own number for it, not the client's.

  request @1 :Client.ClientRequest;
  # As the client sent it.
}

struct ForwardReply {
  call @0 :UInt64;
  # Forward.call, given back.

  reply @1 :Client.ClientReply;
}

# --- pins: gateway to objects, objects to shard leader -------------------------------------------

struct ObjectPin {
  # Keep these inputs of a submit; what is not there is brought there first. Set by the gateway that
  # a client asked.

  call @0 :UInt64;
  # The asking gateway's own number for the submit.

  request @1 :Common.RequestId;
  # Of the submit; whose pins these are.

  unusedHashes @2 :List(Data);
  # Unused since version 1: `objects` has them.

  part @3 :UInt32;
  # Of the submit's inputs, from 1: each part is asked of one node.

  objects @4 :List(Common.ObjectRef);
}

struct ObjectPinned {
  # All of them are pinned durably, or none. Set by the node that was asked.

  call @0 :UInt64;

  ok @1 :Bool;

  error @2 :Common.Error;
  # Why not; means nothing with `ok`.

  part @3 :UInt32;
  # ObjectPin.part, given back like .call.
}

struct PinCheck {
  # Which of these does the shard's ledger not name (any more)? Set by the node that has their pins.

  shard @0 :UInt32;
  question @1 :UInt64;
  # The asking node's own number, each greater than the one before in a life of the node.

  requests @2 :List(Common.RequestId);
  # Submits whose inputs are pinned.

  jobs @3 :List(UInt64);
  # Jobs whose outputs are pinned.
}

struct PinAnswer {
  # Set by the shard's leader, after a quorum round that began after the PinCheck came.

  shard @0 :UInt32;
  epoch @1 :UInt64;
  term @2 :UInt64;
  # Of the leader that answers.

  question @3 :UInt64;
  # PinCheck.question, given back.

  goneRequests @4 :List(Common.RequestId);
  goneJobs @5 :List(UInt64);
  # Those of the question that the ledger does not name: their pins may go.
}

# --- shard leader to shard leader ----------------------------------------------------------------

struct DependencyAsk {
  # How do these jobs of your shard stand? Jobs of the asking shard wait for them. Asked again at an
  # interval until they have ended.

  shard @0 :UInt32;
  # Of the jobs that are asked for.

  asker @1 :UInt32;
  askerEpoch @2 :UInt64;
  askerTerm @3 :UInt64;
  # The shard and the leadership that asks.

  number @4 :UInt64;
  # Of the ask in that leadership, growing: what is answered as never accepted concerns only jobs
  # that waited when this was asked.

  jobs @5 :List(UInt64);
  # At most 4096.
}

struct DependencyAnswer {
  # After a quorum round that began after the ask came.

  asker @0 :UInt32;
  askerEpoch @1 :UInt64;
  askerTerm @2 :UInt64;
  number @3 :UInt64;
  # As the ask had them; an answer to another leadership is ignored.

  shard @4 :UInt32;
  epoch @5 :UInt64;
  term @6 :UInt64;
  # The leadership that answers; one below what is known of the shard is ignored.

  jobs @7 :List(Job.JobStanding);
  # One for each job that was asked for.
}
