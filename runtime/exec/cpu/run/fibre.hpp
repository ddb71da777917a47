#pragma once

/// A stack that can be switched to: the ground of fibre mode.
///
/// Place in the flow: used by the block scheduler alone. A fibre belongs to the host thread that
/// made it and never moves. Switching costs a few nanoseconds; nothing fails except making stacks.
/// x86-64 only. Sanitizers are told of each switch.

#include <cstddef>
#include <cstdint>

namespace fastgpu::exec {

/// Where a suspended flow of control stands. The host thread's own stack is one too.
struct Fibre {
  void* stack_pointer{nullptr};
  const char* stack_low{nullptr};  ///< for the sanitizers
  std::size_t stack_bytes{0};
  void* sanitizer_state{nullptr};
};

/// Goes on in `to`; returns when something switches back to `from`.
void switch_fibre(Fibre& from, Fibre& to);
/// The same, when `from` never continues where it is: its stack may be used anew.
void leave_fibre(Fibre& from, Fibre& to);
/// First thing to do in a fibre's function.
void fibre_entered(Fibre& self, Fibre& came_from);
/// Prepares the fibre to begin in `function` at `stack_top`, 64-byte aligned.
void prepare_fibre(Fibre& fibre, char* stack_top, void (*function)());

/// Stacks for one host thread: address space for all, memory only as touched, a guard page below
/// each while the process's share of mappings lasts.
class FibreStacks {
 public:
  static constexpr std::size_t stack_bytes = 256u << 10;
  static constexpr std::size_t guard_bytes = 4096;
  static constexpr std::size_t count_max = 1024;

  FibreStacks() = default;
  ~FibreStacks();
  FibreStacks(const FibreStacks&) = delete;
  FibreStacks& operator=(const FibreStacks&) = delete;

  /// Makes at least `count` stacks usable. False when the host has no address space for them.
  bool reserve(std::size_t count);
  char* low(std::size_t index) const { return region_ + index * stride + guard_bytes; }
  /// The top, staggered: tops at equal distances would all share a few cache sets.
  char* top(std::size_t index) const { return low(index) + stack_bytes - 64 - (index % 61) * 192; }
  /// Whether the address lies in one of the guards: a stack has overflowed.
  bool in_guard(std::uintptr_t address) const;

 private:
  static constexpr std::size_t stride = stack_bytes + guard_bytes;
  char* region_{nullptr};
  std::size_t guarded_{0};
  std::size_t ready_{0};
};

}  // namespace fastgpu::exec
