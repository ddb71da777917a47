#pragma once

/// This process's hold on one GPU: the driver, a context, and what every launch uses again.
///
/// Place in the flow: opened once by the CUDA device, in the executor's process and nowhere else:
/// the node itself never has a context. One thread. Failures: `open` says in one sentence why the
/// device cannot be had. Nothing is given back: the process's end does that, whatever its state.
/// Limits: `memory_bytes` for buffers, held by the driver's own pool.

#include <array>
#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/exec/cuda/codes.hpp"
#include "runtime/exec/cuda/libraries.hpp"

namespace fastgpu::exec {

struct CudaSessionOptions {
  std::string id;                 ///< "GPU-..." or "MIG-..." as NVML writes it, or an ordinal
  std::uint64_t memory_bytes{0};  ///< 0 = what is free, less a reserve
  std::string cache_folder;       ///< for the driver's own compiled PTX
};

class CudaSession {
 public:
  static base::Result<CudaSession> open(const CudaSessionOptions& options);

  const cuda::DriverApi& api() const { return driver_.api; }
  int driver_version() const { return driver_.version; }
  cuda::Device device() const { return device_; }
  const std::string& model() const { return model_; }
  const std::string& uuid() const { return uuid_; }
  unsigned arch() const { return arch_; }  ///< 90 for sm_90
  std::uint32_t shared_bytes_max() const { return shared_bytes_max_; }
  std::uint64_t memory_bytes() const { return memory_bytes_; }
  cuda::MemoryPool pool() const { return pool_; }
  cuda::Stream stream() const { return stream_; }
  /// Between which a task's copies and its kernel run.
  enum Mark : unsigned char { began, copied_in, ran, copied_out, mark_count };
  cuda::Event mark(Mark which) const { return marks_[which]; }
  /// Nanoseconds between two marks that have been reached.
  std::uint64_t between(Mark from, Mark to) const;
  /// Waits for what has been given to the stream; first by looking, then asleep.
  cuda::Code await(Mark which) const;
  /// Locks the memory for fast copies. Without it they are slower, no more.
  bool pin(void* begin, std::size_t bytes) const;
  /// Of the device as a whole, other processes included; 0 if not known.
  std::uint64_t free_bytes() const;
  /// Of the pool, in use by this process.
  std::uint64_t used_bytes() const;
  std::string describe(cuda::Code code) const { return cuda::describe(driver_.api, code); }

 private:
  base::Status find_device(const std::string& id);
  base::Status make_context();
  base::Status make_pool(std::uint64_t wanted);

  cuda::Driver driver_;
  cuda::Device device_{};
  std::string model_;
  std::string uuid_;
  unsigned arch_{};
  std::uint32_t shared_bytes_max_{};
  std::uint64_t memory_bytes_{};
  cuda::MemoryPool pool_{};
  cuda::Stream stream_{};
  std::array<cuda::Event, mark_count> marks_{};
};

/// "GPU-01234567-89ab-..." of the driver's 16 bytes.
std::string uuid_text(const cuda::Uuid& uuid, const char* prefix);

}  // namespace fastgpu::exec
