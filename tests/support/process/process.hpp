#pragma once

/// Child processes of system tests: started without a shell, ended by pid, never left behind. Every
/// wait has a deadline; what a child said is kept for the failure message.

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fastgpu::testing {

using Seconds = std::chrono::seconds;

/// How long to wait for what surely comes: only matters when something is broken. Sanitizers and
/// busy machines are slow.
inline constexpr Seconds patience{120};

/// How a finished command ended and what it said.
struct Finished {
  int exit_code{-1};  ///< 128 + n after signal n; -1 when the limit passed and it was killed
  std::string out;
  std::string err;
};

/// Runs a command to its end, at most `limit`. `input` is its standard input.
Finished run_command(const std::vector<std::string>& command, Seconds limit = patience,
                     const std::string& input = {});

/// A command that goes on beside the test; killed with SIGKILL when destroyed.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  /// True once it has printed a line that begins with `text` on stdout.
  bool await_line(const std::string& text, Seconds limit = patience);
  /// True once it has said this on stderr.
  bool await_error(const std::string& text, Seconds limit = patience) const;
  void signal(int number) const;
  /// The exit code as in Finished, once it has ended.
  std::optional<int> await_end(Seconds limit = patience);
  /// kill -9, and waits until it is gone.
  void kill();
  std::string err() const;
  /// All that it printed on stdout, to its end: call it once the process has ended.
  std::string out();

 private:
  pid_t pid_{-1};
  int out_{-1};
  std::string error_file_;
  std::string said_;
};

/// A folder of its own below the system's temporary one, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  /// Writes a file in it and gives its path.
  std::string write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

/// True once no process has this pid.
bool await_gone(pid_t pid, Seconds limit = patience);
std::string read_file(const std::string& path);
/// Path of one of the project's programs, as built.
std::string program(const std::string& name);

}  // namespace fastgpu::testing
