#include "runtime/exec/cpu/compile_child.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fastgpu::exec {
namespace {

constexpr int own_failure = 125;
constexpr rlim_t file_bytes_max = 256u << 20;
constexpr rlim_t open_files_max = 256;

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(resource, &both);
}

/// The executor died or lost patience: nobody of this group may go on.
extern "C" void end_group(int) {
  ::kill(0, SIGKILL);
}

}  // namespace

int compile_child_main(int count, char** words) {
  if (count < 4)
    return own_failure;
  const auto parent = static_cast<pid_t>(std::strtol(words[0], nullptr, 10));
  struct sigaction action {};
  action.sa_handler = end_group;
  sigaction(SIGTERM, &action, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    return own_failure;  // it died before the line above
  limit(RLIMIT_CPU, std::strtoull(words[1], nullptr, 10));
  limit(RLIMIT_FSIZE, file_bytes_max);
  limit(RLIMIT_NOFILE, open_files_max);
  limit(RLIMIT_CORE, 0);
  const pid_t pid = fork();
  if (pid == 0) {
    limit(RLIMIT_AS, std::strtoull(words[2], nullptr, 10));
    execv(words[3], words + 3);
    std::fprintf(stderr, "cannot start %s: %s\n", words[3], std::strerror(errno));
    _exit(own_failure);
  }
  if (pid < 0)
    return own_failure;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace fastgpu::exec
