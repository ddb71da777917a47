#pragma once

/// What the warden gives a sandbox's keeper beside its words: a pipe to report through, and the
/// command's environment.
///
/// The keeper itself starts with an environment of the warden's: its own loader would obey what a
/// user sets (LD_PRELOAD and the like) before any wall stands. The command's variables reach it
/// in a memory file of options, which also keeps their values out of the host's list of processes.

#include <string>
#include <vector>

#include "runtime/exec/channel/shared_memory.hpp"

namespace fastgpu::exec {

struct Keeper {
  FileDescriptor report_read;   ///< the warden's end
  FileDescriptor report_write;  ///< the keeper's end
  FileDescriptor options;       ///< the keeper reads them at its start
  explicit operator bool() const { return report_read && report_write && options; }
};

/// No ends if the system refuses, with errno.
Keeper make_keeper(const std::vector<std::string>& command_env);
/// What to put behind the keeper's own name.
std::vector<std::string> keeper_words(const Keeper& keeper);
/// The environment that the keeper itself starts with: the marker, by which leftovers are found.
std::vector<std::string> keeper_env(const std::string& marker);
/// True if what the keeper wrote says that the command's program was begun and ended.
bool keeper_saw_end(const std::string& report);

}  // namespace fastgpu::exec
