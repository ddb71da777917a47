#pragma once

/// Puts a fault record into words for the user.
///
/// Place in the flow: called by the ProcessExecutor after its child ended with a record. Pure.

#include <array>
#include <cstdint>
#include <string>

#include "runtime/base/failure.hpp"
#include "runtime/exec/channel/fault_record.hpp"

namespace fastgpu::exec {

/// What the node itself remembers of the task that faulted.
struct FaultedTask {
  std::string kernel;
  std::array<std::uint32_t, 3> grid;
  std::array<std::uint32_t, 3> block;
};

struct FaultText {
  base::FailureReason reason;
  std::string message;
};

FaultText describe_fault(const FaultRecord& record, const FaultedTask& task);

}  // namespace fastgpu::exec
