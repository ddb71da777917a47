#pragma once

/// The device that does nothing, at once: outputs are zero. For measuring what is around it.

#include "runtime/exec/child/device.hpp"

namespace fastgpu::exec {

class NullDevice final : public Device {
 public:
  DeviceDescription describe() const override;
  std::unique_ptr<PreparedKernel> prepare(const TaskView&) override { return nullptr; }
  TaskOutcome run(const TaskView& task, const PreparedKernel*) override;
};

}  // namespace fastgpu::exec
