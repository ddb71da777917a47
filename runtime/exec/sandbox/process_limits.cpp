#include "runtime/exec/sandbox/process_limits.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace fastgpu::exec {
namespace {

int set_limit(int resource, rlim_t soft, rlim_t hard) noexcept {
  rlimit present{};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &present) != 0)
    return errno;
  const rlim_t highest = std::min(hard, present.rlim_max);
  const rlimit wanted{std::min(soft, highest), highest};
  return setrlimit(static_cast<__rlimit_resource>(resource), &wanted) == 0 ? 0 : errno;
}

}  // namespace

int drop_root(const UnprivilegedUser& user) noexcept {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return errno;
  if (geteuid() != 0 && getuid() != 0)
    return 0;
  if (user.uid == 0 || user.gid == 0)
    return EPERM;
  // The C library's calls would ask every thread to follow: there are none between fork and exec.
  if (syscall(SYS_setgroups, 0, nullptr) != 0 ||
      syscall(SYS_setresgid, user.gid, user.gid, user.gid) != 0 ||
      syscall(SYS_setresuid, user.uid, user.uid, user.uid) != 0)
    return errno;
  return syscall(SYS_setresuid, -1, 0, -1) == 0 ? EPERM : 0;
}

int set_limits(const ProcessLimits& limits) noexcept {
  const struct {
    int resource;
    std::uint64_t value;
    std::uint64_t grace;
  } wanted[] = {
      {RLIMIT_AS, limits.address_space_bytes, 0}, {RLIMIT_CPU, limits.cpu_seconds, 1},
      {RLIMIT_FSIZE, limits.file_bytes, 0},       {RLIMIT_NPROC, limits.processes, 0},
      {RLIMIT_NOFILE, limits.open_files, 0},
  };
  for (const auto& one : wanted) {
    if (one.value == 0)
      continue;
    if (const int error = set_limit(one.resource, one.value, one.value + one.grace); error != 0)
      return error;
  }
  return set_limit(RLIMIT_CORE, 0, 0);
}

}  // namespace fastgpu::exec
