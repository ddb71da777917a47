#pragma once

/// Why one execution of a task did not succeed: the closed list that users see.

#include <cstdint>

namespace fastgpu::base {

enum class FailureReason : std::uint8_t {
  none,
  compile_error,
  bad_kernel,
  bad_argument,
  out_of_bounds,
  kernel_assert,
  barrier_deadlock,
  cuda_error,
  cuda_out_of_memory,  ///< of the device's memory, on a CPU device too
  time_limit,
  input_missing,
  staging_failed,
  node_lost,
  device_lost,
  executor_crash,
  cancelled,
  not_supported_on_device,
  exit_code,
  signal,
  host_out_of_memory,
  disk_full,
  output_missing,
};
inline constexpr FailureReason failure_reason_last = FailureReason::output_missing;

/// True for failures that are not the job's own: they do not use up the user's retries.
constexpr bool is_infrastructure(FailureReason reason) {
  return reason == FailureReason::node_lost || reason == FailureReason::device_lost ||
         reason == FailureReason::staging_failed;
}

/// The word in tables and JSON, such as "out_of_bounds"; "none" for success.
const char* to_word(FailureReason reason);

}  // namespace fastgpu::base
