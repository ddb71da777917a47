#pragma once

/// What of the news about GPUs speaks against a device, in words that a device is quarantined with.
///
/// Place in the flow: between the watch of a node's GPUs and the workers of those devices. Pure.
/// Remembers the last Xid of each device, also of those that say nothing against it.
/// The same may be said again and again: a device that stays lost stays accused.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "runtime/exec/cuda/gpu_watch.hpp"

namespace fastgpu::exec {

struct GpuVerdict {
  std::string uuid;
  std::string why;  ///< "its driver reported Xid 79"
  bool operator==(const GpuVerdict&) const = default;
};

class GpuVerdicts {
 public:
  std::optional<GpuVerdict> hear(const GpuNews& news);
  /// 0 if none came.
  std::uint64_t last_xid(const std::string& uuid) const;

 private:
  std::optional<GpuVerdict> hear_of(const GpuSample& sample);

  std::map<std::string, std::uint64_t> ecc_errors_;  ///< at the last sample, by device
  std::map<std::string, std::uint64_t> last_xids_;   ///< by device
};

}  // namespace fastgpu::exec
