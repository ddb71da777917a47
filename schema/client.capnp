# The conversation of a client with a node.
#
#   client                              node (its gateway)
#   Hello                          ->
#                                  <-   Welcome: who it is, which shards it leads, the members
#   PutChunk ... PutChunk          ->                             (inputs too large to ride along)
#                                  <-   PutReply
#   Submit {request, spec}         ->
#                                  <-   Accepted {job}, once a majority has it on disk
#   WaitJob | ShowJob | ListJobs   ->
#                                  <-   JobList | JobDetail
#   GetChunk                       ->
#                                  <-   Chunk                     (outputs too large for the record)
#   ReadLog                        ->
#                                  <-   LogPart                   (what tasks printed; a long poll)
#
# Each request is a ClientCall with a number that the client chooses; its answer is a ClientAnswer
# with the same number. Answers may overtake each other. Any request may be sent again, to any node,
# under a new call number: those that change something carry a RequestId and are done once.
# A node that does not lead the shard concerned, or is not the node whose log is wanted, passes the
# request on (peer.capnp, Forward).
#
# The frame around a message names the cluster, the sending node (0 for a client) and its
# incarnation, so they are not repeated here.

@0xc8fd1be615fbdbde;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";
using Job = import "/schema/job.capnp";
using Cluster = import "/schema/cluster.capnp";
using Log = import "/schema/log.capnp";
using Record = import "/schema/record.capnp";

struct ClientCall {
  call @0 :UInt64;
  # Chosen by the client, growing within a session.

  request @1 :ClientRequest;
}

struct ClientAnswer {
  call @0 :UInt64;
  # The call's number, given back by the node.

  reply @1 :ClientReply;
}

# --- requests: every field is set by the client --------------------------------------------------

struct ClientRequest {
  union {
    unset @0 :Void;        # never sent
    hello @1 :Hello;
    submit @2 :Submit;
    listJobs @3 :ListJobs;
    showJob @4 :ShowJob;
    waitJob @5 :WaitJob;
    cancelJob @6 :CancelJob;
    askCluster @7 :Void;   # answered by ClusterStatus
    putChunk @8 :PutChunk;
    getChunk @9 :GetChunk;
    join @10 :Join;
    readLog @11 :Log.ReadLog;
    changeMember @12 :ChangeMember;
    addToken @13 :AddToken;
    setClientKey @14 :SetClientKey;
  }
}

struct Hello {
  # First on a connection. Answered by Welcome.

  protocolVersion @0 :UInt16;
  # The highest that the client speaks.

  program @1 :Text;
  # Such as "fastgpu 0.1.0"; for logs, at most 256 bytes.
}

struct Submit {
  # Answered by Accepted, or by an Error: nothing was accepted unless its kind is `unknown`.

  request @0 :Common.RequestId;
  spec @1 :Job.JobSpec;
}

struct ListJobs {
  # Answered by JobList of all shards that could be asked.

  finishedToo @0 :Bool;
  # Terminal jobs as well; otherwise they are only counted.

  labels @1 :List(Job.Define);
  # Only jobs that have all of these; at most 32.
}

struct ShowJob {
  # Answered by JobDetail.

  job @0 :UInt64;

  firstTask @1 :UInt32;
  # Reports of tasks from this one on; 0 first, then JobDetail.nextTask.
}

struct WaitJob {
  # Answered by JobList with this one job once it is terminal, or when the time is over.

  job @0 :UInt64;

  waitNs @1 :Int64;
  # At most this many nanoseconds from the arrival of the request; more than ten years is ten years.
}

struct CancelJob {
  # Answered by JobList with the job as it is then. One that has finished is an Error.

  request @0 :Common.RequestId;
  job @1 :UInt64;
}

struct PutChunk {
  # A piece of an object, in order from 0. Answered by PutReply.

  hash @0 :Data;
  # SHA-256 of the whole object, 32 bytes.

  sizeBytes @1 :UInt64;
  # Of the whole object.

  offset @2 :UInt64;
  # Where this piece begins, in bytes.

  data @3 :Data;
  # At most 1 MiB.
}

struct GetChunk {
  # Answered by Chunk.

  object @0 :Common.ObjectRef;
  # As an outcome or PutReply named it.

  offset @1 :UInt64;
  length @2 :UInt32;
  # In bytes; the answer may be shorter.
}

struct Join {
  # A new node asks for its place; passed on to the leader of the root shard. Answered by Joined.

  request @0 :Common.RequestId;
  # Of shard 0.

  name @1 :Text;
  address @2 :Text;
  # As in NodeInfo, chosen by the operator of the new node.

  token @3 :Text;
  # The join token that a member gave out; at most 256 bytes.

  store @4 :UInt64;
  key @5 :Text;
  # As in NodeInfo, of the new node.
}

struct ChangeMember {
  # A member is drained, taken back into service, or removed; for the root. Answered by Recorded.

  request @0 :Common.RequestId;
  # Of shard 0.

  node @1 :UInt32;
  state @2 :Cluster.MemberState;

