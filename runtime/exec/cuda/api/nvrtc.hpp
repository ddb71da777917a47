#pragma once

/// What FastGPU uses of NVRTC, NVIDIA's run-time compiler; as driver.hpp, a test compares it.

#include <cstddef>

namespace fastgpu::exec::cuda {

using NvrtcCode = int;
using NvrtcProgram = struct NvrtcProgramHandle*;

inline constexpr NvrtcCode nvrtc_success = 0;
inline constexpr NvrtcCode nvrtc_out_of_memory = 1;
inline constexpr NvrtcCode nvrtc_invalid_option = 5;
inline constexpr NvrtcCode nvrtc_compilation = 6;
inline constexpr NvrtcCode nvrtc_name_not_valid = 10;
inline constexpr NvrtcCode nvrtc_cancelled = 16;

/// X(name, result, parameters).
#define FASTGPU_NVRTC_FUNCTIONS(X)                                                     \
  X(nvrtcVersion, NvrtcCode, (int* major, int* minor))                                 \
  X(nvrtcGetErrorString, const char*, (NvrtcCode code))                                \
  X(nvrtcGetNumSupportedArchs, NvrtcCode, (int* count))                                \
  X(nvrtcGetSupportedArchs, NvrtcCode, (int* archs))                                   \
  X(nvrtcCreateProgram, NvrtcCode,                                                     \
    (NvrtcProgram * program, const char* source, const char* name, int header_count,   \
     const char* const* headers, const char* const* header_names))                     \
  X(nvrtcDestroyProgram, NvrtcCode, (NvrtcProgram * program))                          \
  X(nvrtcAddNameExpression, NvrtcCode, (NvrtcProgram program, const char* expression)) \
  X(nvrtcSetFlowCallback, NvrtcCode,                                                   \
    (NvrtcProgram program, int (*callback)(void*, void*), void* payload))              \
  X(nvrtcCompileProgram, NvrtcCode,                                                    \
    (NvrtcProgram program, int option_count, const char* const* options))              \
  X(nvrtcGetLoweredName, NvrtcCode,                                                    \
    (NvrtcProgram program, const char* expression, const char** lowered))              \
  X(nvrtcGetProgramLogSize, NvrtcCode, (NvrtcProgram program, std::size_t * bytes))    \
  X(nvrtcGetProgramLog, NvrtcCode, (NvrtcProgram program, char* log))                  \
  X(nvrtcGetCUBINSize, NvrtcCode, (NvrtcProgram program, std::size_t * bytes))         \
  X(nvrtcGetCUBIN, NvrtcCode, (NvrtcProgram program, char* cubin))                     \
  X(nvrtcGetPTXSize, NvrtcCode, (NvrtcProgram program, std::size_t * bytes))           \
  X(nvrtcGetPTX, NvrtcCode, (NvrtcProgram program, char* ptx))

struct NvrtcApi {
#define FASTGPU_DECLARE(name, result, parameters) result(*name) parameters = nullptr;
  FASTGPU_NVRTC_FUNCTIONS(FASTGPU_DECLARE)
#undef FASTGPU_DECLARE
};

}  // namespace fastgpu::exec::cuda
