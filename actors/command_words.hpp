#pragma once

/// The worker machine's words on commands in those of the command runner's port, and back; as
/// executor_words.hpp does it for kernels.

#include <string>
#include <vector>

#include "runtime/exec/warden/command_runner.hpp"
#include "runtime/worker/worker_effects.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::actors {

/// What the node adds to a command.
struct CommandPlace {
  std::string node;  ///< its name
  std::vector<std::string> hidden_folders;
  std::string device_uuid;
  bool is_gpu{false};
};

exec::CommandTask command_task_of(const worker::RunCommand& run, const CommandPlace& place);
/// `now_ns`: since 1970 UTC, for what bears no time of its own.
worker::Event worker_event_of(const exec::CommandEvent& event, std::int64_t now_ns);

}  // namespace fastgpu::actors
