#pragma once

/// What a process gives up before it becomes a program that is not ours.
///
/// Place in the flow: called between fork and exec, or first thing in a helper process, before
/// whatever walls follow. Async-signal-safe: system calls only, no memory, no locks. Each returns 0
/// or the errno of what failed, and then the caller must not go on to exec.
/// Order: drop_root, then the death signal (PR_SET_PDEATHSIG: a change of user clears it), then
/// set_limits, then exec.

#include <sys/types.h>

#include <cstdint>

namespace fastgpu::exec {

/// Who runs what root starts: a claimed user (user_claim.hpp). By default nobody, for trials that
/// leave nothing behind.
struct UnprivilegedUser {
  uid_t uid{65534};
  gid_t gid{65534};
};

/// Root becomes `user`, without a way back and without other groups; anybody else stays who he is.
/// From here on no program gains privileges by being executed. EPERM for a `user` that is root.
int drop_root(const UnprivilegedUser& user) noexcept;

/// 0 leaves as it is. What the process has already been denied stays denied. No core is written.
struct ProcessLimits {
  std::uint64_t address_space_bytes{0};
  std::uint64_t cpu_seconds{0};  ///< SIGXCPU then, SIGKILL one second later
  std::uint64_t file_bytes{0};   ///< the largest file that it may write
  std::uint64_t processes{0};    ///< of its user; root is not bound by it
  std::uint64_t open_files{0};
};
int set_limits(const ProcessLimits& limits) noexcept;

}  // namespace fastgpu::exec
