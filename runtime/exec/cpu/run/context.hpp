#pragma once

/// The variable through which device code knows where it is, and the table of what it may ask.
/// One per host thread, in the executable, so that loaded kernels reach it with one instruction.

#include "runtime/exec/cpu/module.hpp"

extern "C" {
// NOLINTNEXTLINE: __thread, because thread_local would go through a wrapper function.
extern __attribute__((
    visibility("default"))) __thread fastgpu::exec::abi::FastgpuContext fastgpu_context;
}

namespace fastgpu::exec {

const abi::FastgpuRuntime& device_runtime();

/// Collects what kernels print; the text is cut at the capacity. Any thread.
void set_print_target(char* text, std::size_t capacity);
std::size_t printed_bytes();

}  // namespace fastgpu::exec
