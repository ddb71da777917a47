// What this host's bubblewrap can do is found out by using it: kernels, containers and security
// modules forbid namespaces in too many ways to be asked.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/sandbox/sandbox.hpp"

namespace fastgpu::exec {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int cannot_start = 127;
constexpr int cannot_drop_root = 126;
constexpr std::size_t said_bytes_max = 4096;

std::string find_bubblewrap(const std::string& wanted) {
  if (!wanted.empty())
    return access(wanted.c_str(), X_OK) == 0 ? wanted : "";
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"})
    if (access(path, X_OK) == 0)
      return path;
  return "";
}

struct Trial {
  bool worked{false};
  bool timed_out{false};
  int exit_code{-1};
  std::string said;  ///< on standard error, its first bytes
};

/// In the child: nothing but system calls.
[[noreturn]] void become(char* const* words, char* const* environment, int output,
                         const UnprivilegedUser& user) {
  const int nothing = open("/dev/null", O_RDWR);
  if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(output, 2) < 0 ||
      close_range(3, ~0u, 0) != 0)
    _exit(cannot_start);
  setpgid(0, 0);
  if (drop_root(user) != 0)
    _exit(cannot_drop_root);
  execve(words[0], words, environment);
  _exit(cannot_start);
}

/// Until the other end is closed, or the limit.
void listen_to(int pipe, Clock::time_point deadline, Trial& trial) {
  char buffer[512];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      trial.timed_out = true;
      return;
    }
    pollfd entry{pipe, POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(left)) <= 0)
      continue;  // a signal, or the deadline: seen above
    const ssize_t count = read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    const std::size_t room = said_bytes_max - trial.said.size();
    trial.said.append(buffer, std::min(room, static_cast<std::size_t>(count)));
  }
}

Trial attempt(const SandboxMeans& means, const ProbeOptions& options) {
  SandboxPolicy policy;
  policy.user = options.user;
  policy.folder = "/";
  std::vector<std::string> words = sandboxed(means, policy, {means.bubblewrap, "--version"});
  std::vector<char*> pointers;
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  char path[] = "PATH=/usr/bin:/bin";
  char* environment[] = {path, nullptr};

  Trial trial;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return trial;
  const FileDescriptor reading(ends[0]);
  FileDescriptor writing(ends[1]);
  const pid_t pid = fork();
  if (pid == 0)
    become(pointers.data(), environment, writing.get(), options.user);
  writing.reset();
  if (pid < 0)
    return trial;
  listen_to(reading.get(), Clock::now() + options.limit, trial);
  if (trial.timed_out) {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  trial.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  trial.worked = !trial.timed_out && trial.exit_code == 0;
  return trial;
}

std::string first_line(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  return line.empty() ? "it said nothing" : line;
}

std::string explain(const Trial& trial, const ProbeOptions& options) {
  if (trial.timed_out)
    return "a trial of bubblewrap did not end within " + std::to_string(options.limit.count()) +
           " ms; look at the host's load, then restart";
  if (trial.exit_code == cannot_drop_root)
    return "root cannot become uid " + std::to_string(options.user.uid) +
           " here; start the node as an ordinary user";
  const std::string line = first_line(trial.said);
  const auto says = [&trial](const char* words) {
    return trial.said.find(words) != std::string::npos;
  };
  std::string remedy = "see that 'bwrap --ro-bind / / --unshare-all true' works for this user";
  if (says("namespace") || says("uid map") || says("userns"))
    remedy =
        "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
        "kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile)";
  else if (says("proc"))
    remedy = "let the container see all of /proc (docker: --security-opt systempaths=unconfined)";
  else if (says("nknown option"))
    remedy = "install bubblewrap 0.8.0 or later";
  return "bubblewrap does not work on this host (" + line + "); " + remedy;
}

}  // namespace

SandboxMeans probe_sandbox(SandboxMode mode, const ProbeOptions& options) {
  SandboxMeans means;
  if (mode == SandboxMode::none) {
    means.why_not = "the sandbox is switched off; set it to \"auto\" to have it";
    return means;
  }
  means.bubblewrap = find_bubblewrap(options.program);
  if (means.bubblewrap.empty()) {
    means.why_not = "bubblewrap is not installed; install the package bubblewrap";
    return means;
  }
  means.cuts_network = true;
  const Trial whole = attempt(means, options);
  if (whole.worked)
    return means;
  means.cuts_network = false;
  const Trial with_network = attempt(means, options);
  means.why_not = explain(with_network.worked ? whole : with_network, options);
  if (!with_network.worked)
    means.bubblewrap.clear();
  return means;
}

}  // namespace fastgpu::exec
