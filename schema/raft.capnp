# The conversation of the replicas of a shard with each other: who leads, what the log holds.
#
#   candidate -> voters     VoteRequest, first with `pre`; answered by VoteReply
#   leader    -> followers  Append: entries, or none as a heartbeat; answered by AppendReply
#   leader    -> follower   SnapshotChunk, in place of entries that it has no more; answered by
#                           SnapshotReply, and once all of it is on disk by AppendReply
#   leader    -> successor  TimeoutNow
#
# Every message may be lost, repeated, late or out of order. The frame names the sending node; a
# receiver takes a message only of, and for, the disks that it names. An answer leaves only once
# what it says is on the sender's disk.

@0xfc5ab99d648309d0;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");

struct RaftMessage {
  shard @0 :UInt32;
  epoch @1 :UInt64;

  term @2 :UInt64;
  # The sender's, when it made the message.

  fromStore @3 :UInt64;
  # The number of the sender's disk, drawn when its store was made.

  toStore @4 :UInt64;
  # That of the receiver, as the sender knows it; another disk refuses the message.

  body :union {
    unset @5 :Void;  # never sent
    voteRequest @6 :RaftVoteRequest;
    voteReply @7 :RaftVoteReply;
    append @8 :RaftAppend;
    appendReply @9 :RaftAppendReply;
    snapshotChunk @10 :RaftSnapshotChunk;
    snapshotReply @11 :RaftSnapshotReply;
    timeoutNow @12 :Void;  # campaign at once: you are to lead
  }
}

struct RaftPosition {
  # An entry, and with it the log up to there.

  index @0 :UInt64;
  # From 1; 0 with term 0: before the first.

  term @1 :UInt64;
}

struct RaftMember {
  node @0 :UInt32;
  store @1 :UInt64;
  # The number of the member's disk.

  voter @2 :Bool;
  # False: a learner, which gets the log and is never counted.
}

enum RaftEntryKind {
  noOp @0;           # opens a term
  command @1;        # an Entry of record.capnp
  configuration @2;  # a change of members
}

struct RaftEntry {
  # Its index follows from its place in the message.

  term @0 :UInt64;
  kind @1 :RaftEntryKind;

  chain @2 :UInt64;
  # A hash over this entry and all before it, set by the leader that made the entry.

  data @3 :Data;
  # Of a command, at most 2 MiB; else empty.

  members @4 :List(RaftMember);
  # Of a configuration: all members after it, by node; else empty. At most 64.
}

# --- elections -----------------------------------------------------------------------------------

struct RaftVoteRequest {
  # Set by a candidate.

  pre @0 :Bool;
  # It only asks whether it would get the vote.

  campaign @1 :UInt64;
  # The term to be led: the message's own, or the next one with `pre`.

  last @2 :RaftPosition;
  # How far its log reaches on its disk.

  transfer @3 :Bool;
  # The present leader wants it: that a leader is heard is no reason to refuse.
}

struct RaftVoteReply {
  # Set by a voter.

  pre @0 :Bool;
  campaign @1 :UInt64;
  # As the request had them.

  granted @2 :Bool;
}

# --- entries -------------------------------------------------------------------------------------

struct RaftAppend {
  # Set by the leader of the message's term.

  prev @0 :RaftPosition;
  # The entry before the first of these.

  entries @1 :List(RaftEntry);
  # Those at prev.index + 1 and on, at most 4096; none in a heartbeat.

  commit @2 :UInt64;
  # The index through which the leader knows entries to be committed.

  round @3 :UInt64;
  # Of the leader's question whether it is still followed; grows within its term.
}

struct RaftAppendReply {
  # Set by a follower of the leader of the message's term.

  round @0 :UInt64;
  # The latest that it heard of this leader.

  match @1 :UInt64;
  # Through here its log is the same as this leader's, and on its disk.

  refused @2 :Bool;
  # Its log does not hold `prev` of the request.

  rejected @3 :UInt64;
  # With `refused`: the index of that `prev`.

  hint @4 :UInt64;
  # With `refused`: where to try next.
}

# --- snapshots -----------------------------------------------------------------------------------

struct RaftSnapshotChunk {
  # A piece of a snapshot, in order from offset 0. Set by the leader of the message's term.

  last @0 :RaftPosition;
  # The entry at its end.

  chain @1 :UInt64;
  # Of that entry.

  members @2 :List(RaftMember);
  # In force at its end, by node. At most 64.

  dataCrc32c @3 :UInt32;
  # Of the whole data.

  sizeBytes @4 :UInt64;
  # Of the whole data.

  offset @5 :UInt64;
  # Of this piece.

  data @6 :Data;
  # At most 1 MiB; empty only for a snapshot without data.

  round @7 :UInt64;
  # As in RaftAppend.
}

struct RaftSnapshotReply {
  # Set by the follower.

  last @0 :RaftPosition;
  # Which snapshot.

  received @1 :UInt64;
  # The offset of the piece that it wants next.

  round @2 :UInt64;
  # As in RaftAppendReply.
}
