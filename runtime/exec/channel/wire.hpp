#pragma once

/// The fixed layouts that node and executor share, and the numbers both know.
///
/// Place in the flow: the channel is one shared mapping with two rings, a fault record and the
/// words for sleeping and waking. Bulk data lies in a second mapping, the arena. The control socket
/// carries one ExecutorHello, then KernelNotices, and tells of the other side's end. Both programs
/// are built together; `wire_version` refuses a mixture. A change here raises it.

#include <atomic>
#include <cstdint>

#include "runtime/exec/channel/fault_record.hpp"
#include "runtime/exec/channel/ring.hpp"

namespace fastgpu::exec {

inline constexpr std::uint32_t wire_magic = 0x55504746;  // "FGPU"
inline constexpr std::uint32_t wire_version = 5;
inline constexpr std::uint32_t ring_entries = 256;
inline constexpr std::uint32_t message_bytes_max = 64u << 10;
inline constexpr std::uint32_t printed_bytes_max = 32u << 10;

/// File descriptors of the child.
inline constexpr int control_fd = 3;        ///< SEQPACKET socket; its end is the node's end
inline constexpr int channel_fd = 4;        ///< memfd with a Channel
inline constexpr int arena_fd = 5;          ///< memfd with the tasks' slots
inline constexpr int executor_bell_fd = 6;  ///< eventfd: wakes the executor
inline constexpr int node_bell_fd = 7;      ///< eventfd: wakes the node
inline constexpr int first_unused_fd = 8;

/// Node to executor: a task lies ready in the arena.
struct Submission {
  std::uint64_t token;
  std::uint64_t slot_offset;
  std::uint64_t slot_bytes;
};

/// Executor to node: its outcome; texts and outputs lie in the task's slot.
struct Completion {
  std::uint64_t token;
  std::uint32_t reason;
  std::uint32_t message_bytes;
  std::uint32_t printed_bytes;
  std::uint32_t compile_cached;
  std::uint64_t compile_ns;
  std::uint64_t copy_in_ns;
  std::uint64_t run_ns;
  std::uint64_t copy_out_ns;
};

/// A sleeper sets its word before it sleeps; who finds it set rings the bell.
struct alignas(64) SleepWord {
  std::atomic<std::uint32_t> asleep;
};

struct Channel {
  std::uint32_t magic;
  std::uint32_t version;
  SleepWord node;
  SleepWord executor;
  alignas(64) std::atomic<std::uint64_t> running;  ///< token of the running kernel, or 0
  RingStorage<Submission, ring_entries> submissions;
  RingStorage<Completion, ring_entries> completions;
  FaultRecord fault;
};

/// The first message on the control socket: the executor is ready, or why it cannot be.
struct ExecutorHello {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint32_t device_kind;
  std::uint32_t threads;
  std::uint64_t memory_bytes;
  char model[128];
  char uuid[64];
  char walls[32];
  char trouble[512];  ///< empty = it is ready
};

/// Of a task whose kernel is not at hand: that it is being made, and later that it runs now. Of
/// most tasks there is none.
struct KernelNotice {
  std::uint32_t magic;
  std::uint32_t running;  ///< 0 or 1
  std::uint64_t token;
};

}  // namespace fastgpu::exec
