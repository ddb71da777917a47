#include "runtime/exec/fault_text.hpp"

#include <cstdio>
#include <cstring>

#include "runtime/exec/cpu/run/fibre.hpp"
#include "runtime/exec/cuda/codes.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::uint64_t null_page_bytes = 4096;

std::string triple(const std::uint32_t (&v)[3]) {
  return "(" + std::to_string(v[0]) + "," + std::to_string(v[1]) + "," + std::to_string(v[2]) + ")";
}
std::string triple(const std::array<std::uint32_t, 3>& v) {
  return triple({v[0], v[1], v[2]});
}

/// The record comes from a process that a user's code has crashed: its texts may lack their end.
template <std::size_t Size>
std::string text(const char (&field)[Size]) {
  return std::string(field, strnlen(field, Size));
}

std::string hexadecimal(std::uint64_t value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "0x%llx", static_cast<unsigned long long>(value));
  return digits;
}

std::string memory_text(const FaultRecord& record) {
  const char* access = record.is_write ? "write" : "read";
  if (record.argument < 0) {
    if (record.address < null_page_bytes)
      return std::string(access) + " through a null pointer (address " +
             hexadecimal(record.address) + ")";
    return std::string(access) + " at address " + hexadecimal(record.address) +
           ", where there is no buffer";
  }
  const auto size = static_cast<std::int64_t>(record.argument_bytes);
  const bool before = record.offset < 0;
  const std::int64_t distance = before ? -record.offset : record.offset - size;
  return std::string("out-of-bounds ") + access + " of buffer argument " +
         std::to_string(record.argument) + " (" + std::to_string(size) +
         " bytes): " + std::to_string(distance) + " bytes " +
         (before ? "before its begin" : "past its end");
}

std::string heap_text(const FaultRecord& record) {
  return "malloc of " + std::to_string(record.heap_asked) + " bytes gave null, since " +
         std::to_string(record.heap_used) + " of the " + std::to_string(record.heap_bytes) +
         " bytes that a task's malloc and new have were in use, and the kernel went on: " +
         memory_text(record);
}

std::string place_text(const FaultRecord& record) {
  if (record.has_thread)
    return "block " + triple(record.block) + ", thread " + triple(record.thread);
  return "in one of the blocks " + std::to_string(record.first_block) + " to " +
         std::to_string(record.last_block == 0 ? 0 : record.last_block - 1) +
         " (run it with precise=true to learn the thread)";
}

/// Who could say more; empty where nobody can.
const char* gpu_hint(base::FailureReason reason) {
  const bool by_access =
      reason == base::FailureReason::out_of_bounds || reason == base::FailureReason::kernel_assert;
  return by_access ? " (run it with --device cpu --precise to learn the thread)" : "";
}

/// The device does not say which thread it was, nor which buffer.
FaultText gpu_fault(const FaultRecord& record) {
  FaultText result{cuda::reason_of(record.gpu_code), cuda::meaning_of(record.gpu_code)};
  if (!result.message.empty())
    result.message += ": ";
  result.message += text(record.what) + ", while " + text(record.file);
  return result;
}

}  // namespace

FaultText describe_fault(const FaultRecord& record, const FaultedTask& task) {
  FaultText result{base::FailureReason::executor_crash, "the kernel ended the executor process"};
  switch (record.kind) {
    case FaultKind::memory:
      result = {base::FailureReason::out_of_bounds, memory_text(record)};
      if (record.heap_asked != 0 && record.argument < 0 && record.address < null_page_bytes)
        result = {base::FailureReason::cuda_out_of_memory, heap_text(record)};
      break;
    case FaultKind::stack_overflow:
      result = {base::FailureReason::cuda_out_of_memory,
                "the stack of a thread overflowed: its local variables need more than " +
                    std::to_string(FibreStacks::stack_bytes) + " bytes"};
      break;
    case FaultKind::shared_memory:
      result = {base::FailureReason::out_of_bounds,
                std::string("out-of-bounds ") + (record.is_write ? "write" : "read") +
                    " beyond the block's dynamic shared memory, of which the job asked " +
                    std::to_string(record.argument_bytes) + " bytes"};
      break;
    case FaultKind::division:
      result.message = "integer division by zero, or a quotient out of range";
      break;
    case FaultKind::illegal_instruction:
      result.message = "an illegal instruction was executed";
      break;
    case FaultKind::failed_check:
      result = {base::FailureReason::kernel_assert, text(record.what)};
      if (record.line > 0)
        result.message += " at " + text(record.file) + ":" + std::to_string(record.line);
      break;
    case FaultKind::gpu:
      result = gpu_fault(record);
      break;
    case FaultKind::none:
      break;
  }
  result.message += "; kernel " + task.kernel + ", grid " + triple(task.grid) + ", block size " +
                    triple(task.block);
  if (record.kind == FaultKind::gpu)
    result.message += gpu_hint(result.reason);
  else if (record.kind != FaultKind::none)
    result.message += ", " + place_text(record);
  return result;
}

}  // namespace fastgpu::exec
