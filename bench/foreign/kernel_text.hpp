#pragma once

/// The device code in a CUDA program's source, taken out unchanged: a kernel job has no host code.
/// Pure text; knows comments, literals and braces, no C++.

#include <string>

namespace fastgpu::bench {

/// All functions that begin with __global__ or __device__, in their order, byte for byte.
std::string device_functions(const std::string& source);

/// All lines that define a macro without parameters outside every function.
std::string plain_defines(const std::string& source);

}  // namespace fastgpu::bench
