#pragma once

/// The headers that a kernel's source may include and NVRTC does not have: given to it as text, so
/// that the same source compiles on a GPU and on the CPU device.
///
/// Place in the flow: used by the NVRTC child. The first one is included before every source; it
/// brings the names that the CPU device brings. What NVRTC has built in becomes an empty header.

#include <span>

namespace fastgpu::exec {

struct HeaderShim {
  const char* name;
  const char* text;
};
std::span<const HeaderShim> header_shims();

}  // namespace fastgpu::exec
