#pragma once

/// Turns a fault of a kernel into a record that outlives the process.
///
/// Place in the flow: installed once by the executor; the CPU device tells the scene before each
/// launch. On SIGSEGV, SIGBUS, SIGFPE, SIGILL and on failed checks of device code the record is
/// filled and the process ends with `fault_exit_code`. Only async-signal-safe work is done.
/// Without a record (inside a unit test) a fault keeps its default course.

#include <cstdint>

#include "runtime/exec/channel/fault_record.hpp"
#include "runtime/exec/cpu/run/fibre.hpp"
#include "runtime/exec/cpu/run/guarded_buffer.hpp"

namespace fastgpu::exec {

inline constexpr int fault_exit_code = 86;

/// Installs the handlers. The record must live as long as the process.
void install_fault_handler(FaultRecord* record);
/// Gives the calling thread a stack for handlers of its own: needed where fibres overflow theirs.
void give_thread_signal_stack();

/// From now on a fault belongs to this task. Begin on one thread, before the launch.
void begin_fault_scene(std::uint64_t token);
/// Adds the memory of a buffer argument. In the order of the arguments.
void add_fault_buffer(int argument, const GuardedBuffer& buffer);
void end_fault_scene();
/// Where the calling thread's fibres have their stacks; null for none.
void set_fault_stacks(const FibreStacks* stacks);

/// Where the guard behind the calling thread's dynamic shared memory is, and how much the job
/// asked.
void set_fault_shared(const char* guard_begin, const char* guard_end, std::uint32_t bytes);

/// A failed check in device code: records and ends the process. Aborts without a record.
[[noreturn]] void report_failed_check(const char* what, const char* file, int line);

}  // namespace fastgpu::exec
