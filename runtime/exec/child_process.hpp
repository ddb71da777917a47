#pragma once

/// The executor's process as its parent holds it: started, watched, ended, reaped.
///
/// Place in the flow: owned by the ProcessExecutor's thread, which must live as long as the child:
/// the child asks the kernel to be killed when that thread ends.
/// Failures: start() says why; a child that dies makes `pidfd` readable.

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/channel/shared_memory.hpp"

namespace fastgpu::exec {

class ChildProcess {
 public:
  ChildProcess() = default;
  /// Kills and reaps what still runs.
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
  /// Kills if need be, waits for the end, says how it was: "exit code 3", "signal 11".
  std::string end();
  int exit_code() const { return exit_code_; }  ///< after end(); -1 when a signal ended it
  int signal() const { return signal_; }

 private:
  pid_t pid_{0};
  FileDescriptor pidfd_;
  int exit_code_{0};
  int signal_{0};
};

}  // namespace fastgpu::exec
