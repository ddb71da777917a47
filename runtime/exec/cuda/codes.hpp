#pragma once

/// What the driver's error codes mean for a task and for the process.
///
/// Place in the flow: the CUDA device asks for every code that is not 0. Pure. A *sticky* code
/// comes back from every later call: cuda.h says of most that the process must be relaunched, and
/// no recovery inside it is tried. Codes that are not known are errors of CUDA and not sticky; if
/// one is, the next task meets it again and it ends the process all the same (see CudaDevice).

#include <string>

#include "runtime/base/failure.hpp"
#include "runtime/exec/cuda/api/driver.hpp"

namespace fastgpu::exec::cuda {

inline constexpr Code success = 0;
inline constexpr Code invalid_value = 1;
inline constexpr Code out_of_memory = 2;
inline constexpr Code stub_library = 34;
inline constexpr Code device_unavailable = 46;
inline constexpr Code no_device = 100;
inline constexpr Code invalid_device = 101;
inline constexpr Code invalid_image = 200;
inline constexpr Code no_binary_for_gpu = 209;
inline constexpr Code ecc_uncorrectable = 214;
inline constexpr Code invalid_ptx = 218;
inline constexpr Code nvlink_uncorrectable = 220;
inline constexpr Code no_jit_compiler = 221;
inline constexpr Code unsupported_ptx_version = 222;
inline constexpr Code contained = 226;
inline constexpr Code operating_system = 304;
inline constexpr Code not_found = 500;
inline constexpr Code not_ready = 600;
inline constexpr Code illegal_address = 700;
inline constexpr Code launch_out_of_resources = 701;
inline constexpr Code launch_timeout = 702;
inline constexpr Code assert_failed = 710;
inline constexpr Code hardware_stack_error = 714;
inline constexpr Code illegal_instruction = 715;
inline constexpr Code misaligned_address = 716;
inline constexpr Code invalid_address_space = 717;
inline constexpr Code invalid_pc = 718;
inline constexpr Code launch_failed = 719;
inline constexpr Code tensor_memory_leak = 721;
inline constexpr Code system_not_ready = 802;
inline constexpr Code system_driver_mismatch = 803;
inline constexpr Code mps_client_terminated = 810;
inline constexpr Code external_device = 911;
inline constexpr Code unknown = 999;

/// Whether the process must end.
bool is_sticky(Code code);

/// Why a task fails that met the code while it ran. Never none.
base::FailureReason reason_of(Code code);

/// The code's name as cuda.h spells it, for those above; "CUDA_ERROR" for others. The driver knows
/// all of them, but it may be what has failed.
const char* name_of(Code code);

/// What the code says about the kernel, in the words of users; empty where only the name helps.
const char* meaning_of(Code code);

/// "CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered", as the driver says
/// it where it can.
std::string describe(const DriverApi& api, Code code);

/// " (r580)" of 13000: the first driver that knows this CUDA; empty for versions that are not
/// known.
const char* release_of(int version);

/// "12.4" of 12040.
std::string version_text(int version);

}  // namespace fastgpu::exec::cuda
