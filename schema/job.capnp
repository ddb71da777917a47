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
  cudaOutOfMemory @8;  # of the device's memory, on a CPU device too
  timeLimit @9;
  inputMissing @10;
  stagingFailed @11;
  nodeLost @12;
  deviceLost @13;
  executorCrash @14;
  cancelled @15;
  notSupportedOnDevice @16;
  exitCode @17;
  signal @18;
  hostOutOfMemory @19;
  diskFull @20;
  outputMissing @21;
}

enum WaitingCode {
  none @0;
  notYetConsidered @1;
  capacity @2;
  infeasible @3;
  staging @4;
  retryBackoff @5;
  noMajority @6;
  dependency @7;
}

enum DependencyKind {
  ok @0;    # every task succeeded
  any @1;   # it ended in any way
  fail @2;  # it ended in any other way than `ok`
}

enum JobKnowledge {
  # What a job's own ledger has of it.

  known @0;
  forgotten @1;  # it ended, and has made room since
  never @2;      # no job of this id was ever accepted
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

struct InputFile {
  # A file that is there when a command starts.

  path @0 :Text;
  # Below the command's folder; no "..", no leading slash. "{}" and "{n}" are replaced.

  executable @1 :Bool;

  data @2 :List(Common.Payload);
  # One for all tasks, or one for each task.
}

struct CommandSpec {
  # In every text "{}" stands for the task's index and "{n}" for the number of tasks.

  argv @0 :List(Text);
  # The program first, found on PATH or in the command's folder.

  environment @1 :List(Define);
  # Added to what FastGPU sets; names in the order given.

  cwd @2 :Text;
  # Where the command starts, below its folder; empty: the folder itself.

  inputs @3 :List(InputFile);

  outputs @4 :List(Text);
  # Paths below the folder, of files or folders, that are kept when the command has ended well.

  hostMemoryBytes @5 :UInt64;
  # Of all its processes together; 0: what the host has.

  folderBytesMax @6 :UInt64;
  # What it may write into its folder; 0: the node's own limit.

  network @7 :Bool;
  # It may reach other hosts.
}

struct Dependency {
  # Nothing of the job runs before another one has ended so.

  job @0 :UInt64;
  kind @1 :DependencyKind;
}

struct TaskItems {
  # Of a job that does again tasks of another one: which. In every text of the spec "{}" stands for
  # the number that the task had there.

  job @0 :UInt64;
  # The other job.

  ranges @1 :List(Common.TaskRange);
  # Ascending and apart from each other, at most 4096; together as many as `tasks`. The job's first
  # task does the first of them, and so on.

  count @2 :UInt32;
  # What "{n}" stands for: how many tasks there were at first.
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

  command @8 :CommandSpec;
  # Absent: the job is a kernel. Present: `kernel` is empty.

  leaseNs @9 :Int64;
  # For how many nanoseconds a command goes on while its node hears of no leader of the shard; 0:
  # the default. Without meaning for kernels.

  after @10 :List(Dependency);
  # All of them must hold; at most 256.

  labels @11 :List(Define);
  # Words of the user's by which jobs are found again; each name once, at most 32.

  items @12 :TaskItems;
  # Absent: what the tasks do goes by their own numbers.
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

struct CommandEnd {
  # What became of a command beside state and reason.

  exitCode @0 :Int32;

  signal @1 :UInt8;
  # That ended it; 0: it exited.

  protection @2 :Text;
  # How it was kept apart from the host: "bubblewrap", "uid", "none"; empty if it never started.

  cpuNs @3 :Int64;
  # Processor time of all its processes, in nanoseconds.

  peakMemoryBytes @4 :UInt64;

  logBytesDropped @5 :UInt64;
  # Output beyond the cap of its log, in bytes.

  outputPaths @6 :List(Text);
  # Of TaskOutcome.outputs, in their order.
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
  # Of a kernel one for each `out` and `inout` argument, in their order; of a command one for each
  # path of CommandEnd.outputPaths. Empty unless it succeeded.

  timings @6 :Timings;
  # Absent where nothing ran.

  command @7 :CommandEnd;
  # Absent where no command ran.
}

struct TaskReport {
  # One outcome that all tasks of a range share.

  range @0 :Common.TaskRange;
  outcome @1 :TaskOutcome;
}

struct WaitingReason {
  # Set by the scheduler or the leader of the job's shard.

  code @0 :WaitingCode;

  sentence @1 :Text;
  # With the numbers, for people; empty with `none`. Cut at 64 KiB by the sender.
}

struct JobStanding {
  # How a job stands for those that wait for it. Told by the leader of its shard.

  job @0 :UInt64;
  knowledge @1 :JobKnowledge;

  state @2 :TaskState;
  # Of a known job: pending, running, or the gravest state of its tasks once all ended.
}
