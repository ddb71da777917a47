#pragma once

/// Walls that a process puts up around itself, for good: Landlock for files, a filter for system
/// calls.
///
/// Place in the flow: the executor confines itself before it loads the first kernel, and the
/// compile child once more before it becomes a compiler. It costs some 0.1 ms and no further
/// process, where a sandbox of bubblewrap's costs 5 ms; what is started from a confined process is
/// confined too, and can start no sandbox. Must be called while the process has one thread.
/// Failures: a kernel without Landlock (before 5.19, or switched off) is told as a sentence, and
/// then nothing has been done. After any other failure half of it may be done: the process must
/// end. Inside: no file, device or socket but those named, no other process to trace or (from Linux
/// 6.12 on) to signal, no namespaces, no change of anybody's rights. That a path exists, and its
/// size and age, can still be asked.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/sandbox/syscall_filter.hpp"

namespace fastgpu::exec {

/// Folders stand for all below them. What does not exist is left out.
struct AllowedFiles {
  std::vector<std::string> readable;  ///< may be executed too
  std::vector<std::string> writable;  ///< may be read, not executed
  std::vector<std::string> fillable;  ///< what is there may be read, written and cut, none made
  std::vector<std::string> devices;   ///< may be read, written and asked things of their own
};

/// Where compilers, libraries and the loader's cache are on this host.
std::vector<std::string> system_folders();

/// Of the kernel's Landlock; 0 or less: there is none.
long landlock_version() noexcept;

/// What `confine` needs is there.
bool can_confine() noexcept;

base::Status confine(const AllowedFiles& allowed, Sockets sockets = Sockets::none);

}  // namespace fastgpu::exec
