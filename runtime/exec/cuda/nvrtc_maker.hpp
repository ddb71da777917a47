#pragma once

/// Turns the source of a kernel into code for one kind of GPU, with NVRTC in a child behind walls.
///
/// Place in the flow: the kernel cache's maker where the device is a GPU. Needs no driver and no
/// GPU: any node with a toolkit can build for any other. Failures: see kernel_maker.hpp; a source
/// whose kernel is not there is answered in the same words as on the CPU device.

#include <memory>
#include <string>

#include "runtime/exec/cpu/compile_walls.hpp"
#include "runtime/exec/cpu/rewriter.hpp"
#include "runtime/exec/kernel_maker.hpp"

namespace fastgpu::exec {

struct NvrtcMakerOptions {
  std::string child_program;  ///< fastgpu-executor
  std::string folder;         ///< for work files; made if missing
  unsigned arch{};            ///< 90 for sm_90
  int driver_version{};       ///< what will load the code: 12040; 0 = not known
  CompileLimits limits;
  CompilerWalls walls{CompilerWalls::automatic};
};

class NvrtcMaker final : public KernelMaker {
 public:
  explicit NvrtcMaker(NvrtcMakerOptions options);

  const char* device_word() const override { return "GPU"; }
  base::Status prepare() override;
  base::ObjectHash key(const KernelRequest& request) const override;
  CompileOutcome compile(const KernelRequest& request) override;
  base::Result<LoadedKernel> load(const std::string& path) const override;
  const std::string& library() const { return library_; }  ///< after prepare()

 private:
  std::vector<std::string> command_words(const KernelRequest& request) const;
  CompileOutcome judge(ChildEnd end, const std::string& work_folder, const KernelRequest& request,
                       const Rewritten& rewritten) const;

  NvrtcMakerOptions options_;
  std::string library_;
  std::string version_;   ///< "13.0"
  std::string include_;   ///< the toolkit's headers
  std::string identity_;  ///< NVRTC, headers, device and shims in one text
  CompileWalls walls_;
};

/// Reads NVRTC's log: whose fault it is.
CompileOutcome judge_nvrtc_log(std::string log, const KernelRequest& request,
                               const Rewritten& rewritten);

/// A file that the log quotes and that a kernel has no business with; empty if there is none. For
/// hosts without walls.
std::string foreign_file_in_log(const std::string& log, const std::string& include_folder);

}  // namespace fastgpu::exec
