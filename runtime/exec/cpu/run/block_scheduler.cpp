#include "runtime/exec/cpu/run/block_scheduler.hpp"

#include <bit>
#include <cstring>

#include "runtime/base/check.hpp"

namespace fastgpu::exec {
namespace {

thread_local BlockScheduler* scheduler = nullptr;

constexpr std::uint32_t bit(unsigned lane) {
  return std::uint32_t{1} << lane;
}

}  // namespace

BlockScheduler*& current_scheduler() {
  return scheduler;
}

BlockScheduler::BlockScheduler() : snapshots_(new Snapshot[threads_max]) {}

bool BlockScheduler::begin(const abi::uint3& size) {
  threads_ = size.x * size.y * size.z;
  FASTGPU_CHECK(threads_ > 0 && threads_ <= threads_max, "the launcher checks the block's size");
  if (!stacks_.reserve(threads_))
    return false;
  warp_count_ = (threads_ + 31) / 32;
  unsigned thread = 0;
  for (unsigned z = 0; z < size.z; ++z)
    for (unsigned y = 0; y < size.y; ++y)
      for (unsigned x = 0; x < size.x; ++x)
        thread_ids_[thread++] = {x, y, z};
  for (unsigned i = 0; i < threads_; ++i) {
    fibres_[i].stack_low = stacks_.low(i);
    fibres_[i].stack_bytes = FibreStacks::stack_bytes;
  }
  return true;
}

BlockScheduler::End BlockScheduler::run(const abi::FastgpuKernel& kernel, void** arguments,
                                        abi::FastgpuContext& context) {
  kernel_ = &kernel;
  arguments_ = arguments;
  context_ = &context;
  living_ = threads_;
  arrived_ = 0;
  reduction_[0] = reduction_[2] = 0;
  reduction_[1] = 1;
  deadlock_ = false;
  for (unsigned w = 0; w < warp_count_; ++w) {
    Warp& warp = warps_[w];
    const unsigned lanes = threads_ - w * 32;
    warp.living = warp.ready = lanes >= 32 ? ~0u : bit(lanes) - 1;
    warp.at_block_barrier = warp.at_warp_barrier = warp.sharing = 0;
    warp.free_snapshots = ~0u;
    std::memset(warp.held, no_snapshot, sizeof warp.held);
  }
  std::memset(started_.data(), 0, threads_);
  for (unsigned i = 0; i < threads_; ++i)
    free_stacks_[i] = static_cast<std::uint16_t>(threads_ - 1 - i);
  free_stack_count_ = threads_;
  enter(0, host_, false);
  return deadlock_ ? End::deadlock : End::finished;
}

void BlockScheduler::fibre_main() {
  BlockScheduler& self = *scheduler;
  fibre_entered(self.fibres_[self.stack_of_[self.current_]], *self.came_from_);
  self.live();
}

/// What each stack does: one thread of the kernel after the other, as long as there is one that has
/// not begun; so a kernel whose threads do not wait needs no switch at all.
void BlockScheduler::live() {
  for (;;) {
    kernel_->run_thread(arguments_);
    const unsigned thread = current_;
    const std::uint16_t stack = stack_of_[thread];
    thread_ended(thread);
    const unsigned next = living_ > 0 ? next_ready() : none;
    if (next == none) {
      deadlock_ = living_ > 0;
      leave_fibre(fibres_[stack], host_);
    }
    if (!started_[next]) {
      started_[next] = true;
      stack_of_[next] = stack;
      become(next);
      continue;
    }
    free_stacks_[free_stack_count_++] = stack;
    enter(next, fibres_[stack], true);
  }
}

void BlockScheduler::thread_ended(unsigned thread) {
  Warp& warp = warps_[thread / 32];
  const unsigned lane = thread % 32;
  drop_snapshot(warp, thread / 32, lane);
  --living_;
  warp.living &= ~bit(lane);
  if (living_ > 0 && arrived_ == living_)
    open_block();
  // Whoever waited for this lane alone may go on.
  for (std::uint32_t rest = warp.at_warp_barrier; rest != 0; rest &= rest - 1) {
    const unsigned other = static_cast<unsigned>(std::countr_zero(rest));
    if ((warp.at_warp_barrier & bit(other)) != 0)
      open_warp(warp, warp.masks[other]);
  }
}

unsigned BlockScheduler::next_ready() const {
  unsigned w = current_ / 32;
  for (unsigned i = 0; i <= warp_count_; ++i) {
    if (warps_[w].ready != 0)
      return w * 32 + static_cast<unsigned>(std::countr_zero(warps_[w].ready));
    if (++w == warp_count_)
      w = 0;
  }
  return none;
}

void BlockScheduler::become(unsigned thread) {
  current_ = thread;
  context_->thread = thread_ids_[thread];
  warps_[thread / 32].ready &= ~bit(thread % 32);
}

void BlockScheduler::enter(unsigned thread, Fibre& from, bool leaving) {
  if (!started_[thread]) {
    started_[thread] = true;
    const std::uint16_t stack = free_stacks_[--free_stack_count_];
    stack_of_[thread] = stack;
    prepare_fibre(fibres_[stack], stacks_.top(stack), &BlockScheduler::fibre_main);
  }
  become(thread);
  came_from_ = &from;
  Fibre& to = fibres_[stack_of_[thread]];
  if (leaving)
    leave_fibre(from, to);
  else
    switch_fibre(from, to);
}

void BlockScheduler::wait_here() {
  const unsigned thread = current_;
  const unsigned next = next_ready();
  if (next == thread) {
    warps_[thread / 32].ready &= ~bit(thread % 32);
    return;
  }
  Fibre& self = fibres_[stack_of_[thread]];
  if (next == none) {
    deadlock_ = true;
    leave_fibre(self, host_);
  }
  enter(next, self, false);
}

void BlockScheduler::open_block() {
  std::memcpy(last_reduction_, reduction_, sizeof reduction_);
  reduction_[0] = reduction_[2] = 0;
  reduction_[1] = 1;
  for (unsigned w = 0; w < warp_count_; ++w) {
    warps_[w].ready |= warps_[w].at_block_barrier;
    warps_[w].at_block_barrier = 0;
  }
  arrived_ = 0;
}

int BlockScheduler::sync_block(int operation, int predicate) {
  const unsigned thread = current_;
  if (operation >= 0) {
    reduction_[0] += predicate != 0;
    reduction_[1] &= predicate != 0;
    reduction_[2] |= predicate != 0;
  }
  warps_[thread / 32].at_block_barrier |= bit(thread % 32);
  if (++arrived_ == living_)
    open_block();
  wait_here();
  return operation >= 0 ? last_reduction_[operation] : 0;
}

bool BlockScheduler::open_warp(Warp& warp, unsigned mask) {
  const std::uint32_t group = mask & warp.living;
  if ((group & ~warp.at_warp_barrier) != 0)
    return false;
  for (std::uint32_t rest = group; rest != 0; rest &= rest - 1)
    if ((warp.masks[std::countr_zero(rest)] & warp.living) != group)
      return false;
  if (const std::uint32_t sharers = group & warp.sharing; sharers != 0)
    take_snapshot(warp, static_cast<unsigned>(&warp - warps_.data()), sharers);
  warp.at_warp_barrier &= ~group;
  warp.sharing &= ~group;
  warp.ready |= group;
  return true;
}

void BlockScheduler::sync_warp(unsigned mask) {
  const unsigned lane = current_ % 32;
  Warp& warp = warps_[current_ / 32];
  warp.masks[lane] = mask | bit(lane);
  warp.at_warp_barrier |= bit(lane);
  if (open_warp(warp, warp.masks[lane])) {
    warp.ready &= ~bit(lane);  // goes on at once
    return;
  }
  wait_here();
}

void BlockScheduler::take_snapshot(Warp& warp, unsigned warp_index, unsigned sharers) {
  // Each living lane holds one at most, so with 32 there is always a free one.
  const auto index = static_cast<unsigned>(std::countr_zero(warp.free_snapshots));
  Snapshot& taken = snapshot(warp_index, index);
  warp.free_snapshots &= ~bit(index);
  taken.lanes = sharers;
  taken.readers = static_cast<unsigned>(std::popcount(sharers));
  for (std::uint32_t rest = sharers; rest != 0; rest &= rest - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(rest));
    taken.slots[lane][0] = warp.offered[lane][0];
    taken.slots[lane][1] = warp.offered[lane][1];
    warp.held[lane] = static_cast<std::uint8_t>(index);
  }
}

void BlockScheduler::drop_snapshot(Warp& warp, unsigned warp_index, unsigned lane) {
  const std::uint8_t index = warp.held[lane];
  if (index == no_snapshot)
    return;
  warp.held[lane] = no_snapshot;
  if (--snapshot(warp_index, index).readers == 0)
    warp.free_snapshots |= bit(index);
}

const unsigned long long (*BlockScheduler::share_in_warp(unsigned mask, const void* value,
                                                         unsigned bytes, unsigned* lanes))[2] {
  const unsigned thread = current_;
  const unsigned lane = thread % 32;
  Warp& warp = warps_[thread / 32];
  drop_snapshot(warp, thread / 32, lane);
  std::memcpy(warp.offered[lane], value, bytes);
  warp.sharing |= bit(lane);
  sync_warp(mask);
  const Snapshot& seen = snapshot(thread / 32, warp.held[lane]);
  *lanes = seen.lanes;
  return seen.slots;
}

}  // namespace fastgpu::exec
