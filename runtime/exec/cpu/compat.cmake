# Writes the compatibility header and its shims as C++ text: cmake -DFOLDER=... -DOUTPUT=... -P.
set(PARTS abi words vectors threads heap atomics math textures entry)
set(HEADER "#pragma once\n")
foreach(PART ${PARTS})
  file(READ ${FOLDER}/${PART}.h TEXT)
  string(APPEND HEADER "${TEXT}")
endforeach()
set(LIST "    {\"fastgpu_cuda.h\",\n     R\"fastgpu~(${HEADER})fastgpu~\"},\n")
file(GLOB SHIMS RELATIVE ${FOLDER}/shims ${FOLDER}/shims/*)
foreach(SHIM ${SHIMS})
  file(READ ${FOLDER}/shims/${SHIM} TEXT)
  string(APPEND LIST "    {\"${SHIM}\",\n     R\"fastgpu~(${TEXT})fastgpu~\"},\n")
endforeach()
# Headers whose content is there already.
foreach(SHIM cuda.h cuda_runtime.h cuda_runtime_api.h device_launch_parameters.h device_functions.h
    math_functions.h vector_functions.h vector_types.h
    assert.h cassert new stdio.h stdlib.h string.h)
  string(APPEND LIST "    {\"${SHIM}\", \"#pragma once\\n\"},\n")
endforeach()
# What only a GPU has, or what nobody has brought here.
foreach(SHIM mma.h cuda_pipeline.h curand_kernel.h curand.h)
  set(TEXT "#error \\\"${SHIM} is not supported on the CPU device\\\"\\n")
  string(APPEND LIST "    {\"${SHIM}\", \"${TEXT}\"},\n")
endforeach()
file(WRITE ${OUTPUT}
  "#include \"runtime/exec/cpu/compat_text.hpp\"\n\n"
  "namespace fastgpu::exec {\n\n"
  "std::span<const CompatFile> compat_files() {\n"
  "  static constexpr CompatFile files[] = {\n${LIST}  };\n"
  "  return files;\n}\n\n}  // namespace fastgpu::exec\n")
