#include "actors/command_words.hpp"

#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/exec/warden/command_environment.hpp"
#include "runtime/protocol/arguments.hpp"

namespace fastgpu::actors {

namespace {

namespace limits = base::limits;

class EventOf {
 public:
  explicit EventOf(std::int64_t now_ns) : now_ns_(now_ns) {}

  worker::Event operator()(const exec::WardenReady&) const { return worker::CommandsReady{}; }
  worker::Event operator()(const exec::CommandStarted& started) const {
    return worker::CommandStarted{{started.token.value}, started.protection, now_ns_};
  }
  worker::Event operator()(const exec::CommandOutput& output) const {
    const auto stream = output.is_mark ? base::LogStream::notice
                        : output.stream == exec::CommandStream::standard_output
                            ? base::LogStream::output
                            : base::LogStream::error_output;
    return worker::CommandWrote{{output.token.value}, stream, output.wall_time_ns, output.bytes};
  }
  worker::Event operator()(const exec::CommandEnded& ended) const {
    worker::CommandEnded event;
    event.token = {ended.token.value};
    event.reason = ended.reason;
    event.message = ended.message;
    if (!ended.error_text.empty()) {
      event.message = ended.error_text + (ended.message.empty() ? "" : " (" + ended.message + ")");
    }
    event.end.exit_code = ended.exit_code;
    event.end.signal = static_cast<std::uint8_t>(ended.signal);
    event.end.protection = ended.protection;
    event.end.cpu_ns = ended.cpu_ns;
    event.end.peak_memory_bytes = ended.peak_memory_bytes;
    event.end.log_bytes_dropped = ended.dropped_log_bytes;
    event.time_ns = now_ns_;
    return event;
  }
  worker::Event operator()(const exec::WardenDied& died) const {
    worker::CommandsDied event{died.reason, {}};
    for (const auto& token : died.in_flight) {
      event.in_flight.push_back({token.value});
    }
    return event;
  }

 private:
  std::int64_t now_ns_;
};

}  // namespace

exec::CommandTask command_task_of(const worker::RunCommand& run, const CommandPlace& place) {
  const protocol::JobSpec& spec = *run.spec;
  const auto filled = [&](const std::string& text) {
    return protocol::fill_in(text, run.task, spec.tasks);
  };
  exec::CommandTask task;
  task.token = {run.token.value};
  for (const std::string& word : spec.command.argv) {
    task.argv.push_back(filled(word));
  }
  exec::Environment environment;
  for (const auto& [name, value] : spec.command.environment) {
    environment.emplace_back(name, filled(value));
  }
  exec::CommandFacts facts;
  facts.job = run.job;
  facts.task = run.task;
  facts.task_count = spec.tasks;
  facts.attempt = run.attempt;
  facts.node = place.node;
  facts.device_uuids = {place.device_uuid};
  if (place.is_gpu) {
    facts.gpu_uuids = {place.device_uuid};
  }
  facts.folder = run.folder;
  task.env = exec::command_environment(facts, environment);
  task.folder = run.folder;
  task.cwd = filled(spec.command.cwd);
  task.time_limit_ns = spec.time_limit_ns;
  task.host_memory_bytes = spec.command.host_memory_bytes;
  task.output_bytes_max = spec.command.folder_bytes_max != 0 ? spec.command.folder_bytes_max
                                                             : limits::command_folder_bytes_max;
  task.log_bytes_max = limits::log_bytes_per_job_max;
  task.lease_until = run.lease_until;
  task.network = spec.command.network;
  task.hidden_folders = place.hidden_folders;
  return task;
}

worker::Event worker_event_of(const exec::CommandEvent& event, std::int64_t now_ns) {
  return std::visit(EventOf(now_ns), event);
}

}  // namespace fastgpu::actors
