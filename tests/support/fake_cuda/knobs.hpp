#pragma once

/// What a test wants the fake driver to be and to do wrong.
///
/// A file, named by $FASTGPU_LIBCUDA_FAKE, of lines "name value..."; read again at each question,
/// so that a test can change it between two lives of an executor. Without the variable all is well.
///
///   devices 2              how many there are (1)
///   slices 2               the last one is divided into as many MIG slices
///   memory 1048576         bytes of each device (1 GiB)
///   arch 90                sm_90
///   driver 13000           the CUDA version that it knows
///   stub                   it is the toolkit's link stub
///   lacks NAME             it has no such function; may be repeated
///   init CODE              cuInit says this
///   out_of_memory BYTES    allocations beyond this many bytes in use fail
///   refuse_load CODE       images are not loaded; the JIT compiler's log has a line for it
///   fail_launch N CODE     the Nth launch of the process makes the context fail with CODE
///   hang_launch N          the Nth launch never ends
///   delay_ms N             each launch takes that much longer
///   temperature N, power N, utilisation N, xid N, ecc N       what NVML says
///   xid_instance N         the Xid is about this slice only, counted from 1
///   memory_used BYTES      of each device, says NVML
///   process PID BYTES      computes on each device, says NVML, if it lives; may be repeated;
///   without
///                          BYTES it is not known how much it uses

#include <cstdint>
#include <string>
#include <vector>

namespace fastgpu::testing {

/// The words behind the first line of that name; empty if there is none.
std::vector<std::string> knob_words(const std::string& name);
bool knob(const std::string& name);
std::uint64_t knob(const std::string& name, std::uint64_t otherwise);
/// All values of lines of that name.
std::vector<std::string> knob_list(const std::string& name);
/// The words behind each line of that name.
std::vector<std::vector<std::string>> knob_lines(const std::string& name);

}  // namespace fastgpu::testing
