#pragma once

/// Between a worker and its runner of commands: the worker machine's words in those of the runner's
/// port and back, as executor_words.hpp does it for kernels, and what a command prints as records
/// of the node's log. Remembers whose each running command is. Pure; owned by the worker actor.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/exec/warden/command_runner.hpp"
#include "runtime/protocol/local_messages.hpp"
#include "runtime/worker/worker_effects.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::actors {

/// What the node adds to a command.
struct CommandPlace {
  std::string node;  ///< its name
  std::vector<std::string> hidden_folders;
  std::vector<std::string> device_files;
  std::string device_uuid;
  bool is_gpu{false};
};

class CommandDesk {
 public:
  /// What comes of an event of the runner: records first, then events, so that who hears of a
  /// command's end finds all of its output.
  struct Heard {
    protocol::LogAppend log;
    std::vector<worker::Event> events;
  };

  exec::CommandTask begin(const worker::LaunchCommand& launch, const CommandPlace& place);
  /// The runner did not take it.
  void forget(worker::LaunchToken token) { running_.erase(token); }
  /// `now_ns`: since 1970 UTC, for what bears no time of its own.
  Heard hear(const exec::CommandEvent& event, std::int64_t now_ns);

 private:
  struct Running {
    base::JobId job;
    std::uint32_t task{};
    base::AttemptId attempt;
  };
  void log(Heard& heard, worker::LaunchToken token, base::LogStream stream, std::int64_t time_ns,
           base::Bytes bytes) const;
  void end(Heard& heard, worker::CommandEnded ended, std::int64_t now_ns);

  std::map<worker::LaunchToken, Running> running_;
};

}  // namespace fastgpu::actors