  force @3 :Bool;
  # Remove it though it may still serve.
}

struct AddToken {
  # One node may join with the token that hashes to this; for the root. Answered by Recorded.

  request @0 :Common.RequestId;
  # Of shard 0.

  hash @1 :Data;
  # SHA-256, 32 bytes.

  validNs @2 :Int64;
  # Nanoseconds from the arrival of the request on.
}

struct SetClientKey {
  # A client's key is let in, or (revoked) never more; for the root. Answered by Recorded.

  request @0 :Common.RequestId;
  # Of shard 0.

  client @1 :Cluster.ClientKey;
}

# --- replies: every field is set by the node that answers ----------------------------------------

struct ClientReply {
  union {
    unset @0 :Void;                 # never sent
    error @1 :Common.Error;         # to any request
    welcome @2 :Welcome;
    accepted @3 :Accepted;
    jobList @4 :JobList;
    jobDetail @5 :JobDetail;
    clusterStatus @6 :ClusterStatus;
    putReply @7 :PutReply;
    chunk @8 :Chunk;
    joined @9 :Joined;
    logPart @10 :Log.LogPart;
    recorded @11 :Void;             # it is done, for good
  }
}

struct Welcome {
  protocolVersion @0 :UInt16;
  # The one to speak from now on: the lower of the two highest.

  cluster @1 :Common.ClusterId;
  node @2 :Cluster.NodeInfo;
  incarnation @3 :UInt64;

  shardCount @4 :UInt32;
  # Of the cluster, fixed at its founding, from 1. A job's shard is its id modulo this.

  leads @5 :List(UInt32);
  # Shards that this node leads: requests that start there need no forwarding.

  members @6 :List(Cluster.NodeInfo);
  # All of them, by id, this node included: where else to connect.
}

struct Accepted {
  job @0 :UInt64;
  # The id for life. Given when the submit is applied: the same for every repeat of the request.
}

struct JobSummary {
  job @0 :UInt64;
  name @1 :Text;
  state @2 :Job.TaskState;
  # Of the job as a whole, derived from the counts.

  counts @3 :List(UInt32);
  # Tasks by TaskState, in the order of that enum. Missing ones at the end are 0.

  kind @4 :Job.DeviceKind;
  # As requested.

  submittedAtMs @5 :Int64;
  finishedAtMs @6 :Int64;
  # Milliseconds since 1970 UTC by the accepting and the finishing node; for people. 0 while live.

  nodes @7 :List(UInt32);
  # Where tasks run or ran, ascending.

  waiting @8 :Job.WaitingReason;
  # Of its pending tasks; code `none` if there are none or nothing is known.

  deviceNs @9 :Int64;
  # Device time used so far, in nanoseconds.

  labels @10 :List(Job.Define);
  # As submitted.
}

struct JobList {
  jobs @0 :List(JobSummary);
  # By id.

  finishedHidden @1 :UInt64;
  # Finished jobs that were not asked for.

  shardsUnanswered @2 :UInt32;
  # Shards whose leader did not answer: the list lacks their jobs.

  source @3 :UInt32;
  # The node that answered.
}

struct AttemptInfo {
  # An attempt as the ledger recorded it.

  attempt @0 :Common.AttemptId;
  ranges @1 :List(Common.TaskRange);
  device @2 :Common.DeviceId;

  cause @3 :Record.PlaceCause;
  # Why there was another one after the attempt before; `first` for those recorded before this was.
}

struct JobDetail {
  summary @0 :JobSummary;

  spec @1 :Job.JobSpec;
  # As submitted; absent where the ledger keeps it no longer.

  reports @2 :List(Job.TaskReport);
  # Terminal tasks from ShowJob.firstTask on, by task; at most 1000.

  nextTask @3 :UInt32;
  # Ask again from here; equal to the number of tasks at the end.

  attempts @4 :List(AttemptInfo);
  # The newest last, at most 1000.

  source @5 :UInt32;
  # The node that answered.
}

struct ClusterStatus {
  cluster @0 :Common.ClusterId;

  source @1 :UInt32;
  # The node whose view this is.

  nodes @2 :List(Cluster.NodeView);
  # By id.

  wallTimeMs @3 :Int64;
  # The answering node's clock when it answered, in milliseconds since 1970 UTC; 0: it did not say.
}

struct PutReply {
  object @0 :Common.ObjectRef;
  # `home` is the node that has it once it is complete.

  receivedBytes @1 :UInt64;
  # Go on from here.

  complete @2 :Bool;
  # True: it is stored durably and its hash was right.
}

struct Chunk {
  object @0 :Common.ObjectRef;
  offset @1 :UInt64;
  # In bytes, as asked.

  data @2 :Data;
  # At most 1 MiB; empty at the end of the object.
}

struct Joined {
  cluster @0 :Common.ClusterId;

  self @1 :Cluster.NodeInfo;
  # The new member, with its id.

  shardCount @2 :UInt32;
  # As in Welcome.

  members @3 :List(Cluster.NodeInfo);
  # All of them, the new one included.
}
