#pragma once

/// What the executor gives up before it runs the first kernel: kernels are native code, and nothing
/// else stands between them and the host.
///
/// Place in the flow: called by the program's main while there is one thread. Root becomes the
/// user that the node has claimed for its kernels, or, where that one cannot reach their folder,
/// root without any privilege; then no file but the system's, the kernels' folder and a few about
/// the processor; no sockets, no other processes.
/// The node's data, its keys and users' homes are out of reach, by whatever name.
/// Failures: a wall that this host has and that cannot be put up ends the start. A host without
/// Landlock gives the change of user alone; `Walls::word` says what it came to.
/// A change of user clears the death signal: set it afterwards.

#include <string>

#include "runtime/base/result.hpp"
#include "runtime/exec/child/executor_loop.hpp"

namespace fastgpu::exec {

struct ExecutorWalls {
  std::string word;  ///< "landlock", "uid only", "none": for people, travels in the hello
};

base::Result<ExecutorWalls> raise_walls(const ExecutorProcessOptions& options);

}  // namespace fastgpu::exec
