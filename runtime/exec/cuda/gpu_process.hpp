#pragma once

/// The processes that compute on a device, as its driver counts them. The numbers are those of the
/// driver's pid namespace: a node in a container of its own does not find its processes there.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fastgpu::exec {

struct GpuProcess {
  std::int32_t process{};                     ///< pid
  std::optional<std::uint64_t> memory_bytes;  ///< none where the driver does not count
  bool operator==(const GpuProcess&) const = default;
};

struct GpuProcesses {
  static constexpr std::size_t count_max = 1024;  ///< of one device; more are not told

  std::string uuid;  ///< of a device or of a slice
  std::vector<GpuProcess> processes;
  bool operator==(const GpuProcesses&) const = default;
};

}  // namespace fastgpu::exec
