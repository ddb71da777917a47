#pragma once

/// The device that runs kernels on one NVIDIA GPU, or on one slice of one.
///
/// Place in the flow: inside fastgpu-executor, in place of the CPU device. Takes a task's kernel
/// from the cache, which has NVRTC make it, or as PTX or machine code from the task itself; checks
/// the arguments against it; gives each buffer memory of the pool, copies in, launches, copies out.
/// Failures: by reason, in the words of users. An error that the driver calls sticky is written to
/// the fault record and ends the process at once: nothing in it can be trusted any more, and the
/// next process starts with a clean context.
/// What a task leaves in memory is wiped before the next one gets it.
/// Limits: `memory_bytes` for the buffers of one task.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/exec/channel/fault_record.hpp"
#include "runtime/exec/child/device.hpp"
#include "runtime/exec/cpu/kernel_cache.hpp"
#include "runtime/exec/cuda/loaded_kernels.hpp"
#include "runtime/exec/cuda/printed_text.hpp"
#include "runtime/exec/cuda/session.hpp"

namespace fastgpu::exec {

struct CudaDeviceOptions {
  CudaSessionOptions session;
  std::string child_program;  ///< fastgpu-executor, for compiling
  char* arena{nullptr};       ///< where tasks lie: locked in memory once
  std::size_t arena_bytes{0};
  FaultRecord* fault{nullptr};
};

class CudaDevice final : public Device {
 public:
  /// `changed` is called on another thread when a kernel has become ready.
  static base::Result<std::unique_ptr<Device>> open(const CudaDeviceOptions& options,
                                                    std::function<void()> changed);

  DeviceDescription describe() const override;
  std::unique_ptr<PreparedKernel> prepare(const TaskView& task) override;
  TaskOutcome run(const TaskView& task, const PreparedKernel* kernel) override;

 private:
  struct Launch;
  CudaDevice(CudaSession session, const CudaDeviceOptions& options, std::function<void()> changed);
  bool place_arguments(Launch& launch);
  bool set_shared_memory(Launch& launch, LoadedGpuKernel& kernel);
  bool start(Launch& launch, const LoadedGpuKernel& kernel);
  bool take_outputs(Launch& launch);
  void give_back(Launch& launch);
  bool check(Launch& launch, cuda::Code code, const char* during);
  std::string explain_resources(const Launch& launch) const;
  void tell_failed_assert(FaultRecord& fault);
  [[noreturn]] void end_process(std::uint64_t token, cuda::Code code, const char* during);

  const CudaSession session_;
  FaultRecord* const fault_;
  KernelCache cache_;
  LoadedKernels loaded_;
  PrintedText printed_;
  PrintedText told_;  ///< of failed assertions
  const std::vector<char> nothing_;
};

}  // namespace fastgpu::exec
