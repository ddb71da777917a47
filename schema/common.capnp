# Words that every conversation and every stored record share: identities, errors, ranges.
#
# Nothing here travels alone. A field of these types in another file means what is said here; who
# sets it is said there. Bytes from outside are checked when they are read: an enum value that is
# not listed, a range that is empty or runs past the last possible task, or a hash that has not 32
# bytes makes the whole message invalid.

@0xaaa4d64443a59f46;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");

struct RequestId {
  # A client's request. Drawn by the client before its first send and the same through every retry
  # and every node, so that it is done at most once.

  shard @0 :UInt32;
  # The shard that keeps the record of it; chosen by the client among those that Welcome named.

  high @1 :UInt64;
  low @2 :UInt64;
  # 128 random bits.
}

struct AttemptId {
  # The fence: one execution of some tasks of a job. Set by the leader of the job's shard when it
  # proposes the placement. Ordered by shard, epoch, term, sequence; a greater one supersedes.

  shard @0 :UInt32;
  # The shard of the job. 0 is the root shard.

  epoch @1 :UInt64;
  # The founding of the shard's group, from 1; 0 means "no attempt".

  term @2 :UInt64;
  # The leadership under which it was proposed, from 1.

  sequence @3 :UInt64;
  # Counts the attempts of one term, from 1.
}

struct DeviceId {
  # A device of a node.

  node @0 :UInt32;
  # The node's id, given by the root shard when the node joined, from 1. 0 means "none".

  ordinal @1 :UInt16;
  # Counts from 0 in the order in which the node found its devices; fixed for one incarnation.
}

struct TaskRange {
  # Tasks first .. first + count - 1 of a job. Never empty; the end is at most the largest array.

  first @0 :UInt32;
  count @1 :UInt32;
}

struct ClusterId {
  # A cluster for life: 128 random bits drawn by `init` on the first node.

  high @0 :UInt64;
  low @1 :UInt64;
}

struct ObjectRef {
  # An object and a node that surely has it.

  hash @0 :Data;
  # The SHA-256 of its bytes: 32 bytes, always.

  sizeBytes @1 :UInt64;
  # Of the whole object.

  home @2 :UInt32;
  # The node that has it; set by whoever stored it there. 0 in an answer about an object that is not
  # complete yet.
}

struct Payload {
  # Bytes themselves, or where they are kept.

  union {
    unset @0 :Void;
    # Never sent.

    inline @1 :Data;
    # The bytes, at most 4 KiB.

    object @2 :ObjectRef;
  }
}

enum ErrorKind {
  # What the receiver of an error does about it.

  invalid @0;      # mend the input, do not send it again as it is
  rejected @1;     # refused by a rule or a state: do not repeat unchanged
  unavailable @2;  # surely not done: try another node, or later
  overloaded @3;   # surely not done: wait, then try again
  unknown @4;      # may or may not have happened: ask again with the same request id
  lost @5;         # gone for good
  internal @6;     # a fault of FastGPU: report it
}

struct Error {
  # Set by the node that could not do what was asked.

  kind @0 :ErrorKind;

  code @1 :UInt16;
  # The exact cause, as docs/errors.md lists it with the prefix FG. A reader that does not know the
  # number reads it as 0, "none": the kind already says how to react.

  message @2 :Text;
  # One sentence for people with the numbers that matter. Cut at 64 KiB by the sender.

  hint @3 :Text;
  # What to do about it; may be empty. Cut likewise.
}
