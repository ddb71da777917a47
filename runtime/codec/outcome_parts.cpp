// What came of tasks, and why they wait.

#include "runtime/codec/job_parts.hpp"

namespace fastgpu::schema {

namespace limits = base::limits;
using codec::as_text;
using codec::list_size;
using codec::Reading;

static void write(Timings::Builder to, const protocol::Timings& from) {
  to.setQueueNs(from.queue_ns);
  to.setCompileNs(from.compile_ns);
  to.setCopyInNs(from.copy_in_ns);
  to.setRunNs(from.run_ns);
  to.setCopyOutNs(from.copy_out_ns);
  to.setCompileCached(from.compile_cached);
}

static protocol::Timings read(Timings::Reader from, Reading&) {
  return {
      codec::read_duration_ns(from.getQueueNs(), "queue time"),
      codec::read_duration_ns(from.getCompileNs(), "compile time"),
      codec::read_duration_ns(from.getCopyInNs(), "copy-in time"),
      codec::read_duration_ns(from.getRunNs(), "run time"),
      codec::read_duration_ns(from.getCopyOutNs(), "copy-out time"),
      from.getCompileCached(),
  };
}

static void write(CommandEnd::Builder to, const protocol::CommandEnd& from) {
  to.setExitCode(from.exit_code);
  to.setSignal(from.signal);
  if (!from.protection.empty())
    to.setProtection(as_text(from.protection));
  to.setCpuNs(from.cpu_ns);
  to.setPeakMemoryBytes(from.peak_memory_bytes);
  to.setLogBytesDropped(from.log_bytes_dropped);
  if (!from.output_paths.empty())
    codec::write_texts(to.initOutputPaths(list_size(from.output_paths.size())), from.output_paths);
}

static protocol::CommandEnd read(CommandEnd::Reader from, Reading& reading) {
  return {
      from.getExitCode(),
      from.getSignal(),
      reading.text(from.getProtection(), limits::name_bytes_max, "protection"),
      codec::read_duration_ns(from.getCpuNs(), "processor time"),
      from.getPeakMemoryBytes(),
      from.getLogBytesDropped(),
      codec::read_texts(from.getOutputPaths(), reading, "output paths", limits::task_outputs_max,
                        limits::path_bytes_max),
  };
}

void write(TaskOutcome::Builder to, const protocol::TaskOutcome& from) {
  to.setState(codec::write_enum<TaskState>(from.state));
  to.setReason(codec::write_enum<FailureReason>(from.reason));
  // What is empty is left out: it reads back the same, and most outcomes are short.
  if (!from.message.empty())
    to.setMessage(as_text(codec::clip(from.message)));
  if (from.attempt != base::AttemptId{})
    write(to.initAttempt(), from.attempt);
  if (from.device != base::DeviceId{})
    write(to.initDevice(), from.device);
  if (!from.outputs.empty()) {
    codec::write_list(to.initOutputs(list_size(from.outputs.size())), from.outputs);
  }
  if (from.timings != protocol::Timings{})
    write(to.initTimings(), from.timings);
  if (from.command != protocol::CommandEnd{})
    write(to.initCommand(), from.command);
}

protocol::TaskOutcome read(TaskOutcome::Reader from, Reading& reading) {
  const auto state = codec::read_enum(from.getState(), protocol::TaskState::lost, "task state");
  if (!protocol::is_terminal(state))
    codec::refuse("outcome", "is not terminal");
  return {
      state,
      codec::read_enum(from.getReason(), base::failure_reason_last, "failure reason"),
      reading.text(from.getMessage(), limits::message_text_bytes_max, "outcome message"),
      read(from.getAttempt(), reading),
      read(from.getDevice(), reading),
      codec::read_list(from.getOutputs(), reading, "outputs", limits::task_outputs_max),
      read(from.getTimings(), reading),
      read(from.getCommand(), reading),
  };
}

void write(TaskReport::Builder to, const protocol::TaskReport& from) {
  write(to.initRange(), from.range);
  write(to.initOutcome(), from.outcome);
}

protocol::TaskReport read(TaskReport::Reader from, Reading& reading) {
  const auto range = read(from.getRange(), reading);
  return {range, read(from.getOutcome(), reading)};
}

void write(JobStanding::Builder to, const protocol::JobStanding& from) {
  to.setJob(from.job.value);
  to.setKnowledge(codec::write_enum<JobKnowledge>(from.knowledge));
  to.setState(codec::write_enum<TaskState>(from.state));
}

protocol::JobStanding read(JobStanding::Reader from, Reading&) {
  return {
      {from.getJob()},
      codec::read_enum(from.getKnowledge(), protocol::JobKnowledge::never, "knowledge of a job"),
      codec::read_enum(from.getState(), protocol::TaskState::lost, "task state"),
  };
}

void write(WaitingReason::Builder to, const protocol::WaitingReason& from) {
  to.setCode(codec::write_enum<WaitingCode>(from.code));
  to.setSentence(as_text(codec::clip(from.sentence)));
}

protocol::WaitingReason read(WaitingReason::Reader from, Reading& reading) {
  return {
      codec::read_enum(from.getCode(), protocol::WaitingCode::dependency, "waiting code"),
      reading.text(from.getSentence(), limits::message_text_bytes_max, "waiting reason"),
  };
}

}  // namespace fastgpu::schema
