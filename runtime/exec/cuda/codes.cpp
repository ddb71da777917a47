#include "runtime/exec/cuda/codes.hpp"

namespace fastgpu::exec::cuda {
namespace {

using base::FailureReason;

struct Row {
  Code code;
  const char* name;
  bool sticky;
  FailureReason reason;
  const char* meaning;
};

constexpr Row rows[] = {
    {invalid_value, "CUDA_ERROR_INVALID_VALUE", false, FailureReason::cuda_error, ""},
    {out_of_memory, "CUDA_ERROR_OUT_OF_MEMORY", false, FailureReason::cuda_out_of_memory,
     "the device has too little free memory"},
    {stub_library, "CUDA_ERROR_STUB_LIBRARY", false, FailureReason::device_lost,
     "the library is the toolkit's link stub, not a driver"},
    {device_unavailable, "CUDA_ERROR_DEVICE_UNAVAILABLE", false, FailureReason::device_lost,
     "the device is busy with somebody who has it for himself, or unavailable"},
    {no_device, "CUDA_ERROR_NO_DEVICE", true, FailureReason::device_lost,
     "the driver finds no device"},
    {invalid_device, "CUDA_ERROR_INVALID_DEVICE", true, FailureReason::device_lost,
     "the device is gone"},
    {invalid_image, "CUDA_ERROR_INVALID_IMAGE", false, FailureReason::bad_kernel,
     "the kernel's image is not one that the driver takes"},
    {no_binary_for_gpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", false, FailureReason::bad_kernel,
     "the kernel's image is built for other devices"},
    {ecc_uncorrectable, "CUDA_ERROR_ECC_UNCORRECTABLE", true, FailureReason::device_lost,
     "the device's memory has an error that cannot be corrected"},
    {invalid_ptx, "CUDA_ERROR_INVALID_PTX", false, FailureReason::bad_kernel,
     "the driver cannot compile the PTX"},
    {nvlink_uncorrectable, "CUDA_ERROR_NVLINK_UNCORRECTABLE", true, FailureReason::device_lost,
     "a link between devices failed"},
    {no_jit_compiler, "CUDA_ERROR_JIT_COMPILER_NOT_FOUND", false,
     FailureReason::not_supported_on_device, "this host's driver cannot compile PTX"},
    {unsupported_ptx_version, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", false,
     FailureReason::bad_kernel, "the PTX is newer than this host's driver"},
    {contained, "CUDA_ERROR_CONTAINED", true, FailureReason::device_lost,
     "an error of the device was contained in this process"},
    {operating_system, "CUDA_ERROR_OPERATING_SYSTEM", false, FailureReason::cuda_error,
     "the host refused the driver a system call or a file"},
    {not_found, "CUDA_ERROR_NOT_FOUND", false, FailureReason::bad_kernel, ""},
    {not_ready, "CUDA_ERROR_NOT_READY", false, FailureReason::cuda_error, ""},
    {illegal_address, "CUDA_ERROR_ILLEGAL_ADDRESS", true, FailureReason::out_of_bounds,
     "the kernel used memory outside its buffers"},
    {launch_out_of_resources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", false,
     FailureReason::bad_argument, "a block needs more registers or threads than there are"},
    {launch_timeout, "CUDA_ERROR_LAUNCH_TIMEOUT", true, FailureReason::time_limit,
     "the driver's watchdog ended the kernel, because the device also drives a display"},
    {assert_failed, "CUDA_ERROR_ASSERT", true, FailureReason::kernel_assert,
     "an assertion in the kernel failed"},
    {hardware_stack_error, "CUDA_ERROR_HARDWARE_STACK_ERROR", true, FailureReason::cuda_error,
     "a thread's call stack is broken or too small"},
    {illegal_instruction, "CUDA_ERROR_ILLEGAL_INSTRUCTION", true, FailureReason::cuda_error,
     "an illegal instruction was executed"},
    {misaligned_address, "CUDA_ERROR_MISALIGNED_ADDRESS", true, FailureReason::out_of_bounds,
     "the kernel used an address that is not a multiple of the value's size"},
    {invalid_address_space, "CUDA_ERROR_INVALID_ADDRESS_SPACE", true, FailureReason::out_of_bounds,
     "an instruction got an address of a memory that it cannot use"},
    {invalid_pc, "CUDA_ERROR_INVALID_PC", true, FailureReason::cuda_error,
     "the kernel jumped to where there is no code"},
    {launch_failed, "CUDA_ERROR_LAUNCH_FAILED", true, FailureReason::cuda_error,
     "the kernel failed while it ran"},
    {tensor_memory_leak, "CUDA_ERROR_TENSOR_MEMORY_LEAK", true, FailureReason::cuda_error,
     "the kernel ended without freeing its tensor memory"},
    {system_not_ready, "CUDA_ERROR_SYSTEM_NOT_READY", false, FailureReason::device_lost,
     "a service that the device needs does not run: nvidia-fabricmanager, on NVSwitch hosts"},
    {system_driver_mismatch, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", false, FailureReason::device_lost,
     "the driver's library and its kernel module are of different versions: restart the host"},
    {mps_client_terminated, "CUDA_ERROR_MPS_CLIENT_TERMINATED", true, FailureReason::device_lost,
     "another process that shares the device through MPS has failed"},
    {external_device, "CUDA_ERROR_EXTERNAL_DEVICE", true, FailureReason::device_lost,
     "something that the device works with has failed"},
    {unknown, "CUDA_ERROR_UNKNOWN", true, FailureReason::device_lost, ""},
};

const Row* find(Code code) {
  for (const Row& row : rows)
    if (row.code == code)
      return &row;
  return nullptr;
}

}  // namespace

bool is_sticky(Code code) {
  const Row* row = find(code);
  return row != nullptr && row->sticky;
}

base::FailureReason reason_of(Code code) {
  const Row* row = find(code);
  return row != nullptr ? row->reason : FailureReason::cuda_error;
}

const char* name_of(Code code) {
  const Row* row = find(code);
  return row != nullptr ? row->name : "CUDA_ERROR";
}

const char* meaning_of(Code code) {
  const Row* row = find(code);
  return row != nullptr ? row->meaning : "";
}

std::string describe(const DriverApi& api, Code code) {
  const char* name = nullptr;
  const char* text = nullptr;
  if (api.cuGetErrorName == nullptr || api.cuGetErrorName(code, &name) != success)
    name = nullptr;
  if (api.cuGetErrorString == nullptr || api.cuGetErrorString(code, &text) != success)
    text = nullptr;
  std::string result =
      std::string(name != nullptr ? name : name_of(code)) + " (" + std::to_string(code) + ")";
  if (text != nullptr)
    result += std::string(": ") + text;
  return result;
}

const char* release_of(int version) {
  static constexpr struct {
    int version;
    const char* release;
  } releases[] = {{12000, " (r525)"}, {12010, " (r530)"}, {12020, " (r535)"}, {12030, " (r545)"},
                  {12040, " (r550)"}, {12050, " (r555)"}, {12060, " (r560)"}, {12070, " (r565)"},
                  {12080, " (r570)"}, {12090, " (r575)"}, {13000, " (r580)"}};
  for (const auto& one : releases)
    if (one.version == version)
      return one.release;
  return "";
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace fastgpu::exec::cuda
