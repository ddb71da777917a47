#include "runtime/exec/cpu/run/fault_handler.hpp"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "runtime/base/limits.hpp"
#include "runtime/exec/channel/text.hpp"
#include "runtime/exec/cpu/run/context.hpp"
#include "runtime/exec/cpu/run/device_heap.hpp"

namespace fastgpu::exec {
namespace {

struct SceneBuffer {
  int argument;
  std::uintptr_t mapping_begin, mapping_end, begin;
  std::uint64_t bytes;
};
struct Scene {
  std::atomic<std::uint64_t> token{0};
  std::atomic<std::uint32_t> count{0};
  SceneBuffer buffers[base::limits::kernel_arguments_max];
};

FaultRecord* record = nullptr;
Scene scene;
thread_local const FibreStacks* stacks = nullptr;

struct SharedGuard {
  std::uintptr_t begin, end;
  std::uint32_t bytes;
};
thread_local SharedGuard shared_guard{0, 0, 0};

constexpr std::size_t signal_stack_bytes = 64u << 10;
constexpr greg_t page_fault_was_write = 2;

/// The first thread that faults writes the record; the others wait for the end they all share.
void claim() {
  std::uint32_t expected = 0;
  if (!record->claimed.compare_exchange_strong(expected, 1))
    for (;;)
      pause();
}

void record_place() {
  const abi::FastgpuContext& at = fastgpu_context;
  record->token = scene.token.load(std::memory_order_acquire);
  record->has_thread = at.last_block == 0;
  const HeapRefusal refusal = last_heap_refusal();
  record->heap_asked = refusal.asked;
  record->heap_used = refusal.used;
  record->heap_bytes = device_heap_bytes_max;
  record->first_block = at.first_block;
  record->last_block = at.last_block;
  const std::uint32_t block[3] = {at.block.x, at.block.y, at.block.z};
  const std::uint32_t thread[3] = {at.thread.x, at.thread.y, at.thread.z};
  for (int i = 0; i < 3; ++i) {
    record->block[i] = block[i];
    record->thread[i] = thread[i];
  }
}

void record_memory(const siginfo_t& info, const ucontext_t& machine) {
  const auto address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  record->kind = FaultKind::memory;
  record->address = address;
  record->is_write = (machine.uc_mcontext.gregs[REG_ERR] & page_fault_was_write) != 0;
  if (stacks != nullptr && stacks->in_guard(address))
    record->kind = FaultKind::stack_overflow;
  if (address >= shared_guard.begin && address < shared_guard.end) {
    record->kind = FaultKind::shared_memory;
    record->argument_bytes = shared_guard.bytes;
  }
  const std::uint32_t count = scene.count.load(std::memory_order_acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    const SceneBuffer& buffer = scene.buffers[i];
    if (address < buffer.mapping_begin || address >= buffer.mapping_end)
      continue;
    record->argument = buffer.argument;
    record->argument_bytes = buffer.bytes;
    record->offset = static_cast<std::int64_t>(address - buffer.begin);
  }
}

[[noreturn]] void finish_record() {
  record->complete.store(1, std::memory_order_release);
  _exit(fault_exit_code);
}

extern "C" void handle_fault(int signal, siginfo_t* info, void* machine) {
  claim();
  record->argument = -1;
  record_place();
  switch (signal) {
    case SIGFPE:
      record->kind = FaultKind::division;
      break;
    case SIGILL:
      record->kind = FaultKind::illegal_instruction;
      break;
    default:
      record_memory(*info, *static_cast<const ucontext_t*>(machine));
  }
  finish_record();
}

}  // namespace

void install_fault_handler(FaultRecord* where) {
  record = where;
  give_thread_signal_stack();
  struct sigaction action {};
  action.sa_sigaction = handle_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    sigaction(signal, &action, nullptr);
}

void give_thread_signal_stack() {
  thread_local std::unique_ptr<char[]> memory;
  if (memory)
    return;
  memory.reset(new char[signal_stack_bytes]);
  stack_t stack{};
  stack.ss_sp = memory.get();
  stack.ss_size = signal_stack_bytes;
  sigaltstack(&stack, nullptr);
}

void begin_fault_scene(std::uint64_t token) {
  scene.count.store(0, std::memory_order_release);
  scene.token.store(token, std::memory_order_release);
}

void add_fault_buffer(int argument, const GuardedBuffer& buffer) {
  const std::uint32_t index = scene.count.load(std::memory_order_relaxed);
  if (index >= base::limits::kernel_arguments_max)
    return;
  scene.buffers[index] = {argument, reinterpret_cast<std::uintptr_t>(buffer.mapping_begin()),
                          reinterpret_cast<std::uintptr_t>(buffer.mapping_end()),
                          reinterpret_cast<std::uintptr_t>(buffer.begin()), buffer.size()};
  scene.count.store(index + 1, std::memory_order_release);
}

void end_fault_scene() {
  scene.count.store(0, std::memory_order_release);
  scene.token.store(0, std::memory_order_release);
}

void set_fault_stacks(const FibreStacks* mine) {
  stacks = mine;
}

void set_fault_shared(const char* guard_begin, const char* guard_end, std::uint32_t bytes) {
  shared_guard = {reinterpret_cast<std::uintptr_t>(guard_begin),
                  reinterpret_cast<std::uintptr_t>(guard_end), bytes};
}

void report_failed_check(const char* what, const char* file, int line) {
  if (record == nullptr) {
    std::fprintf(stderr, "%s at %s:%d\n", what, file != nullptr ? file : "?", line);
    std::abort();
  }
  claim();
  record_place();
  record->kind = FaultKind::failed_check;
  record->argument = -1;
  record->line = line;
  copy_text(record->what, what);
  copy_text(record->file, file);
  finish_record();
}

}  // namespace fastgpu::exec
