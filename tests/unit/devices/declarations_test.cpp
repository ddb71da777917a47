// Our own declarations of NVIDIA's interfaces against the toolkit's, where there is one: what is
// wrong does not compile.

#include <gtest/gtest.h>

#include <cstddef>
#include <type_traits>

#include "runtime/exec/cuda/api/driver.hpp"
#include "runtime/exec/cuda/api/nvrtc.hpp"
#include "runtime/exec/cuda/codes.hpp"

namespace fastgpu::exec::cuda {
namespace {

// Before cuda.h, which gives some of these names another meaning.
#define FASTGPU_OURS(name, version, parameters) using Ours_##name = decltype(DriverApi::name);
FASTGPU_DRIVER_FUNCTIONS(FASTGPU_OURS)
#undef FASTGPU_OURS
#define FASTGPU_OURS(name, result, parameters) using Ours_##name = decltype(NvrtcApi::name);
FASTGPU_NVRTC_FUNCTIONS(FASTGPU_OURS)
#undef FASTGPU_OURS

}  // namespace
}  // namespace fastgpu::exec::cuda

#if __has_include(<cuda.h>) && __has_include(<cudaTypedefs.h>) && __has_include(<nvrtc.h>)

#include <cuda.h>
#include <cudaTypedefs.h>
#include <nvrtc.h>

namespace fastgpu::exec::cuda {
namespace {

/// Passed in the same way.
template <class Ours, class Theirs>
constexpr bool same_value() {
  if constexpr (std::is_pointer_v<Ours> || std::is_pointer_v<Theirs>)
    return std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>;
  else
    return sizeof(Ours) == sizeof(Theirs) &&
           std::is_floating_point_v<Ours> == std::is_floating_point_v<Theirs>;
}

template <class Ours, class Theirs>
struct SameFunction : std::false_type {};
template <class R1, class... P1, class R2, class... P2>
struct SameFunction<R1 (*)(P1...), R2 (*)(P2...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(P1) != sizeof...(P2))
      return false;
    else
      return same_value<R1, R2>() && (same_value<P1, P2>() && ...);
  }();
};

