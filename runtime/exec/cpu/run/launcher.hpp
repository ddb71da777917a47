#pragma once

/// Runs one grid of a loaded kernel on the threads of the pool.
///
/// Place in the flow: owned by the CPU device, used by its one thread, one launch at a time. Limits
/// of grid and block must have been checked (check_launch). A fault inside the kernel does not come
/// back here: see fault_handler.hpp.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/failure.hpp"
#include "runtime/exec/cpu/module.hpp"
#include "runtime/exec/cpu/run/block_scheduler.hpp"
#include "runtime/exec/cpu/run/thread_pool.hpp"

namespace fastgpu::exec {

struct LaunchShape {
  std::array<std::uint32_t, 3> grid{1, 1, 1};
  std::array<std::uint32_t, 3> block{1, 1, 1};
  std::uint32_t shared_bytes{0};
  bool poison_shared{false};  ///< fill dynamic shared memory with a pattern before each block
};

struct LaunchEnd {
  base::FailureReason reason{base::FailureReason::none};
  std::string message;
};

/// Whether the shape is one that devices take: bad_argument with limit and value if not.
LaunchEnd check_launch(const LaunchShape& shape);

/// Loop mode promises the compiler that gridDim.x * blockDim.x stays below 2^31 - 1025.
bool fits_loop_mode(const LaunchShape& shape);

class Launcher {
 public:
  explicit Launcher(unsigned threads);
  ~Launcher();
  unsigned threads() const { return pool_.size(); }
  LaunchEnd run(const Module& module, const LaunchShape& shape, void** arguments);

 private:
  struct Worker;
  struct Launch;
  void work(Launch& launch, unsigned index);
  bool begin(Launch& launch, Worker& worker);
  void run_fibres(Launch& launch, Worker& worker, std::uint64_t first, std::uint64_t last);

  ThreadPool pool_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace fastgpu::exec
