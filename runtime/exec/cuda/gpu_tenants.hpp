#pragma once

/// Who uses the memory of a node's GPUs beside the node's own tasks, and memory that nobody uses
/// and that does not come back: in sentences for people.
///
/// Place in the flow: between the watch of a node's GPUs and whoever tells people. Pure.
/// A process is the node's own, a left-over of one of its commands, or a stranger. Strangers are
/// told and left alone: the host is not ours. Left-overs are ended: that a command has ended means
/// that nothing of it is left.
/// What is used and belongs to no process is the driver's. The least of that which was ever seen is
/// what the driver needs; much more than that in `looks_min` looks in a row is memory that does not
/// come back. Only lists that have shown the node's own processes count: in a container a driver
/// may show none. Each thing is said once, and again only when it was over meanwhile.
/// Limits: GpuProcesses::count_max processes of a device.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/exec/cuda/gpu_watch.hpp"

namespace fastgpu::exec {

enum class GpuTenancy : std::uint8_t { own, left_over, strange };

struct GpuTenant {
  GpuProcess use;
  GpuTenancy tenancy{GpuTenancy::strange};
  std::string name;  ///< of its program; empty if it cannot be seen from here
};

class GpuTenants {
 public:
  static constexpr std::uint64_t lost_bytes_min = 256u << 20;
  static constexpr int looks_min = 5;

  struct Findings {
    std::vector<std::string> said;
    std::vector<std::int32_t> to_end;  ///< processes, as long as they are there
  };

  void hear(const GpuSample& sample) { devices_[sample.uuid].sample = sample; }
  /// All processes on one device, after its sample.
  Findings hear(const std::string& uuid, const std::vector<GpuTenant>& tenants);

  /// What is to be known of the device's memory now, in a sentence; empty if nothing.
  std::string memory_remark(const std::string& uuid) const;

 private:
  struct Device {
    std::optional<GpuSample> sample;
    std::set<std::int32_t> told;  ///< processes that are still there
    bool shows_own{false};
    std::optional<std::uint64_t> driver_bytes;  ///< the least that belonged to nobody
    int looks{0};                               ///< in a row with too much
    std::uint64_t lost_bytes{0};                ///< that do not come back, at the last look
  };
  void judge_memory(const std::string& uuid, Device& device, const std::vector<GpuTenant>& tenants,
                    Findings& findings) const;

  std::map<std::string, Device> devices_;
};

}  // namespace fastgpu::exec
