# What tasks print, as it is read: a part of the conversation of client and node (client.capnp).
#
#   client                              node (its gateway)
#   ReadLog {node, job, cursor}    ->
#                                  <-   LogPart {records, nextCursor}, at once or after a wait
#
# The records of a job lie on the nodes that ran its tasks, one stream on each. A reader keeps a
# cursor for each of those nodes and goes on from there, through any node, after any interruption.

@0xa25df0a4fc382590;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";

struct ReadLog {
  # What the tasks of a job printed on one node, from a position on. Answered by LogPart as soon as
  # there is something, or when the wait is over. A repeat of it gives the same records again.

  node @0 :UInt32;
  # The node that ran them; any node passes the request on to it.

  job @1 :UInt64;

  task @2 :UInt32;
  # The only task that is wanted; means nothing with `allTasks`.

  allTasks @3 :Bool;

  cursor @4 :UInt64;
  # Where to begin: 0 at first, then LogPart.nextCursor of the same node and job.

  waitNs @5 :Int64;
  # How long to wait for more where there is nothing, in nanoseconds; a node waits 1 s at most.

  bytesMax @6 :UInt32;
  # About how much to answer, in bytes as stored; at most 1 MiB, and at least one record.
}

enum LogStream {
  output @0;       # the command's stdout
  errorOutput @1;  # the command's stderr
  started @2;      # a mark: the attempt begins here; the bytes may say how
  ended @3;        # a mark: no more comes of the attempt; the bytes may say how it ended
  notice @4;       # a mark of the log's keeper, such as that it was cut: no task wrote it
}

struct LogRecord {
  # Set by the node that ran the task.

  job @0 :UInt64;
  task @1 :UInt32;
  # 0 in a notice.

  attempt @2 :Common.AttemptId;
  # None in a notice. Records of an attempt that a greater one of the same task superseded stay.

  stream @3 :LogStream;

  timeNs @4 :Int64;
  # Nanoseconds since 1970 UTC, by the clock of that node; for people.

  bytes @5 :Data;
  # At most 64 KiB; need not end with a line.
}

struct LogPart {
  records @0 :List(LogRecord);
  # In the order in which the node wrote them, of all tasks that were asked for.

  nextCursor @1 :UInt64;
  # Go on from here. Stays valid over restarts of the node.

  node @2 :UInt32;
  # Whose log it is.

  atEnd @3 :Bool;
  # True: there was nothing behind these records. False says nothing about whether more exists.

  droppedBytes @4 :UInt64;
  # Output of the job that this node did not keep, in bytes, as far as it knows: over the limit, or
  # no room. The log has a notice where it is missing.
}