#define FASTGPU_SAME(name, version, parameters) \
  static_assert(SameFunction<Ours_##name, PFN_##name##_v##version>::value, #name);
FASTGPU_DRIVER_FUNCTIONS(FASTGPU_SAME)
#undef FASTGPU_SAME
#define FASTGPU_SAME(name, result, parameters) \
  static_assert(SameFunction<Ours_##name, decltype(&::name)>::value, #name);
FASTGPU_NVRTC_FUNCTIONS(FASTGPU_SAME)
#undef FASTGPU_SAME
static_assert(SameFunction<GetProcAddress, PFN_cuGetProcAddress_v12000>::value);

static_assert(sizeof(Uuid) == sizeof(CUuuid));
static_assert(sizeof(LaunchConfig) == sizeof(CUlaunchConfig));
static_assert(offsetof(LaunchConfig, grid) == offsetof(CUlaunchConfig, gridDimX));
static_assert(offsetof(LaunchConfig, block) == offsetof(CUlaunchConfig, blockDimX));
static_assert(offsetof(LaunchConfig, shared_bytes) == offsetof(CUlaunchConfig, sharedMemBytes));
static_assert(offsetof(LaunchConfig, stream) == offsetof(CUlaunchConfig, hStream));
static_assert(offsetof(LaunchConfig, attribute_count) == offsetof(CUlaunchConfig, numAttrs));
static_assert(sizeof(MemoryPoolProperties) == sizeof(CUmemPoolProps));
static_assert(offsetof(MemoryPoolProperties, location_type) == offsetof(CUmemPoolProps, location));
static_assert(offsetof(MemoryPoolProperties, bytes_max) == offsetof(CUmemPoolProps, maxSize));

template <auto Ours, auto Theirs>
constexpr bool same = static_cast<long>(Ours) == static_cast<long>(Theirs);
static_assert(
    same<DeviceAttribute::multiprocessor_count, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT>);
static_assert(same<DeviceAttribute::major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR>);
static_assert(same<DeviceAttribute::minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR>);
static_assert(same<DeviceAttribute::shared_bytes_optin_max,
                   CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN>);
static_assert(same<DeviceAttribute::memory_pools, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED>);
static_assert(same<KernelAttribute::threads_max, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK>);
static_assert(same<KernelAttribute::static_shared_bytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES>);
static_assert(same<KernelAttribute::local_bytes, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES>);
static_assert(same<KernelAttribute::registers, CU_FUNC_ATTRIBUTE_NUM_REGS>);
static_assert(same<KernelAttribute::dynamic_shared_bytes_max,
                   CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES>);
static_assert(same<Limit::stack_bytes, CU_LIMIT_STACK_SIZE>);
static_assert(same<Limit::printf_bytes, CU_LIMIT_PRINTF_FIFO_SIZE>);
static_assert(same<Limit::malloc_bytes, CU_LIMIT_MALLOC_HEAP_SIZE>);
static_assert(same<PoolAttribute::release_threshold, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD>);
static_assert(same<PoolAttribute::reserved_current, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT>);
static_assert(same<PoolAttribute::used_current, CU_MEMPOOL_ATTR_USED_MEM_CURRENT>);
static_assert(same<JitOption::error_log, CU_JIT_ERROR_LOG_BUFFER>);
static_assert(same<JitOption::error_log_bytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES>);
static_assert(same<context_blocking_sync, CU_CTX_SCHED_BLOCKING_SYNC>);
static_assert(same<stream_non_blocking, CU_STREAM_NON_BLOCKING>);
static_assert(same<event_default, CU_EVENT_DEFAULT>);
static_assert(same<event_blocking_sync, CU_EVENT_BLOCKING_SYNC>);
static_assert(same<host_register_portable, CU_MEMHOSTREGISTER_PORTABLE>);
static_assert(same<location_device, CU_MEM_LOCATION_TYPE_DEVICE>);
static_assert(same<allocation_pinned, CU_MEM_ALLOCATION_TYPE_PINNED>);

static_assert(same<success, CUDA_SUCCESS>);
static_assert(same<invalid_value, CUDA_ERROR_INVALID_VALUE>);
static_assert(same<out_of_memory, CUDA_ERROR_OUT_OF_MEMORY>);
static_assert(same<stub_library, CUDA_ERROR_STUB_LIBRARY>);
static_assert(same<device_unavailable, CUDA_ERROR_DEVICE_UNAVAILABLE>);
static_assert(same<no_device, CUDA_ERROR_NO_DEVICE>);
static_assert(same<invalid_device, CUDA_ERROR_INVALID_DEVICE>);
static_assert(same<invalid_image, CUDA_ERROR_INVALID_IMAGE>);
static_assert(same<no_binary_for_gpu, CUDA_ERROR_NO_BINARY_FOR_GPU>);
static_assert(same<ecc_uncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE>);
static_assert(same<invalid_ptx, CUDA_ERROR_INVALID_PTX>);
static_assert(same<nvlink_uncorrectable, CUDA_ERROR_NVLINK_UNCORRECTABLE>);
static_assert(same<no_jit_compiler, CUDA_ERROR_JIT_COMPILER_NOT_FOUND>);
static_assert(same<unsupported_ptx_version, CUDA_ERROR_UNSUPPORTED_PTX_VERSION>);
static_assert(same<contained, CUDA_ERROR_CONTAINED>);
static_assert(same<not_found, CUDA_ERROR_NOT_FOUND>);
static_assert(same<not_ready, CUDA_ERROR_NOT_READY>);
static_assert(same<illegal_address, CUDA_ERROR_ILLEGAL_ADDRESS>);
static_assert(same<launch_out_of_resources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES>);
static_assert(same<launch_timeout, CUDA_ERROR_LAUNCH_TIMEOUT>);
static_assert(same<assert_failed, CUDA_ERROR_ASSERT>);
static_assert(same<hardware_stack_error, CUDA_ERROR_HARDWARE_STACK_ERROR>);
static_assert(same<illegal_instruction, CUDA_ERROR_ILLEGAL_INSTRUCTION>);
static_assert(same<misaligned_address, CUDA_ERROR_MISALIGNED_ADDRESS>);
static_assert(same<invalid_address_space, CUDA_ERROR_INVALID_ADDRESS_SPACE>);
static_assert(same<invalid_pc, CUDA_ERROR_INVALID_PC>);
static_assert(same<launch_failed, CUDA_ERROR_LAUNCH_FAILED>);
static_assert(same<tensor_memory_leak, CUDA_ERROR_TENSOR_MEMORY_LEAK>);
static_assert(same<system_not_ready, CUDA_ERROR_SYSTEM_NOT_READY>);
static_assert(same<system_driver_mismatch, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH>);
static_assert(same<mps_client_terminated, CUDA_ERROR_MPS_CLIENT_TERMINATED>);
static_assert(same<external_device, CUDA_ERROR_EXTERNAL_DEVICE>);
static_assert(same<unknown, CUDA_ERROR_UNKNOWN>);
static_assert(same<nvrtc_success, NVRTC_SUCCESS>);
static_assert(same<nvrtc_out_of_memory, NVRTC_ERROR_OUT_OF_MEMORY>);
static_assert(same<nvrtc_invalid_option, NVRTC_ERROR_INVALID_OPTION>);
static_assert(same<nvrtc_compilation, NVRTC_ERROR_COMPILATION>);
static_assert(same<nvrtc_name_not_valid, NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID>);
static_assert(same<nvrtc_cancelled, NVRTC_ERROR_CANCELLED>);

TEST(CudaDeclarations, AreTheToolkits) {
  SUCCEED() << "checked while this was compiled";
}

}  // namespace
}  // namespace fastgpu::exec::cuda

#else

TEST(CudaDeclarations, AreTheToolkits) {
  GTEST_SKIP() << "there was no CUDA toolkit where this was built: nothing to compare with";
}

#endif
