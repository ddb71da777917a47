#pragma once

/// Watches a node's GPUs: what speaks against one goes to its worker, which quarantines it; so does
/// how it is, for people; who uses its memory goes there too, for commands with a limit; left-over
/// processes of commands are ended; what people should know is told in sentences.
///
/// Owned by the node; the work is done on the watch's thread. What is decided is decided by
/// exec::GpuVerdicts and exec::GpuTenants; here are only processes and messages.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <variant>

#include "runtime/exec/cuda/gpu_tenants.hpp"
#include "runtime/exec/cuda/gpu_verdicts.hpp"
#include "runtime/exec/cuda/gpu_watch.hpp"
#include "runtime/protocol/cluster.hpp"
#include "runtime/worker/worker_events.hpp"

namespace fastgpu::node {

/// What the worker of a GPU is told.
using GpuWord = std::variant<worker::DeviceAccused, protocol::DeviceTelemetry, exec::GpuProcesses>;

struct GpuGuardOptions {
  std::set<std::string> devices;    ///< the UUIDs of this node's; others' are none of its business
  std::set<std::uint32_t> wardens;  ///< the numbers in the marks of this node's commands
  std::function<void(const std::string& uuid, const GpuWord&)> tell_worker;
  std::function<void(const std::string&)> tell;  ///< people
};

class GpuGuard {
 public:
  explicit GpuGuard(GpuGuardOptions options);

  void hear(const exec::GpuNews& news);

 private:
  void look_at(const exec::GpuSample& sample);
  void look_at(const exec::GpuProcesses& list);
  exec::GpuTenancy tenancy_of(std::int32_t process) const;
  void send(const std::string& uuid, const GpuWord& word) const;

  const GpuGuardOptions options_;
  exec::GpuVerdicts verdicts_;
  exec::GpuTenants tenants_;
};

/// Starts at once, with the watch's process; null without devices. Both callbacks come on the
/// watch's thread.
std::unique_ptr<exec::GpuWatch> guard_gpus(const std::string& executor_program,
                                           GpuGuardOptions options);

}  // namespace fastgpu::node
