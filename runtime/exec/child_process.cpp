#include "runtime/exec/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

extern char** environ;

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;

/// Above every number that the child will use, so that no copy overwrites a source.
constexpr int safe_fd_min = 64;

/// What the executor needs of the node's environment. Anything else could be a secret, and kernels
/// can read what their process has.
constexpr std::string_view kept_variables[] = {"PATH=",         "LANG=",           "LC_",
                                               "TZ=",           "TMPDIR=",         "FASTGPU_CXX=",
                                               "FASTGPU_LIB",   "CUDA_",           "NVIDIA_",
                                               "ASAN_OPTIONS=", "UBSAN_OPTIONS=",  "TSAN_OPTIONS=",
                                               "LSAN_OPTIONS=", "LD_LIBRARY_PATH="};

std::vector<char*> kept_environment() {
  std::vector<char*> kept;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    for (const std::string_view name : kept_variables)
      if (text.starts_with(name))
        kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

base::Error failed(const std::string& what, int code) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          what + ": " + std::strerror(code), ""};
}

}  // namespace

base::Status ChildProcess::start(const std::vector<std::string>& arguments,
                                 const std::vector<Inherited>& files) {
  std::vector<char*> words;
  for (const auto& word : arguments)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  std::vector<FileDescriptor> copies;
  int last = 2;
  for (const auto& file : files) {
    copies.emplace_back(fcntl(file.from, F_DUPFD_CLOEXEC, safe_fd_min));
    posix_spawn_file_actions_adddup2(&actions, copies.back().get(), file.to);
    last = file.to;
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, last + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  auto environment = kept_environment();
  const int code =
      posix_spawn(&pid, words[0], &actions, &attributes, words.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0)
    return failed("cannot start " + arguments[0], code);
  pid_ = pid;
  pidfd_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd_) {
    const int error = errno;
    end();
    return failed("cannot watch the executor", error);
  }
  return {};
}

void ChildProcess::kill() const {
  if (!pidfd_)
    return;
  if (send_kill_)
    send_kill_(pid_);
  else
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

std::optional<std::string> ChildProcess::end_within(std::chrono::milliseconds limit) {
  if (pid_ <= 0)
    return "not running";
  if (send_kill_)
    send_kill_(pid_);
  else
    ::kill(pid_, SIGKILL);  // our own child, not reaped yet: the number is still its
  const auto until = Clock::now() + limit;
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0 &&
         info.si_pid == 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0)
      return std::nullopt;
    // Without a file to watch it by, it is looked at now and then.
    pollfd gone{pidfd_.get(), POLLIN, 0};
    poll(&gone, pidfd_ ? 1 : 0, static_cast<int>(pidfd_ ? left : std::min<long>(left, 10)));
  }
  pid_ = 0;
  pidfd_.reset();
  return note_end(info.si_code == CLD_EXITED, info.si_status);
}

std::string ChildProcess::note_end(bool exited, int status) {
  exit_code_ = exited ? status : -1;
  signal_ = exited ? 0 : status;
  if (exited)
    return "exit code " + std::to_string(exit_code_);
  const char* name = sigabbrev_np(signal_);
  return "signal " + std::to_string(signal_) + (name != nullptr ? std::string(" SIG") + name : "");
}

std::string ChildProcess::end() {
  if (const auto how = end_within(end_limit))
    return *how;
  const std::string who = std::to_string(pid_);
  pid_ = 0;
  pidfd_.reset();
  note_end(false, SIGKILL);
  return "process " + who + " was killed and does not end";
}

}  // namespace fastgpu::exec
