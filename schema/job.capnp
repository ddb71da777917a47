# What a user asks for and what comes of it. Spoken in every conversation and kept in the ledger.
#
# A JobSpec is made by the client, checked by the gateway, recorded in SubmitRecord and from then on
# never changed; Assign carries the same words to the worker. A TaskOutcome is made by the worker,
# recorded in FinishRecord, and given to whoever asks.

@0xb8fba493b2fe1f48;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("fastgpu::schema");
using Common = import "/schema/common.capnp";

enum DeviceKind {
  any @0;  # in requests only; never matches nullDevice
  gpu @1;
  cpu @2;
  nullDevice @3;  # executes nothing: must be asked for by name
}

enum ScalarType {
  i32 @0;
  u32 @1;
  i64 @2;
  u64 @3;
  f32 @4;
  f64 @5;
}

enum BufferUse {
  in @0;       # read only, filled from data
  out @1;      # zeroed, kept afterwards
  inout @2;    # filled from data, kept afterwards
  scratch @3;  # zeroed, thrown away
}

enum TaskState {
  # The first two are live, the others terminal.

  pending @0;
  running @1;
  succeeded @2;
  failed @3;
  cancelled @4;
  timedOut @5;
  lost @6;
}

enum FailureReason {
  none @0;
  compileError @1;
  badKernel @2;
  badArgument @3;
  outOfBounds @4;
  kernelAssert @5;
  barrierDeadlock @6;
  cudaError @7;
  outOfMemory @8;
  timeLimit @9;
  inputMissing @10;
  stagingFailed @11;
  nodeLost @12;
  deviceLost @13;
  executorCrash @14;
  cancelled @15;
  notSupportedOnDevice @16;
}

enum WaitingCode {
  none @0;
  notYetConsidered @1;
  capacity @2;
  infeasible @3;
  staging @4;
  retryBackoff @5;
  noMajority @6;
}

# --- the specification: all of it set by the client ----------------------------------------------

struct ScalarArgument {
  type @0 :ScalarType;

  text @1 :Text;
  # The value as text. "{}" stands for the task's index and "{n}" for the number of tasks; what
  # results must parse as `type`.
}

struct BufferArgument {
  use @0 :BufferUse;

  name @1 :Text;
  # The file that the user named; for people.

  sizeBytes @2 :UInt64;
  # For `out` and `scratch` the size; otherwise the size of the largest of `data`.

  data @3 :List(Common.Payload);
  # For `in` and `inout`: one for all tasks, or one for each task. Empty otherwise.
}

struct Argument {
  union {
    unset @0 :Void;  # never sent
    scalar @1 :ScalarArgument;
    buffer @2 :BufferArgument;
  }
}

struct Define {
  name @0 :Text;
  value @1 :Text;
}

struct Dimensions {
  x @0 :UInt32;
  y @1 :UInt32;
  z @2 :UInt32;
}

struct KernelSpec {
  source @0 :Data;
  # CUDA C++ text.

  name @1 :Text;
  # The kernel as an NVRTC name expression: `saxpy`, `saxpy<float>`, `ns::k<4>`.

  grid @2 :Dimensions;
  # Blocks.

  block @3 :Dimensions;
  # Threads of a block.

  sharedBytes @4 :UInt32;
  # Dynamic shared memory of a block, in bytes.

  defines @5 :List(Define);
  # Preprocessor names for the compiler, in the order given.

  standard @6 :Text;
  # Language standard, such as "c++17".

  arguments @7 :List(Argument);
  # In the order of the kernel's parameters; at most 64.

  precise @8 :Bool;
  # On the CPU device: find the exact thread of a bad access, at the cost of speed.
}

struct ResourceRequest {
  # What one task needs of one device.

  kind @0 :DeviceKind;

  memoryBytes @1 :UInt64;
  # Device memory that its buffers take together.
}

struct JobSpec {
  name @0 :Text;
  # For people; need not be unique.

  kernel @1 :KernelSpec;

  tasks @2 :UInt32;
  # How many tasks the job has; they are numbered from 0.

  request @3 :ResourceRequest;

  timeLimitNs @4 :Int64;
  # Of one execution of one task, in nanoseconds.

  retries @5 :UInt32;
  # How often a task is tried again after a failure of its own.

  crashLimit @6 :UInt32;
  # How often a task may be lost with its node before it counts as poison.

  waitIfInfeasible @7 :Bool;
  # Accept the job although no present device could ever run it.
}

# --- what came of it: set by the worker that ran it ----------------------------------------------

struct Timings {
  # How long the parts of one execution took, in nanoseconds.

  queueNs @0 :Int64;  # from the grant to the launch
  compileNs @1 :Int64;
  copyInNs @2 :Int64;
  runNs @3 :Int64;
  copyOutNs @4 :Int64;
  compileCached @5 :Bool;  # nothing had to be compiled
}

struct TaskOutcome {
  state @0 :TaskState;
  # Terminal, always.

  reason @1 :FailureReason;
  # `none` for success.

  message @2 :Text;
  # For people: a sentence, or the compiler's log. Empty on success; cut at 64 KiB by the sender.

  attempt @3 :Common.AttemptId;
  # The attempt that brought this outcome. Absent where the ledger itself ended the task before any
  # attempt.

  device @4 :Common.DeviceId;
  # Where it ran; node 0 where it never ran.

  outputs @5 :List(Common.Payload);
  # One for each `out` and `inout` argument, in their order. Empty unless it succeeded.

  timings @6 :Timings;
  # Absent where nothing ran.
}

struct TaskReport {
  # One outcome that all tasks of a range share.

  range @0 :Common.TaskRange;
  outcome @1 :TaskOutcome;
}

struct WaitingReason {
  # Set by the scheduler of the job's shard.

  code @0 :WaitingCode;

  sentence @1 :Text;
  # With the numbers, for people; empty with `none`. Cut at 64 KiB by the sender.
}
