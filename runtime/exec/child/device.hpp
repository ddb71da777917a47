#pragma once

/// What the executor process needs of a device, whatever it is.
///
/// Place in the flow: the executor's loop asks `prepare` for each task as it comes, and `run` for
/// one task at a time when its kernel is ready; so the making of one kernel does not hold up
/// others. Threads: all methods on the loop's thread. Failures: in the outcome.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/exec/channel/task_slot.hpp"

namespace fastgpu::exec {

/// A task's kernel on its way.
class PreparedKernel {
 public:
  virtual ~PreparedKernel() = default;
  virtual bool ready() const = 0;
};

struct TaskOutcome {
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
  std::size_t printed_bytes{};  ///< of the task's `printed` part
  ExecutorTimings timings;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual DeviceDescription describe() const = 0;
  /// Null when the device needs no preparing.
  virtual std::unique_ptr<PreparedKernel> prepare(const TaskView& task) = 0;
  /// Writes outputs into the task's slot.
  virtual TaskOutcome run(const TaskView& task, const PreparedKernel* kernel) = 0;
};

}  // namespace fastgpu::exec
