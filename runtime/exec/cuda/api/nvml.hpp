#pragma once

/// What FastGPU uses of NVML, NVIDIA's management library. It is no part of the toolkit, so nothing
/// can compare this with a header; layouts are those of version 2 of the interface and later.

#include <cstdint>

namespace fastgpu::exec::cuda {

using NvmlCode = int;
using NvmlDevice = struct NvmlDeviceHandle*;
using NvmlEventSet = struct NvmlEventSetHandle*;

inline constexpr NvmlCode nvml_success = 0;
inline constexpr NvmlCode nvml_not_supported = 3;
inline constexpr NvmlCode nvml_insufficient_size = 7;
inline constexpr NvmlCode nvml_timeout = 10;
inline constexpr NvmlCode nvml_gpu_is_lost = 15;

inline constexpr int nvml_temperature_gpu = 0;
inline constexpr int nvml_ecc_uncorrected = 1;
inline constexpr int nvml_ecc_volatile = 0;
inline constexpr unsigned long long nvml_event_xid = 8;

struct NvmlUtilization {
  unsigned gpu_percent;
  unsigned memory_percent;
};
struct NvmlMemory {
  unsigned long long total_bytes;
  unsigned long long free_bytes;
  unsigned long long used_bytes;
};
struct NvmlProcess {
  unsigned process;  ///< pid
  unsigned long long used_bytes;
  unsigned gpu_instance;
  unsigned compute_instance;
};
/// In the place of a number that NVML does not have.
inline constexpr unsigned long long nvml_not_available = ~0ull;
struct NvmlEvent {
  NvmlDevice device;
  unsigned long long type;
  unsigned long long data;  ///< the Xid
  unsigned gpu_instance;    ///< `nvml_no_instance` if it is about the whole device
  unsigned compute_instance;
};
inline constexpr unsigned nvml_no_instance = 0xffffffff;

/// X(name of the symbol, parameters).
#define FASTGPU_NVML_FUNCTIONS(X)                                                                \
  X(nvmlInit_v2, ())                                                                             \
  X(nvmlShutdown, ())                                                                            \
  X(nvmlSystemGetDriverVersion, (char* text, unsigned bytes))                                    \
  X(nvmlDeviceGetCount_v2, (unsigned* count))                                                    \
  X(nvmlDeviceGetHandleByIndex_v2, (unsigned index, NvmlDevice* device))                         \
  X(nvmlDeviceGetHandleByUUID, (const char* uuid, NvmlDevice* device))                           \
  X(nvmlDeviceGetUUID, (NvmlDevice device, char* text, unsigned bytes))                          \
  X(nvmlDeviceGetName, (NvmlDevice device, char* text, unsigned bytes))                          \
  X(nvmlDeviceGetMemoryInfo, (NvmlDevice device, NvmlMemory * memory))                           \
  X(nvmlDeviceGetUtilizationRates, (NvmlDevice device, NvmlUtilization * utilization))           \
  X(nvmlDeviceGetTemperature, (NvmlDevice device, int sensor, unsigned* celsius))                \
  X(nvmlDeviceGetPowerUsage, (NvmlDevice device, unsigned* milliwatts))                          \
  X(nvmlDeviceGetTotalEccErrors,                                                                 \
    (NvmlDevice device, int type, int counter, unsigned long long* count))                       \
  X(nvmlDeviceGetComputeRunningProcesses_v3,                                                     \
    (NvmlDevice device, unsigned* count, NvmlProcess* processes))                                \
  X(nvmlDeviceGetMigMode, (NvmlDevice device, unsigned* current, unsigned* pending))             \
  X(nvmlDeviceGetMaxMigDeviceCount, (NvmlDevice device, unsigned* count))                        \
  X(nvmlDeviceGetMigDeviceHandleByIndex, (NvmlDevice device, unsigned index, NvmlDevice* slice)) \
  X(nvmlDeviceGetGpuInstanceId, (NvmlDevice slice, unsigned* instance))                          \
  X(nvmlEventSetCreate, (NvmlEventSet * set))                                                    \
  X(nvmlDeviceRegisterEvents, (NvmlDevice device, unsigned long long types, NvmlEventSet set))   \
  X(nvmlEventSetWait_v2, (NvmlEventSet set, NvmlEvent * event, unsigned timeout_ms))

struct NvmlApi {
#define FASTGPU_DECLARE(name, parameters) NvmlCode(*name) parameters = nullptr;
  FASTGPU_NVML_FUNCTIONS(FASTGPU_DECLARE)
#undef FASTGPU_DECLARE
};

}  // namespace fastgpu::exec::cuda
