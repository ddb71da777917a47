#include "runtime/exec/cpu/run/context.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "runtime/exec/cpu/run/block_scheduler.hpp"
#include "runtime/exec/cpu/run/device_heap.hpp"
#include "runtime/exec/cpu/run/fault_handler.hpp"

extern "C" {
__attribute__((visibility("default"))) __thread fastgpu::exec::abi::FastgpuContext fastgpu_context;
}

namespace fastgpu::exec {
namespace {

constexpr std::size_t line_bytes_max = 1024;

std::mutex print_mutex;
char* print_text = nullptr;
std::size_t print_capacity = 0;
std::size_t print_used = 0;

/// Loop mode has no fibres to stop. The source hid its barrier so well that it was not seen.
BlockScheduler& scheduler_or_fail() {
  BlockScheduler* scheduler = current_scheduler();
  if (scheduler == nullptr)
    report_failed_check(
        "a barrier was reached that could not be seen in the source; use precise=true", nullptr, 0);
  return *scheduler;
}

int sync_block(int operation, int predicate) {
  return scheduler_or_fail().sync_block(operation, predicate);
}
void sync_warp(unsigned mask) {
  scheduler_or_fail().sync_warp(mask);
}
const unsigned long long (*share_in_warp(unsigned mask, const void* value, unsigned bytes,
                                         unsigned* lanes))[2] {
  return scheduler_or_fail().share_in_warp(mask, value, bytes, lanes);
}
void fail(const char* what, const char* file, int line) {
  report_failed_check(what, file, line);
}

int print(const char* format, ...) {
  char line[line_bytes_max];
  va_list arguments;
  va_start(arguments, format);
  const int count = std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (count < 0)
    return count;
  const auto bytes = std::min<std::size_t>(static_cast<std::size_t>(count), sizeof line - 1);
  std::lock_guard lock(print_mutex);
  const std::size_t taken = std::min(bytes, print_capacity - print_used);
  std::memcpy(print_text + print_used, line, taken);
  print_used += taken;
  return count;
}

}  // namespace

const abi::FastgpuRuntime& device_runtime() {
  static const abi::FastgpuRuntime table{sync_block, sync_warp,     share_in_warp, fail,
                                         print,      device_malloc, device_free};
  return table;
}

void set_print_target(char* text, std::size_t capacity) {
  std::lock_guard lock(print_mutex);
  print_text = text;
  print_capacity = capacity;
  print_used = 0;
}

std::size_t printed_bytes() {
  std::lock_guard lock(print_mutex);
  return print_used;
}

}  // namespace fastgpu::exec
