#pragma once

/// The command runner that stands on a child process, the warden: `fastgpu-executor --warden`.
///
/// Place in the flow: the worker actor's real CommandRunner. Commands go over a socket pair with
/// the write ends of their two pipes; this side reads the pipes itself.
/// Threads: one own thread, which sweeps leftovers, spawns the warden (so that the warden is told
/// of its end), reads pipes and calls the sink. run(), stop() and extend_lease() send by themselves
/// when the socket has room.
/// Failures: the warden's death in any way is repaired. That nothing of its commands is left is
/// proven by its own orderly exit, or by a sweep of all processes that carry the mark of the data
/// folder; while there is doubt, WardenAway tells what remains and the sweep is repeated.
/// Limits: limits::commands_in_flight_max commands, each with two descriptors here.

#include <memory>
#include <string>
#include <vector>

#include "runtime/exec/sandbox/user_claim.hpp"
#include "runtime/exec/warden/command_runner.hpp"
#include "runtime/exec/warden/leftovers.hpp"

namespace fastgpu::exec {

struct ProcessRunnerOptions {
  std::string program;          ///< path of fastgpu-executor
  std::string data_folder;      ///< holds the warden's marker; empty: a marker of this life only
  std::string sandbox{"auto"};  ///< "auto", "bubblewrap", "none"
  ClaimedUser user;             ///< of commands; must be there when this process is root
  std::uint64_t tmp_bytes{10ull << 30};       ///< of each private folder for temporary files
  std::vector<std::string> writable_folders;  ///< of the host; the sandbox lets commands write here
  std::uint32_t window{256};                  ///< commands in flight at most
  std::uint32_t grace_ms{2000};               ///< between asking a command to end and killing it
  std::uint32_t processes_max{4096};          ///< of the user that runs the commands
  std::uint32_t restart_pause_ms{10};         ///< doubled with each death in a row
  std::uint32_t restart_pause_max_ms{5000};
  std::uint32_t start_limit_ms{10'000};  ///< a warden that is not ready by then is killed
  /// How leftovers are ended; tests put another here.
  Sweeper sweep{sweep_leftovers};
};

std::unique_ptr<CommandRunner> make_process_runner(ProcessRunnerOptions options);

}  // namespace fastgpu::exec
