#pragma once

/// The part of `fastgpu-executor` that stands between the executor and a compiler.
///
/// Place in the flow: the executor starts itself as `fastgpu-executor --compile-child PARENT
/// CPU_SECONDS MEMORY_BYTES PROGRAM ARGUMENTS...`; this sets limits that the compiler and all its
/// helpers inherit, runs it and hands on its exit code. Whatever further walls a compiler gets, it
/// gets here, between the limits and the start. If the executor dies, the whole group dies.

namespace fastgpu::exec {

/// Takes the words after "--compile-child". Returns the process's exit code; 125 for own failures.
int compile_child_main(int count, char** words);

}  // namespace fastgpu::exec
