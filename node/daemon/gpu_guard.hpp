#pragma once

/// Watches a node's GPUs: what speaks against one goes to its worker, which quarantines it; who
/// uses its memory goes there too, for commands with a limit; left-over processes of commands are
/// ended; what people should know is told in sentences.
///
/// Owned by the node; the work is done on the watch's thread. What is decided is decided by
/// exec::GpuVerdicts and exec::GpuTenants; here are only processes and messages.

#include <caf/all.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/exec/cuda/gpu_watch.hpp"

namespace fastgpu::node {

struct GpuGuardOptions {
  std::string executor_program;
  std::map<std::string, caf::actor> workers;  ///< by the UUID of their device
  std::set<std::uint32_t> wardens;            ///< the numbers in the marks of this node's commands
  std::function<void(const std::string&)> tell;  ///< on the watch's thread
};

/// Null without workers: nothing is to be watched.
std::unique_ptr<exec::GpuWatch> guard_gpus(GpuGuardOptions options);

}  // namespace fastgpu::node
