#pragma once

/// The part of `fastgpu-executor` that stands between the executor and a compiler.
///
/// Place in the flow: the executor starts itself as `fastgpu-executor --compile-child WORDS... --
/// PROGRAM ARGUMENTS...`; this puts up the walls and limits that the compiler and all its helpers
/// inherit, runs it and hands on its exit code. If the executor dies, the whole group dies.
/// Failures: whatever wall cannot be put up, the compiler is not started.

#include <string>
#include <vector>

#include "runtime/exec/sandbox/landlock.hpp"
#include "runtime/exec/sandbox/process_limits.hpp"

namespace fastgpu::exec {

/// The exit code of own failures, with words on standard error.
inline constexpr int compile_child_failed = 125;

struct CompileChildPlan {
  long parent{0};        ///< who must be alive: the process that starts this one
  ProcessLimits limits;  ///< of each process that takes part
  bool confined{false};  ///< `files` holds; else the program brings its own walls, or has none
  AllowedFiles files;
};

/// The words behind "--compile-child" that make `plan`, up to and with "--".
std::vector<std::string> words_of(const CompileChildPlan& plan);

/// Takes the words after "--compile-child". Returns the process's exit code.
int compile_child_main(int count, char** words);

}  // namespace fastgpu::exec
