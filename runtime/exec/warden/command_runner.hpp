#pragma once

/// The port through which a node runs users' commands.
///
/// Place in the flow: the worker actor owns one CommandRunner per node; it runs commands whose
/// inputs lie in the job folder and gets back their output and their end. Which command runs when,
/// and whether a failed one is tried again, is decided by the worker machine, not here.
/// Threads: every method may be called from any thread. The sink is called on the runner's own
/// thread, one event at a time, never from inside a method of this class; it may block for a short
/// time (output waits meanwhile, commands feel it as a full pipe) and must not destroy the runner.
/// Failures: a command that cannot run ends as CommandEnded with a reason. A warden that dies is
/// told as WardenDied, once it is proven that nothing of its commands is left, and comes back by
/// itself with WardenReady; while that takes long, WardenAway says what remains. No exceptions.
/// Promise: a command for which run() said true appears exactly once, either in one CommandEnded or
/// in the list of one WardenDied, and no process of it is left then; its CommandStarted and all of
/// its CommandOutput come before. If the runner is destroyed first, then possibly never.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/failure.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/time.hpp"
#include "runtime/exec/cuda/gpu_process.hpp"

namespace fastgpu::exec {

/// Names a command between worker and runner. Chosen by the worker, from 1, below 2^63, never
/// reused in the life of one runner.
using CommandToken = base::Id<struct CommandTokenTag, std::uint64_t>;

/// Where a command may say in one line why it failed; lies in the job folder.
inline constexpr const char* command_error_file = ".fastgpu-error";

/// One command: everything that is needed to run it.
struct CommandTask {
  CommandToken token;
  std::vector<std::string> argv;  ///< the program, by path or looked up in PATH, and its arguments
  /// All of its environment. PATH, HOME (the folder), LANG, USER and LOGNAME are set if they are
  /// not here.
  std::vector<std::pair<std::string, std::string>> env;
  /// The job folder, an absolute path: its working folder. Exists, and all folders above it can be
  /// entered by anybody; it and what lies in it is given to the user who runs them.
  std::string folder;
  std::string cwd;                ///< where it starts, below the folder; empty = the folder itself
  std::int64_t time_limit_ns{0};  ///< 0 = none
  std::uint64_t host_memory_bytes{0};      ///< of all its processes; 0 = no limit
  std::uint64_t output_bytes_max{0};       ///< growth of the folder; 0 = no limit
  std::uint64_t log_bytes_max{16u << 20};  ///< both streams together
  base::Time lease_until{base::Duration{base::Duration::max()}};  ///< it never runs beyond
  bool network{true};                                             ///< false: it can reach nobody
  std::vector<std::string> hidden_folders;  ///< host paths that it must not see
  std::vector<std::string> device_files;    ///< of /dev: "/dev/nvidia0"
  /// Of its GPU, all its processes together, as note_gpu_use tells it; 0 = no limit.
  std::uint64_t device_memory_bytes{0};
  bool operator==(const CommandTask&) const = default;
};

/// Commands are taken from now on; nothing of earlier wardens of the same data folder is left. Also
/// sent after each restart.
struct WardenReady {
  std::string protection;  ///< what commands will get; see CommandStarted
  bool operator==(const WardenReady&) const = default;
};

struct CommandStarted {
  CommandToken token;
  std::string protection;  ///< for people and `doctor`: "bubblewrap", "uid only", "none"
  bool operator==(const CommandStarted&) const = default;
};

enum class CommandStream : std::uint8_t { standard_output, standard_error };

/// What a command wrote, in order within its stream; the pieces are up to 64 KiB.
struct CommandOutput {
  CommandToken token;
  CommandStream stream{CommandStream::standard_output};
  std::int64_t wall_time_ns{};  ///< since 1970 UTC, when it was read
  base::Bytes bytes;
  bool is_mark{false};  ///< not the command's words but ours: from here on its output is dropped
  bool operator==(const CommandOutput&) const = default;
};

/// A command and every process that it started are gone.
struct CommandEnded {
  CommandToken token;
  base::FailureReason reason{base::FailureReason::none};  ///< none = it exited with 0 by itself
  std::int32_t exit_code{-1};  ///< of its program; -1 if that did not exit by itself
  std::int32_t signal{0};      ///< that ended its program; 0 if none did
  std::string message;         ///< for people: a sentence with numbers; empty on success
  std::string error_text;      ///< first line of the error file, if the command wrote one
  std::int64_t wall_ns{};
  std::int64_t cpu_ns{};              ///< of all its processes, as far as they were reaped
  std::uint64_t peak_memory_bytes{};  ///< of all its processes together, as sampled
  std::uint64_t dropped_log_bytes{};  ///< what it wrote beyond log_bytes_max
  std::string protection;
  bool operator==(const CommandEnded&) const = default;
};

/// The warden is gone, or could not be started, and nothing of its commands runs any more. It is
/// started again by itself, with a growing pause; until WardenReady, run() says false.
struct WardenDied {
  std::string reason;                   ///< for people: "signal 9 SIGKILL"
  std::vector<CommandToken> in_flight;  ///< what was run and had not ended, by token
  bool operator==(const WardenDied&) const = default;
};

/// No warden takes commands now, and what the last one ran is not proven to be gone: WardenDied
/// follows when it is. Told again when the reason changes.
struct WardenAway {
  std::string reason;  ///< for people: what remains
  bool operator==(const WardenAway&) const = default;
};

using CommandEvent =
    std::variant<WardenReady, CommandStarted, CommandOutput, CommandEnded, WardenDied, WardenAway>;

class CommandRunner {
 public:
  using Sink = std::function<void(const CommandEvent&)>;

  /// Ends all commands and joins the thread. No event comes afterwards.
  virtual ~CommandRunner() = default;
  /// Once, before anything else. Never blocks: what cannot start is told as WardenDied.
  virtual void start(Sink sink) = 0;
  /// Hands a command over; takes no share in it when it says false: not ready, or too many run.
  /// A command that is wrong in itself is accepted and ends as CommandEnded.
  virtual bool run(CommandTask task) = 0;
  /// Ends a command: it is asked (SIGTERM to all its processes), then, after a grace, killed.
  /// CommandEnded with the reason cancelled and these words follows. Unknown tokens are ignored.
  virtual void stop(CommandToken token, const std::string& why) = 0;
  /// A later end of its lease. The warden kills a command at the end that it last heard of, also
  /// when this process sleeps; the reason is node_lost then.
  virtual void extend_lease(CommandToken token, base::Time until) = 0;
  /// Who uses how much of the memory of the commands' GPU now. A command above its limit is killed;
  /// the reason is cuda_out_of_memory. What cannot be passed on at once is forgotten: more follows.
  virtual void note_gpu_use(const std::vector<GpuProcess>& processes) = 0;
};

}  // namespace fastgpu::exec
