#include "runtime/exec/cpu/run/fibre.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

#if !defined(__x86_64__)
#error "the CPU device switches stacks on x86-64 only"
#endif

extern "C" void fastgpu_switch_stack(void** save, void* to);

// Keeps what the calling convention says a function must keep, and continues on the other stack.
asm(R"(
.text
.globl fastgpu_switch_stack
.type fastgpu_switch_stack,@function
fastgpu_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size fastgpu_switch_stack,.-fastgpu_switch_stack
)");

namespace fastgpu::exec {
namespace {

constexpr std::size_t saved_registers = 6;

/// Each guard splits a mapping in two, and a process may have 65,530 of them.
constexpr std::size_t guards_max = 24'000;
std::atomic<std::size_t> guards_used{0};

}  // namespace

void switch_fibre(Fibre& from, Fibre& to) {
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, to.stack_low, to.stack_bytes);
#endif
#if defined(__SANITIZE_THREAD__)
  if (from.sanitizer_state == nullptr)
    from.sanitizer_state = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.sanitizer_state, 0);
#endif
  fastgpu_switch_stack(&from.stack_pointer, to.stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

void leave_fibre(Fibre& from, Fibre& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(nullptr, to.stack_low, to.stack_bytes);
#endif
#if defined(__SANITIZE_THREAD__)
  __tsan_switch_to_fiber(to.sanitizer_state, 0);
#endif
  fastgpu_switch_stack(&from.stack_pointer, to.stack_pointer);
}

void fibre_entered([[maybe_unused]] Fibre& self, [[maybe_unused]] Fibre& came_from) {
#if defined(__SANITIZE_ADDRESS__)
  const void* low = nullptr;
  std::size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &low, &bytes);
  if (came_from.stack_low == nullptr) {  // the host thread: now we know its stack
    came_from.stack_low = static_cast<const char*>(low);
    came_from.stack_bytes = bytes;
  }
#endif
}

void prepare_fibre(Fibre& fibre, char* stack_top, void (*function)()) {
  auto** slot = reinterpret_cast<void**>(reinterpret_cast<std::uintptr_t>(stack_top) & ~63ull);
  *--slot = nullptr;  // the return address of `function`: the end for whoever walks the stack
  *--slot = reinterpret_cast<void*>(function);
  for (std::size_t i = 0; i < saved_registers; ++i)
    *--slot = nullptr;
  fibre.stack_pointer = slot;
#if defined(__SANITIZE_THREAD__)
  if (fibre.sanitizer_state == nullptr)
    fibre.sanitizer_state = __tsan_create_fiber(0);
#endif
}

FibreStacks::~FibreStacks() {
  if (region_ == nullptr)
    return;
  munmap(region_, stride * count_max);
  guards_used.fetch_sub(guarded_, std::memory_order_relaxed);
}

bool FibreStacks::reserve(std::size_t count) {
  if (region_ == nullptr) {
    void* region = mmap(nullptr, stride * count_max, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (region == MAP_FAILED)
      return false;
    region_ = static_cast<char*>(region);
  }
  for (; ready_ < count; ++ready_) {
    if (guarded_ < ready_ || guards_used.load(std::memory_order_relaxed) >= guards_max)
      continue;
    if (mprotect(region_ + ready_ * stride, guard_bytes, PROT_NONE) != 0)
      continue;
    guards_used.fetch_add(1, std::memory_order_relaxed);
    ++guarded_;
  }
  return true;
}

bool FibreStacks::in_guard(std::uintptr_t address) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(region_);
  if (region_ == nullptr || address < begin || address >= begin + stride * count_max)
    return false;
  return (address - begin) % stride < guard_bytes;
}

}  // namespace fastgpu::exec
