#include "runtime/exec/cpu/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;

base::Error failed(const std::string& what, int code) {
  return {base::ErrorKind::internal, base::ErrorCode::internal, what + ": " + std::strerror(code),
          ""};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words)
    result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

int spawn(const ChildCommand& command, int output, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!command.folder.empty())
    posix_spawn_file_actions_addchdir_np(&actions, command.folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  auto arguments = pointers(command.arguments);
  auto environment = pointers(command.environment);
  const int code =
      posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

/// Reads until the end of the output or the limit. What is over the cut is read and dropped, so
/// that the program does not block on a full pipe.
void read_output(int pipe, const ChildCommand& command, ChildEnd& end) {
  const auto deadline = Clock::now() + command.limit;
  char buffer[8192];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      end.timed_out = true;
      return;
    }
    pollfd poll_entry{pipe, POLLIN, 0};
    const int ready = poll(&poll_entry, 1, static_cast<int>(left));
    if (ready <= 0)
      continue;  // a signal, or the deadline: seen above
    const ssize_t count = read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    const std::size_t room = command.output_bytes_max - end.output.size();
    end.output.append(buffer, std::min(room, static_cast<std::size_t>(count)));
    end.output_cut |= static_cast<std::size_t>(count) > room;
  }
}

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000u +
         static_cast<std::uint64_t>(time.tv_usec) * 1000u;
}

}  // namespace

base::Result<ChildEnd> run_child(const ChildCommand& command) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0)
    return failed("no pipe for " + command.arguments[0], errno);
  pid_t pid = 0;
  const int code = spawn(command, pipe_ends[1], pid);
  close(pipe_ends[1]);
  if (code != 0) {
    close(pipe_ends[0]);
    return failed("cannot start " + command.arguments[0], code);
  }
  ChildEnd end;
  read_output(pipe_ends[0], command, end);
  close(pipe_ends[0]);
  if (end.timed_out)
    ::kill(-pid, SIGKILL);
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  end.cpu_ns = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return end;
}

}  // namespace fastgpu::exec
