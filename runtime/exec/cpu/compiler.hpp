#pragma once

/// Turns one kernel of a source into a shared object with the host's compiler.
///
/// Place in the flow: called by the kernel cache, on its threads, when nothing is found there.
/// Blocks for as long as the compiler runs, within limits. Failures: see kernel_maker.hpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/exec/cpu/compile_walls.hpp"
#include "runtime/exec/cpu/rewriter.hpp"
#include "runtime/exec/kernel_maker.hpp"

namespace fastgpu::exec {

struct CompilerOptions {
  std::string program;        ///< path; empty = $FASTGPU_CXX, g++, clang++
  std::string child_program;  ///< fastgpu-executor, run with --compile-child around the compiler
  std::string folder;         ///< for the compatibility header and work files; made if missing
  CompileLimits limits;
  CompilerWalls walls{CompilerWalls::automatic};
};

class Compiler final : public KernelMaker {
 public:
  explicit Compiler(CompilerOptions options);

  const char* device_word() const override { return "CPU device"; }
  /// Writes the header and the shims.
  base::Status prepare() override;
  base::ObjectHash key(const KernelRequest& request) const override;
  CompileOutcome compile(const KernelRequest& request) override;
  base::Result<LoadedKernel> load(const std::string& path) const override;
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

/// The same, of a log that says only that no one kernel of the request's name was found.
CompileOutcome judge_wrong_name(const std::string& log, const KernelRequest& request,
                                const Rewritten& rewritten);

/// Of a source that compiles: empty, or that the name is not a kernel's.
std::string check_is_kernel(const KernelRequest& request, const Rewritten& rewritten);

}  // namespace fastgpu::exec
