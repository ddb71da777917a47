#pragma once

/// The memory that device code takes by itself: malloc and new.
///
/// Place in the flow: the CPU device opens it before each launch and closes it afterwards; device
/// code reaches it through the runtime table. As on a GPU it is small, `device_heap_bytes_max` for
/// all threads of a launch together, and malloc gives null beyond that; unlike there it goes with
/// the launch, so that no job finds, or misses, what another one left. Any thread; one launch at a
/// time. A kernel that goes on with the null pointer faults, and its fault record names the
/// refusal.

#include <cstddef>
#include <cstdint>

namespace fastgpu::exec {

/// What CUDA grants where nobody asks for more (cudaLimitMallocHeapSize).
inline constexpr std::size_t device_heap_bytes_max = 8u << 20;

void open_device_heap();
/// Takes back what the launch has not freed.
void close_device_heap();

void* device_malloc(std::size_t bytes);
void device_free(void* memory);

/// The last malloc of the launch that was refused.
struct HeapRefusal {
  std::uint64_t asked;  ///< 0: none was
  std::uint64_t used;   ///< by then
};
/// Safe in a signal handler.
HeapRefusal last_heap_refusal();

}  // namespace fastgpu::exec
