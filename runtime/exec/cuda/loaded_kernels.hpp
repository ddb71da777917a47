#pragma once

/// Images that the driver has loaded, with their kernels.
///
/// Place in the flow: the CUDA device takes each task's kernel from here. An image is loaded once
/// and kept, least recently used out first, unless it has variables of its own: those would keep
/// what one task has left in them, so such an image is loaded for each task and unloaded with the
/// last holder. One thread. Failures: by reason, in the words of users.

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "runtime/exec/child/device.hpp"
#include "runtime/exec/cuda/image.hpp"
#include "runtime/exec/cuda/parameters.hpp"
#include "runtime/exec/cuda/session.hpp"

namespace fastgpu::exec {

/// A kernel ready to be launched. Unloads its image with itself.
class LoadedGpuKernel {
 public:
  LoadedGpuKernel(const CudaSession& session, std::shared_ptr<const CudaImage> image)
      : session_(session), image_(std::move(image)) {}
  ~LoadedGpuKernel();
  LoadedGpuKernel(const LoadedGpuKernel&) = delete;
  LoadedGpuKernel& operator=(const LoadedGpuKernel&) = delete;

  cuda::Kernel kernel{};
  KernelParameters parameters;
  bool parameters_known{false};              ///< the driver has told them
  std::optional<std::size_t> count_in_name;  ///< else this may be known
  std::uint32_t shared_bytes_set{0};

 private:
  friend class LoadedKernels;
  const CudaSession& session_;
  const std::shared_ptr<const CudaImage> image_;
  cuda::Library library_{};
};

class LoadedKernels {
 public:
  explicit LoadedKernels(const CudaSession& session) : session_(session) {}

  struct Found {
    std::shared_ptr<LoadedGpuKernel> kernel;  ///< null on failure
    cuda::Code code{cuda::success};           ///< of the driver, where it was the driver
    base::FailureReason reason{base::FailureReason::none};
    std::string message;
  };
  /// `expression` is the name as the job gives it, for messages and for images that came as such.
  Found take(const std::shared_ptr<const CudaImage>& image, std::string_view expression);

 private:
  struct Kept {
    std::shared_ptr<const CudaImage> image;
    std::string expression;
    std::shared_ptr<LoadedGpuKernel> kernel;
  };
  Found load(const std::shared_ptr<const CudaImage>& image, std::string_view expression) const;
  cuda::Code find_kernel(LoadedGpuKernel& loaded, std::string_view expression,
                         std::string& others) const;
  void read_parameters(LoadedGpuKernel& loaded, const std::string& name) const;
  Found refuse(cuda::Code code, const CudaImage& image, const std::string& log) const;

  const CudaSession& session_;
  std::list<Kept> kept_;  ///< most recently used first
};

}  // namespace fastgpu::exec
