#pragma once

/// The executor's process as its parent holds it: started, watched, ended, reaped.
///
/// Place in the flow: owned by the ProcessExecutor's thread, which must live as long as the child:
/// the child asks the kernel to be killed when that thread ends.
/// Failures: start() says why; a child that dies makes `pidfd` readable. One that is stuck in the
/// host's kernel, as in a driver that waits for its device, does not go when it is killed: nobody
/// waits for it longer than he says.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/channel/shared_memory.hpp"

namespace fastgpu::exec {

/// Ends a process at once. Tests put one in its place that a process survives for a while.
using SendKill = std::function<void(pid_t)>;

class ChildProcess {
 public:
  /// How long `end` waits.
  static constexpr std::chrono::milliseconds end_limit{5000};

  explicit ChildProcess(SendKill send_kill = {}) : send_kill_(std::move(send_kill)) {}
  /// Kills and reaps what still runs, as `end` does.
  ~ChildProcess() { end(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  struct Inherited {
    int from;  ///< here
    int to;    ///< there; ascending from 3 without gaps
  };
  /// `arguments[0]` is the program's path. Nothing but standard error, `files` and some harmless
  /// variables of the environment is inherited.
  base::Status start(const std::vector<std::string>& arguments,
                     const std::vector<Inherited>& files);
  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  /// Sends SIGKILL. Safe from any thread while the owner keeps the object.
  void kill() const;
  /// Kills if need be, waits for the end, says how it was: "exit code 3", "signal 11". None where
  /// it does not go in that time: it is still there, to be asked for again.
  std::optional<std::string> end_within(std::chrono::milliseconds limit);
  /// The same, for as long as `end_limit`; then the child is given up, and says so. It belongs to
  /// the host's init once this process ends.
  std::string end();
  int exit_code() const { return exit_code_; }  ///< after end(); -1 when a signal ended it
  int signal() const { return signal_; }

 private:
  std::string note_end(bool exited, int status);

  SendKill send_kill_;  ///< empty = SIGKILL
  pid_t pid_{0};
  FileDescriptor pidfd_;
  int exit_code_{0};
  int signal_{0};
};

}  // namespace fastgpu::exec
