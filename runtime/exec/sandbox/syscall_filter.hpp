#pragma once

/// Takes system calls away from a process and all that it starts, for good.
///
/// Place in the flow: the second half of `confine`. Works on this thread and later ones. What is
/// forbidden fails with EPERM, as it would for want of a privilege; nothing is killed.

namespace fastgpu::exec {

/// Sockets, tracing, namespaces, mounts, changes of rights, kernel interfaces that no kernel of a
/// user needs. 0, or the errno of what failed. Needs no_new_privs to be set.
int forbid_system_calls() noexcept;

}  // namespace fastgpu::exec
