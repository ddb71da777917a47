#include "runtime/base/failure.hpp"

namespace fastgpu::base {

const char* to_word(FailureReason reason) {
  switch (reason) {
    case FailureReason::none:
      return "none";
    case FailureReason::compile_error:
      return "compile_error";
    case FailureReason::bad_kernel:
      return "bad_kernel";
    case FailureReason::bad_argument:
      return "bad_argument";
    case FailureReason::out_of_bounds:
      return "out_of_bounds";
    case FailureReason::kernel_assert:
      return "kernel_assert";
    case FailureReason::barrier_deadlock:
      return "barrier_deadlock";
    case FailureReason::cuda_error:
      return "cuda_error";
    case FailureReason::cuda_out_of_memory:
      return "cuda_out_of_memory";
    case FailureReason::time_limit:
      return "time_limit";
    case FailureReason::input_missing:
      return "input_missing";
    case FailureReason::staging_failed:
      return "staging_failed";
    case FailureReason::node_lost:
      return "node_lost";
    case FailureReason::device_lost:
      return "device_lost";
    case FailureReason::executor_crash:
      return "executor_crash";
    case FailureReason::cancelled:
      return "cancelled";
    case FailureReason::not_supported_on_device:
      return "not_supported_on_device";
    case FailureReason::exit_code:
      return "exit_code";
    case FailureReason::signal:
      return "signal";
    case FailureReason::host_out_of_memory:
      return "host_out_of_memory";
    case FailureReason::disk_full:
      return "disk_full";
    case FailureReason::output_missing:
      return "output_missing";
  }
  return "unknown";
}

}  // namespace fastgpu::base
