#include "runtime/exec/cpu/run/launcher.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>

#include "runtime/base/check.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/exec/cpu/run/context.hpp"
#include "runtime/exec/cpu/run/fault_handler.hpp"

namespace fastgpu::exec {
namespace {

namespace limits = base::limits;

/// Fewer threads of the grid than this are not worth waking anybody.
constexpr std::uint64_t inline_threads_max = 8192;
/// Portions per thread: enough to even out, few enough to stay cheap.
constexpr std::uint64_t portions_per_thread = 16;
constexpr std::size_t page_bytes = 4096;
constexpr int poison = 0x7f;  // as floats: about 3.4e38

LaunchEnd refuse(std::string message) {
  return {base::FailureReason::bad_argument, std::move(message)};
}

std::string over(const char* what, std::uint64_t value, std::uint64_t limit) {
  return std::string(what) + " is " + std::to_string(value) + ", the limit is " +
         std::to_string(limit);
}

abi::uint3 of(const std::array<std::uint32_t, 3>& value) {
  return {value[0], value[1], value[2]};
}

std::string place(const abi::uint3& at) {
  return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
}

}  // namespace

/// What one host thread needs: fibres, and dynamic shared memory that ends at a guard page.
struct Launcher::Worker {
  std::unique_ptr<BlockScheduler> scheduler;
  char* shared_region{nullptr};
  static constexpr std::size_t shared_capacity =
      (limits::shared_memory_bytes_max + page_bytes - 1) / page_bytes * page_bytes;

  ~Worker() {
    if (shared_region != nullptr)
      munmap(shared_region, shared_capacity + page_bytes);
  }
  char* shared(std::uint32_t bytes) {
    if (shared_region == nullptr) {
      void* region = mmap(nullptr, shared_capacity + page_bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (region == MAP_FAILED)
        return nullptr;
      shared_region = static_cast<char*>(region);
      const int guarded = mprotect(shared_region + shared_capacity, page_bytes, PROT_NONE);
      FASTGPU_CHECK(guarded == 0, "the guard begins at a page");
    }
    char* guard = shared_region + shared_capacity;
    set_fault_shared(guard, guard + page_bytes, bytes);
    return guard - (bytes + 127) / 128 * 128;
  }
};

struct Launcher::Launch {
  const Module& module;
  const LaunchShape& shape;
  void** arguments;
  std::uint64_t blocks;
  std::uint64_t portion;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex{};
  LaunchEnd end{};

