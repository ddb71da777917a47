#pragma once

/// Turns one kernel of a source into a shared object with the host's compiler.
///
/// Place in the flow: called by the kernel cache, on its threads, when nothing is found there.
/// Blocks for as long as the compiler runs, within limits. Failures are told by reason: what the
/// user's source has wrong is compile_error or bad_kernel with the compiler's own words; what the
/// device cannot do is not_supported_on_device; the rest is our own trouble.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/failure.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/exec/cpu/compile_walls.hpp"
#include "runtime/exec/cpu/rewriter.hpp"
#include "runtime/exec/executor.hpp"

namespace fastgpu::exec {

struct KernelRequest {
  std::string source;
  std::string expression;
  std::vector<std::string> defines;
  Standard standard{Standard::cpp17};
  bool precise{false};       ///< fibres always, little optimisation, exact thread in faults
  bool force_fibres{false};  ///< fibres always: the grid is beyond what loop mode promises
  bool operator==(const KernelRequest&) const = default;
};

struct CompilerOptions {
  std::string program;        ///< path; empty = $FASTGPU_CXX, g++, clang++
  std::string child_program;  ///< fastgpu-executor, run with --compile-child around the compiler
  std::string folder;         ///< for the compatibility header and work files; made if missing
  CompileLimits limits;
  CompilerWalls walls{CompilerWalls::automatic};
};

struct CompileOutcome {
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
  std::string object_path;  ///< on success: the caller's file now
  std::uint64_t cpu_ns{};   ///< of all processes that took part
};

class Compiler {
 public:
  explicit Compiler(CompilerOptions options);

  /// Writes the header and the shims, before compile(); again and again until it succeeds. Fails
  /// without a compiler, and with code disk_full without a folder that can be written.
  base::Status prepare();
  /// Names everything that decides over the result: source, kernel, options, header, compiler, CPU.
  base::ObjectHash key(const KernelRequest& request) const;
  CompileOutcome compile(const KernelRequest& request);
  const std::string& program() const { return program_; }
  CompilerWalls walls() const { return walls_.chosen(); }  ///< after prepare()

 private:
  std::vector<std::string> arguments(const KernelRequest& request, bool fibres) const;
  CompileOutcome judge(ChildEnd end, const std::string& work_folder, const KernelRequest& request,
                       const Rewritten& rewritten) const;

  CompilerOptions options_;
  std::string program_;
  std::string identity_;  ///< compiler, CPU and header in one text
  std::string include_folder_;
  CompileWalls walls_;
};

/// The compiler for the word in the options: a path, a name, or empty. Empty if there is none.
std::string find_compiler(const std::string& wanted);

/// Reads a compiler's log: whose fault it is. `rewritten` tells what the source declares.
CompileOutcome judge_log(std::string log, const KernelRequest& request, const Rewritten& rewritten);

}  // namespace fastgpu::exec
