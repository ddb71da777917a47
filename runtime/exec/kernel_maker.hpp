#pragma once

/// What turns the source of a kernel into a file, and that file into something a device can launch.
///
/// Place in the flow: the kernel cache (cpu/kernel_cache.hpp) asks a maker for what it does not
/// have; there is one for the host's compiler and one for NVRTC. Threads: after `prepare` has
/// succeeded all methods are called from several threads at once. Failures are told by reason: what
/// the user's source has wrong is compile_error or bad_kernel with the compiler's own words; what
/// the device cannot do is not_supported_on_device; the rest is our own trouble.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/failure.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/exec/executor.hpp"

namespace fastgpu::exec {

class Module;      // cpu/module.hpp
struct CudaImage;  // cuda/image.hpp

struct KernelRequest {
  std::string source;
  std::string expression;
  std::vector<std::string> defines;
  Standard standard{Standard::cpp17};
  bool precise{false};       ///< CPU: fibres always, little optimisation, exact thread in faults
  bool force_fibres{false};  ///< CPU: the grid is beyond what loop mode promises
  bool operator==(const KernelRequest&) const = default;
};

struct CompileOutcome {
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
  std::string object_path;  ///< on success: the caller's file now
  std::uint64_t cpu_ns{};   ///< of all processes that took part
};

/// A kernel as its device takes it: one of the two, by the maker.
struct LoadedKernel {
  std::shared_ptr<Module> module;
  std::shared_ptr<const CudaImage> image;
  bool empty() const { return !module && !image; }
};

/// What a maker's `key` is made of: who compiles for which device, the request, and how.
base::ObjectHash kernel_key(std::string_view maker, const KernelRequest& request,
                            std::string_view mode);

/// "C++17, -DWORTH=42": what the user chose, for messages.
std::string options_text(const KernelRequest& request);

class KernelMaker {
 public:
  virtual ~KernelMaker() = default;
  /// "CPU device", "GPU": who it works for, for messages.
  virtual const char* device_word() const = 0;
  /// Before anything else; again and again until it succeeds. Fails without a compiler, and with
  /// code disk_full without a folder that can be written.
  virtual base::Status prepare() = 0;
  /// Names everything that decides over the result: source, kernel, options, compiler, device.
  virtual base::ObjectHash key(const KernelRequest& request) const = 0;
  /// Blocks for as long as the compiler runs, within limits.
  virtual CompileOutcome compile(const KernelRequest& request) = 0;
  /// Of a file that `compile` has made here or elsewhere; more bytes may follow in it.
  virtual base::Result<LoadedKernel> load(const std::string& path) const = 0;
};

}  // namespace fastgpu::exec