  void give_up(base::FailureReason reason, std::string message) {
    std::lock_guard lock(mutex);
    if (end.reason == base::FailureReason::none)
      end = {reason, std::move(message)};
    stop.store(true, std::memory_order_relaxed);
  }
};

LaunchEnd check_launch(const LaunchShape& shape) {
  const auto& grid = shape.grid;
  const auto& block = shape.block;
  for (int i = 0; i < 3; ++i)
    if (grid[i] == 0 || block[i] == 0)
      return refuse("grid and block must be at least 1 in each direction");
  const std::uint64_t threads = std::uint64_t{block[0]} * block[1] * block[2];
  if (block[0] > limits::block_threads_max || block[1] > limits::block_threads_max ||
      threads > limits::block_threads_max)
    return refuse(over("the number of threads of a block",
                       std::max<std::uint64_t>({threads, block[0], block[1]}),
                       limits::block_threads_max));
  if (block[2] > limits::block_z_max)
    return refuse(over("block z", block[2], limits::block_z_max));
  if (grid[0] > limits::grid_x_max)
    return refuse(over("grid x", grid[0], limits::grid_x_max));
  for (int i = 1; i < 3; ++i)
    if (grid[i] > limits::grid_yz_max)
      return refuse(over(i == 1 ? "grid y" : "grid z", grid[i], limits::grid_yz_max));
  if (shape.shared_bytes > limits::shared_memory_bytes_max)
    return refuse(over("dynamic shared memory in bytes", shape.shared_bytes,
                       limits::shared_memory_bytes_max));
  return {};
}

bool fits_loop_mode(const LaunchShape& shape) {
  return std::uint64_t{shape.grid[0]} * shape.block[0] <= 0x7fffffffull - 1024;
}

Launcher::Launcher(unsigned threads) : pool_(std::max(1u, threads)) {
  for (unsigned i = 0; i < pool_.size(); ++i)
    workers_.push_back(std::make_unique<Worker>());
}

Launcher::~Launcher() = default;

LaunchEnd Launcher::run(const Module& module, const LaunchShape& shape, void** arguments) {
  const std::uint64_t blocks = std::uint64_t{shape.grid[0]} * shape.grid[1] * shape.grid[2];
  const std::uint64_t threads = blocks * shape.block[0] * shape.block[1] * shape.block[2];
  Launch launch{module, shape, arguments, blocks,
                std::max<std::uint64_t>(1, blocks / (pool_.size() * portions_per_thread))};
  const unsigned helpers =
      threads <= inline_threads_max
          ? 0
          : static_cast<unsigned>(std::min<std::uint64_t>(pool_.size(), blocks)) - 1;
  pool_.run([this, &launch](unsigned index) { work(launch, index); }, helpers);
  return launch.end;
}

void Launcher::work(Launch& launch, unsigned index) {
  give_thread_signal_stack();
  Worker& worker = *workers_[index];
  if (!begin(launch, worker))
    return;
  while (!launch.stop.load(std::memory_order_relaxed)) {
    const std::uint64_t first = launch.next.fetch_add(launch.portion, std::memory_order_relaxed);
    if (first >= launch.blocks)
      break;
    const std::uint64_t last = std::min(launch.blocks, first + launch.portion);
    if (launch.module.fibres()) {
      run_fibres(launch, worker, first, last);
    } else {
      fastgpu_context.first_block = first;
      fastgpu_context.last_block = last;
      launch.module.kernel().run_blocks(first, last, &fastgpu_context, launch.arguments);
    }
  }
  current_scheduler() = nullptr;
  set_fault_stacks(nullptr);
}

/// Sets up the calling thread's context. False when the launch cannot go on.
bool Launcher::begin(Launch& launch, Worker& worker) {
  const abi::FastgpuKernel& kernel = launch.module.kernel();
  abi::FastgpuContext& context = fastgpu_context;
  context.block_size = of(launch.shape.block);
  context.grid_size = of(launch.shape.grid);
  context.runtime = &device_runtime();
  context.dynamic_shared = kernel.dynamic_shared != nullptr
                               ? kernel.dynamic_shared()
                               : worker.shared(launch.shape.shared_bytes);
  context.first_block = context.last_block = 0;
  if (context.dynamic_shared == nullptr) {
    launch.give_up(base::FailureReason::cuda_out_of_memory, "no memory for shared memory");
    return false;
  }
  // What another job left there is nobody's business.
  std::memset(context.dynamic_shared, 0, launch.shape.shared_bytes);
  if (!launch.module.fibres())
    return true;
  if (!worker.scheduler)
    worker.scheduler = std::make_unique<BlockScheduler>();
  if (!worker.scheduler->begin(context.block_size)) {
    launch.give_up(base::FailureReason::cuda_out_of_memory,
                   "no address space for the stacks of the block's threads");
    return false;
  }
  current_scheduler() = worker.scheduler.get();
  set_fault_stacks(&worker.scheduler->stacks());
  return true;
}

void Launcher::run_fibres(Launch& launch, Worker& worker, std::uint64_t first, std::uint64_t last) {
  const auto& grid = launch.shape.grid;
  abi::FastgpuContext& context = fastgpu_context;
  for (std::uint64_t i = first; i < last && !launch.stop.load(std::memory_order_relaxed); ++i) {
    context.block = {static_cast<unsigned>(i % grid[0]),
                     static_cast<unsigned>(i / grid[0] % grid[1]),
                     static_cast<unsigned>(i / grid[0] / grid[1])};
    if (launch.shape.poison_shared)
      std::memset(context.dynamic_shared, poison, launch.shape.shared_bytes);
    const auto end = worker.scheduler->run(launch.module.kernel(), launch.arguments, context);
    if (end == BlockScheduler::End::deadlock)
      launch.give_up(base::FailureReason::barrier_deadlock,
                     "deadlock in block " + place(context.block) +
                         ": some threads of the block wait at a barrier that the others never "
                         "reach");
  }
}

}  // namespace fastgpu::exec
