#pragma once

/// A compiled kernel loaded into this process.
///
/// Place in the flow: made by the kernel cache, used by the launcher. Shared; unloaded with the
/// last holder. Each job is to find the source's own variables fresh: `reset_globals` puts them
/// back to what they were after loading. Only one launch may run in a module at a time.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace fastgpu::exec {

namespace abi {
#include "runtime/exec/cpu/compat/abi.h"
}  // namespace abi

class Module {
 public:
  static base::Result<std::shared_ptr<Module>> load(const std::string& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const abi::FastgpuKernel& kernel() const { return *kernel_; }
  /// True when it runs as fibres: a fault then knows its thread.
  bool fibres() const { return kernel_->run_thread != nullptr; }
  /// Puts all __device__, __constant__ and static variables back.
  void reset_globals() const;
  std::uint64_t global_bytes() const { return global_bytes_; }

 private:
  struct Range {
    char* begin;
    std::vector<char> first_content;
  };
  Module() = default;
  void remember_globals();

  void* handle_{nullptr};
  const abi::FastgpuKernel* kernel_{nullptr};
  std::vector<Range> globals_;
  std::uint64_t global_bytes_{0};
};

}  // namespace fastgpu::exec
