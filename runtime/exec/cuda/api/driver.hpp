#pragma once

/// What FastGPU uses of NVIDIA's driver, declared by itself: no toolkit is needed to build.
///
/// Place in the flow: the loader (libraries.hpp) fills a DriverApi; the CUDA device calls through
/// it; the tests' fake driver implements it. Values, layouts and signatures are those of the
/// driver's stable C interface; a test compares them with cuda.h where a toolkit is present. Only
/// what is used is listed; a missing function is a null pointer, and the loader says which.

#include <cstddef>
#include <cstdint>

namespace fastgpu::exec::cuda {

using Code = int;    ///< CUresult; those that matter are in cuda_codes.hpp
using Device = int;  ///< an ordinal among those that this process sees
using DevicePointer = unsigned long long;
using Context = struct ContextHandle*;
using Library = struct LibraryHandle*;
using Kernel = struct KernelHandle*;
using Stream = struct StreamHandle*;
using Event = struct EventHandle*;
using MemoryPool = struct MemoryPoolHandle*;

struct Uuid {
  char bytes[16];
};

enum class DeviceAttribute : int {
  multiprocessor_count = 16,
  major = 75,
  minor = 76,
  shared_bytes_optin_max = 97,
  memory_pools = 115,
};

enum class KernelAttribute : int {
  threads_max = 0,
  static_shared_bytes = 1,
  local_bytes = 3,
  registers = 4,
  dynamic_shared_bytes_max = 8,
};

enum class Limit : int { stack_bytes = 0, printf_bytes = 1, malloc_bytes = 2 };
enum class PoolAttribute : int {
  release_threshold = 4,
  reserved_current = 5,
  used_current = 7,
};
enum class JitOption : int { error_log = 5, error_log_bytes = 6 };

inline constexpr unsigned context_blocking_sync = 4;
inline constexpr unsigned stream_non_blocking = 1;
inline constexpr unsigned event_default = 0;
inline constexpr unsigned event_blocking_sync = 1;
inline constexpr unsigned host_register_portable = 1;
inline constexpr int location_device = 1;
inline constexpr int allocation_pinned = 1;

struct MemoryPoolProperties {
  int allocation_type;
  int handle_types;
  int location_type;
  int location_id;
  void* security_attributes;
  std::size_t bytes_max;
  unsigned short usage;
  unsigned char reserved[54];
};

struct LaunchConfig {
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
  Stream stream;
  void* attributes;
  unsigned attribute_count;
};

/// X(name, the version of its signature as cuGetProcAddress takes it, parameters).
#define FASTGPU_DRIVER_FUNCTIONS(X)                                                                \
  X(cuInit, 2000, (unsigned flags))                                                                \
  X(cuDriverGetVersion, 2020, (int* version))                                                      \
  X(cuGetErrorName, 6000, (Code code, const char** name))                                          \
  X(cuGetErrorString, 6000, (Code code, const char** text))                                        \
  X(cuDeviceGetCount, 2000, (int* count))                                                          \
  X(cuDeviceGet, 2000, (Device * device, int ordinal))                                             \
  X(cuDeviceGetName, 2000, (char* name, int bytes, Device device))                                 \
  X(cuDeviceGetUuid, 11040, (Uuid * uuid, Device device))                                          \
  X(cuDeviceTotalMem, 3020, (std::size_t * bytes, Device device))                                  \
  X(cuDeviceGetAttribute, 2000, (int* value, DeviceAttribute which, Device device))                \
  X(cuDeviceGetPCIBusId, 4010, (char* text, int bytes, Device device))                             \
  X(cuDevicePrimaryCtxSetFlags, 11000, (Device device, unsigned flags))                            \
  X(cuDevicePrimaryCtxRetain, 7000, (Context * context, Device device))                            \
  X(cuCtxSetCurrent, 4000, (Context context))                                                      \
  X(cuCtxSetLimit, 3010, (Limit which, std::size_t value))                                         \
  X(cuLibraryLoadData, 12000,                                                                      \
    (Library * library, const void* image, JitOption* options, void** values, unsigned count,      \
     int* library_options, void** library_values, unsigned library_count))                         \
  X(cuLibraryUnload, 12000, (Library library))                                                     \
  X(cuLibraryGetKernel, 12000, (Kernel * kernel, Library library, const char* name))               \
  X(cuLibraryGetKernelCount, 12040, (unsigned* count, Library library))                            \
  X(cuLibraryEnumerateKernels, 12040, (Kernel * kernels, unsigned count, Library library))         \
  X(cuKernelGetName, 12030, (const char** name, Kernel kernel))                                    \
  X(cuKernelGetParamInfo, 12040,                                                                   \
    (Kernel kernel, std::size_t index, std::size_t * offset, std::size_t * bytes))                 \
  X(cuKernelGetAttribute, 12000,                                                                   \
    (int* value, KernelAttribute which, Kernel kernel, Device device))                             \
  X(cuKernelSetAttribute, 12000, (KernelAttribute which, int value, Kernel kernel, Device device)) \
  X(cuStreamCreate, 2000, (Stream * stream, unsigned flags))                                       \
  X(cuStreamSynchronize, 2000, (Stream stream))                                                    \
  X(cuEventCreate, 2000, (Event * event, unsigned flags))                                          \
  X(cuEventRecord, 2000, (Event event, Stream stream))                                             \
  X(cuEventQuery, 2000, (Event event))                                                             \
  X(cuEventSynchronize, 2000, (Event event))                                                       \
  X(cuEventElapsedTime, 2000, (float* milliseconds, Event from, Event to))                         \
  X(cuMemGetInfo, 3020, (std::size_t * free, std::size_t * total))                                 \
  X(cuMemHostRegister, 6050, (void* begin, std::size_t bytes, unsigned flags))                     \
  X(cuMemPoolCreate, 11020, (MemoryPool * pool, const MemoryPoolProperties* properties))           \
  X(cuMemPoolSetAttribute, 11020, (MemoryPool pool, PoolAttribute which, void* value))             \
  X(cuMemPoolGetAttribute, 11020, (MemoryPool pool, PoolAttribute which, void* value))             \
  X(cuMemPoolTrimTo, 11020, (MemoryPool pool, std::size_t bytes_kept))                             \
  X(cuMemAllocFromPoolAsync, 11020,                                                                \
    (DevicePointer * pointer, std::size_t bytes, MemoryPool pool, Stream stream))                  \
  X(cuMemFreeAsync, 11020, (DevicePointer pointer, Stream stream))                                 \
  X(cuMemsetD8Async, 3020,                                                                         \
    (DevicePointer to, unsigned char value, std::size_t bytes, Stream stream))                     \
  X(cuMemcpyHtoDAsync, 3020,                                                                       \
    (DevicePointer to, const void* from, std::size_t bytes, Stream stream))                        \
  X(cuMemcpyDtoHAsync, 3020, (void* to, DevicePointer from, std::size_t bytes, Stream stream))     \
  X(cuLaunchKernelEx, 11060,                                                                       \
    (const LaunchConfig* config, Kernel kernel, void** arguments, void** extra))

struct DriverApi {
#define FASTGPU_DECLARE(name, version, parameters) Code(*name) parameters = nullptr;
  FASTGPU_DRIVER_FUNCTIONS(FASTGPU_DECLARE)
#undef FASTGPU_DECLARE
};

/// How the driver is asked for all others: the one symbol that is looked up by name.
using GetProcAddress = Code (*)(const char* name, void** function, int version, std::uint64_t flags,
                                int* why);

}  // namespace fastgpu::exec::cuda
