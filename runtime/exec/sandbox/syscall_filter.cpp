#include "runtime/exec/sandbox/syscall_filter.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace fastgpu::exec {
namespace {

constexpr std::uint32_t x32_bit = 0x40000000;
constexpr std::uint32_t namespace_flags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;

/// A sanitizer looks for leaks with ptrace.
#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint32_t tracing = SYS_process_vm_writev;
#else
constexpr std::uint32_t tracing = SYS_ptrace;
#endif

/// io_uring would do the rest of the list without asking the filter.
constexpr std::uint32_t forbidden[] = {
    tracing,
    SYS_connect,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsmount,
    SYS_fsconfig,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_open_by_handle_at,
    SYS_quotactl,
    SYS_swapon,
    SYS_swapoff,
    SYS_chmod,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_chown,
    SYS_fchown,
    SYS_lchown,
    SYS_fchownat,
    SYS_truncate,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_acct,
    SYS_syslog,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_iopl,
    SYS_ioperm,
    SYS_personality,
};

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter answer(std::uint32_t what) {
  return BPF_STMT(BPF_RET | BPF_K, what);
}
constexpr sock_filter skip_unless(std::uint16_t test, std::uint32_t value, std::uint8_t skip) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, 0, skip);
}
constexpr std::uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;
/// Of a socket's type; the rest of the argument are flags.
constexpr std::uint32_t socket_type_mask = 0xf;

/// Each rule is a test and its answer; whoever passes all tests goes on.
constexpr auto make_program(Sockets sockets) {
  std::array<sock_filter, 21 + 2 * std::size(forbidden) + 1> program{};
  std::size_t at = 0;
  const auto put = [&](sock_filter step) { program[at++] = step; };
  put(load(offsetof(seccomp_data, arch)));
  put(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  put(answer(unknown));
  put(load(offsetof(seccomp_data, nr)));
  put(skip_unless(BPF_JGE, x32_bit, 1));
  put(answer(unknown));
  // Its flags lie in memory, out of a filter's sight; the C library then takes clone.
  put(skip_unless(BPF_JEQ, SYS_clone3, 1));
  put(answer(unknown));
  // Of a pair of datagram sockets each would send to whatever has a name.
  put(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socketpair, 1, 0));
  put(skip_unless(BPF_JEQ, SYS_socket, 7));
  put(load(offsetof(seccomp_data, args[0])));
  put(skip_unless(BPF_JEQ, AF_UNIX, 4));
  put(load(offsetof(seccomp_data, args[1])));
  put(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, socket_type_mask));
  put(skip_unless(BPF_JEQ, SOCK_SEQPACKET, 1));
  put(answer(sockets == Sockets::local_packets ? SECCOMP_RET_ALLOW : refused));
  put(answer(refused));
  for (const std::uint32_t number : forbidden) {
    put(skip_unless(BPF_JEQ, number, 1));
    put(answer(refused));
  }
  put(skip_unless(BPF_JEQ, SYS_clone, 3));
  put(load(offsetof(seccomp_data, args[0])));
  put(skip_unless(BPF_JSET, namespace_flags, 1));
  put(answer(refused));
  put(answer(SECCOMP_RET_ALLOW));
  return program;
}

}  // namespace

int forbid_system_calls(Sockets sockets) noexcept {
  auto steps = make_program(sockets);
  const sock_fprog program{static_cast<unsigned short>(steps.size()), steps.data()};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

}  // namespace fastgpu::exec
