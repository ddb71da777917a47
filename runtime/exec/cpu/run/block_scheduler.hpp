#pragma once

/// Runs the threads of one block as fibres on one host thread.
///
/// Place in the flow: one per thread of the pool; the launcher gives it block after block. Device
/// code calls back into it at barriers and warp operations.
/// Rules: a barrier of the block opens when all living threads have come; one of a warp when all
/// living lanes of the mask wait with the same mask. A thread that ends counts as come. When
/// threads live and none can go on, that is a deadlock, and the block is given up. Failures: told
/// by run()'s answer. Limits: 1024 threads, stacks as FibreStacks has them.

#include <array>
#include <cstdint>
#include <memory>

#include "runtime/exec/cpu/module.hpp"
#include "runtime/exec/cpu/run/fibre.hpp"

namespace fastgpu::exec {

class BlockScheduler {
 public:
  enum class End { finished, deadlock, no_stacks };

  BlockScheduler();
  /// Prepares for blocks of this shape. Before the first run() of each launch.
  bool begin(const abi::uint3& block_size);
  /// Runs the block that `context` names, to its end.
  End run(const abi::FastgpuKernel& kernel, void** arguments, abi::FastgpuContext& context);

  /// Called by device code through the runtime table, on a fibre of this scheduler.
  int sync_block(int operation, int predicate);
  void sync_warp(unsigned mask);
  const unsigned long long (*share_in_warp(unsigned mask, const void* value, unsigned bytes,
                                           unsigned* lanes))[2];

  const FibreStacks& stacks() const { return stacks_; }

 private:
  static constexpr unsigned threads_max = 1024;
  static constexpr unsigned warps_max = threads_max / 32;
  static constexpr unsigned none = ~0u;
  static constexpr std::uint8_t no_snapshot = 0xff;

  /// What the lanes of a warp brought to one operation; kept until all of them have moved on.
  struct Snapshot {
    unsigned long long slots[32][2];
    unsigned lanes;
    unsigned readers;
  };
  struct Warp {
    std::uint32_t ready, living, at_block_barrier;
    std::uint32_t at_warp_barrier;  ///< lanes that wait for lanes of their mask
    std::uint32_t sharing;          ///< those of them that brought a value
    std::uint32_t free_snapshots;
    std::uint32_t masks[32];
    std::uint8_t held[32];
    unsigned long long offered[32][2];
  };

  static void fibre_main();
  void live();
  void thread_ended(unsigned thread);
  unsigned next_ready() const;
  void become(unsigned thread);
  void wait_here();
  void enter(unsigned thread, Fibre& from, bool leaving);
  bool open_warp(Warp& warp, unsigned mask);
  void take_snapshot(Warp& warp, unsigned warp_index, unsigned sharers);
  void drop_snapshot(Warp& warp, unsigned warp_index, unsigned lane);
  void open_block();
  Snapshot& snapshot(unsigned warp, unsigned index) { return snapshots_[warp * 32 + index]; }

  FibreStacks stacks_;
  Fibre host_;
  std::array<Fibre, threads_max> fibres_;              ///< by stack
  std::array<std::uint16_t, threads_max> stack_of_{};  ///< by thread
  std::array<std::uint16_t, threads_max> free_stacks_{};
  std::array<bool, threads_max> started_{};
  std::array<abi::uint3, threads_max> thread_ids_{};
  std::array<Warp, warps_max> warps_{};
  std::unique_ptr<Snapshot[]> snapshots_;
  Fibre* came_from_{nullptr};
  unsigned free_stack_count_{0};
  unsigned threads_{0};
  unsigned warp_count_{0};
  unsigned current_{0};
  unsigned living_{0};
  unsigned arrived_{0};
  int reduction_[3]{};  ///< of the barrier that fills: count, all, any
  int last_reduction_[3]{};
  bool deadlock_{false};
  const abi::FastgpuKernel* kernel_{nullptr};
  void** arguments_{nullptr};
  abi::FastgpuContext* context_{nullptr};
};

/// The scheduler whose fibres run on the calling host thread; null in loop mode.
BlockScheduler*& current_scheduler();

}  // namespace fastgpu::exec
