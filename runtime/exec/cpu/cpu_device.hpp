#pragma once

/// The device that runs CUDA C++ kernels on the host's processor.
///
/// Place in the flow: inside fastgpu-executor. Checks a task's shape and arguments against the
/// compiled kernel, gives each buffer guarded memory, launches, looks for writes past the borders,
/// and copies the outputs out. Failures: by reason, in the words of users; a kernel that faults
/// ends the process (fault_handler.hpp). Limits: `memory_bytes` for the buffers and variables of
/// one task; beside them its malloc has a small heap (device_heap.hpp).

#include <array>
#include <memory>
#include <vector>

#include "runtime/exec/child/device.hpp"
#include "runtime/exec/cpu/kernel_cache.hpp"
#include "runtime/exec/cpu/run/guarded_buffer.hpp"
#include "runtime/exec/cpu/run/launcher.hpp"

namespace fastgpu::exec {

struct CpuDeviceOptions {
  unsigned threads{0};            ///< 0 = all that the process may use
  std::uint64_t memory_bytes{0};  ///< 0 = half of the host's memory
  unsigned ordinal{0};
  KernelCacheOptions cache;
};

class CpuDevice final : public Device {
 public:
  /// `changed` is called on another thread when a kernel has become ready.
  CpuDevice(CpuDeviceOptions options, std::function<void()> changed);
  DeviceDescription describe() const override;
  std::unique_ptr<PreparedKernel> prepare(const TaskView& task) override;
  TaskOutcome run(const TaskView& task, const PreparedKernel* kernel) override;

 private:
  struct Buffers;
  base::FailureReason place_arguments(const TaskView& task, std::uint64_t global_bytes,
                                      Buffers& buffers, std::string& message);
  static std::string take_outputs(const TaskView& task, const Buffers& buffers);

  CpuDeviceOptions options_;
  KernelCache cache_;
  Launcher launcher_;
  BufferPool pool_;
};

/// Checks the job's arguments against the kernel's parameters; empty if they fit. On success the
/// scalars' bytes are as wide as the parameters.
std::string check_arguments(const TaskView& task, const abi::FastgpuKernel& kernel);

}  // namespace fastgpu::exec
