#include "actors/command_desk.hpp"

#include <utility>

#include "runtime/base/limits.hpp"
#include "runtime/exec/warden/command_environment.hpp"
#include "runtime/protocol/arguments.hpp"

namespace fastgpu::actors {

namespace {

namespace limits = base::limits;

base::LogStream stream_of(const exec::CommandOutput& output) {
  if (output.is_mark) {
    return base::LogStream::notice;
  }
  return output.stream == exec::CommandStream::standard_output ? base::LogStream::output
                                                               : base::LogStream::error_output;
}

/// What the command says of itself goes before what we saw of its end.
std::string message_of(const exec::CommandEnded& ended) {
  if (ended.error_text.empty()) {
    return ended.message;
  }
  return ended.error_text + (ended.message.empty() ? "" : " (" + ended.message + ")");
}

worker::CommandEnded event_of(const exec::CommandEnded& ended) {
  worker::CommandEnded event{{ended.token.value}, ended.reason, message_of(ended), {}, {}};
  event.end.exit_code = ended.exit_code;
  event.end.signal = static_cast<std::uint8_t>(ended.signal);
  event.end.protection = ended.protection;
  event.end.cpu_ns = ended.cpu_ns;
  event.end.peak_memory_bytes = ended.peak_memory_bytes;
  event.end.log_bytes_dropped = ended.dropped_log_bytes;
  event.wall_ns = ended.wall_ns;
  return event;
}

worker::WardenAway away(const std::string& reason) {
  return {"the warden of its commands: " + reason};
}

exec::Environment environment_of(const worker::LaunchCommand& launch, const CommandPlace& place) {
  exec::CommandFacts facts;
  facts.job = launch.job;
  facts.task = launch.spec->item_of(launch.task);
  facts.task_count = launch.spec->item_count();
  facts.attempt = launch.attempt;
  facts.node = place.node;
  facts.device_uuids = {place.device_uuid};
  if (place.is_gpu) {
    facts.gpu_uuids = {place.device_uuid};
  }
  facts.folder = launch.folder;
  exec::Environment user;
  for (const auto& [name, value] : launch.spec->command.environment) {
    user.emplace_back(name, protocol::fill_in(value, *launch.spec, launch.task));
  }
  return exec::command_environment(facts, user);
}

}  // namespace

exec::CommandTask CommandDesk::begin(const worker::LaunchCommand& launch,
                                     const CommandPlace& place) {
  running_[launch.token] = {launch.job, launch.task, launch.attempt};
  const protocol::JobSpec& spec = *launch.spec;
  const auto filled = [&](const std::string& text) {
    return protocol::fill_in(text, spec, launch.task);
  };
  exec::CommandTask task;
  task.token = {launch.token.value};
  for (const std::string& word : spec.command.argv) {
    task.argv.push_back(filled(word));
  }
  task.env = environment_of(launch, place);
  task.folder = launch.folder;
  task.cwd = filled(spec.command.cwd);
  task.time_limit_ns = spec.time_limit_ns;
  task.host_memory_bytes = spec.command.host_memory_bytes;
  task.output_bytes_max = spec.command.folder_bytes_max != 0 ? spec.command.folder_bytes_max
                                                             : limits::command_folder_bytes_max;
  task.log_bytes_max = limits::log_bytes_per_job_max;
  task.lease_until = launch.until;
  task.network = spec.command.network;
  task.hidden_folders = place.hidden_folders;
  task.device_files = place.device_files;
  task.device_memory_bytes = spec.request.memory_bytes;
  return task;
}

CommandDesk::Heard CommandDesk::hear(const exec::CommandEvent& event, std::int64_t now_ns) {
  Heard heard;
  if (const auto* started = std::get_if<exec::CommandStarted>(&event)) {
    const worker::LaunchToken token{started->token.value};
    log(heard, token, base::LogStream::started, now_ns,
        base::Bytes::copy_of(std::string_view(started->protection)));
    heard.events.push_back(worker::CommandStarted{token});
  } else if (const auto* output = std::get_if<exec::CommandOutput>(&event)) {
    log(heard, {output->token.value}, stream_of(*output), output->wall_time_ns, output->bytes);
  } else if (const auto* ended = std::get_if<exec::CommandEnded>(&event)) {
    end(heard, event_of(*ended), now_ns);
  } else if (const auto* died = std::get_if<exec::WardenDied>(&event)) {
    // That nothing of them runs any more is proven by now: they may run again.
    heard.events.push_back(away(died->reason));
    for (const auto& token : died->in_flight) {
      end(heard,
          {{token.value},
           base::FailureReason::node_lost,
           "the warden of its commands died: " + died->reason,
           {},
           {}},
          now_ns);
    }
  } else if (const auto* away_now = std::get_if<exec::WardenAway>(&event)) {
    heard.events.push_back(away(away_now->reason));
  } else {
    heard.events.push_back(worker::WardenReady{});
  }
  return heard;
}

void CommandDesk::log(Heard& heard, worker::LaunchToken token, base::LogStream stream,
                      std::int64_t time_ns, base::Bytes bytes) const {
  const auto running = running_.find(token);
  if (running != running_.end()) {
    const auto& [job, task, attempt] = running->second;
    heard.log.records.push_back({job, task, attempt, stream, time_ns, std::move(bytes)});
  }
}

void CommandDesk::end(Heard& heard, worker::CommandEnded ended, std::int64_t now_ns) {
  log(heard, ended.token, base::LogStream::ended, now_ns,
      base::Bytes::copy_of(std::string_view(ended.message)));
  running_.erase(ended.token);
  heard.events.push_back(std::move(ended));
}

}  // namespace fastgpu::actors
