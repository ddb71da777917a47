#pragma once

/// Takes system calls away from a process and all that it starts, for good.
///
/// Place in the flow: the second half of `confine`. Works on this thread and later ones. What is
/// forbidden fails with EPERM, as it would for want of a privilege; nothing is killed.

namespace fastgpu::exec {

/// What may still be made. `local_packets` are those of this host alone that keep messages apart
/// (AF_UNIX with SOCK_SEQPACKET), as the driver of a GPU listens on one.
enum class Sockets : unsigned char { none, local_packets };

/// Sockets and connections, tracing, namespaces, mounts, changes of rights, kernel interfaces that
/// no kernel of a user needs. 0, or the errno of what failed. Needs no_new_privs to be set.
int forbid_system_calls(Sockets sockets) noexcept;

}  // namespace fastgpu::exec
