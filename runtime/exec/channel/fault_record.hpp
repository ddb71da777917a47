#pragma once

/// What a dying device process leaves behind about the kernel that killed it.
///
/// Place in the flow: lies in the shared channel; written by a signal handler of the executor or by
/// the CUDA device, read by the node after the process is gone. Fixed layout, plain words only, so
/// that the handler needs nothing but stores. The reader trusts no field: numbers are shown, texts
/// are cut.

#include <atomic>
#include <cstdint>

namespace fastgpu::exec {

enum class FaultKind : std::uint32_t {
  none,
  memory,          ///< an access that the host's memory protection stopped
  stack_overflow,  ///< in the guard page below a fibre's stack
  shared_memory,   ///< beyond the block's dynamic shared memory of `argument_bytes`
  division,
  illegal_instruction,
  failed_check,  ///< assert or __trap: `what`, `file`, `line`
  gpu,           ///< the driver's sticky `gpu_code`, described in `what`, met while `file`
};

struct FaultRecord {
  std::atomic<std::uint32_t> claimed;   ///< the first thread that faults sets it
  std::atomic<std::uint32_t> complete;  ///< set last
  FaultKind kind;
  std::uint32_t is_write;
  std::uint64_t token;  ///< the task whose kernel ran
  std::uint64_t address;
  std::int32_t argument;  ///< the buffer that was missed, or -1
  std::int32_t line;
  std::uint64_t argument_bytes;
  std::int64_t offset;       ///< of the address from the buffer's first byte
  std::uint32_t has_thread;  ///< fibre mode: `block` and `thread` are exact
  std::uint32_t block[3];
  std::uint32_t thread[3];
  std::int32_t gpu_code;
  std::uint64_t first_block;  ///< loop mode: the fault is in one of these
  std::uint64_t last_block;
  std::uint64_t heap_asked;  ///< the last malloc that the launch's heap refused; 0: none
  std::uint64_t heap_used;   ///< by then
  std::uint64_t heap_bytes;  ///< of the launch's heap
  char what[256];
  char file[128];
};

}  // namespace fastgpu::exec
