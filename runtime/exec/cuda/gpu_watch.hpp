#pragma once

/// How this host's GPUs are: memory, load, heat, power, errors, and who computes on them; asked of
/// NVML by a process of its own, because its handles go bad with the driver and its calls can hang.
///
/// Place in the flow: one for a node, beside its executors. The child writes lines into a pipe; a
/// thread reads them and tells the sink. Threads: the sink is called on that thread, one event at a
/// time; it must not block and must not destroy the watch.
/// Failures: a child that ends is started again, with a growing pause; a host without NVML is told
/// once, and then there is silence. What NVML does not know of a device is left out.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "runtime/exec/cuda/gpu_process.hpp"

namespace fastgpu::exec {

struct GpuSample {
  std::string uuid;  ///< of a device or of a slice, as in a GpuListing
  std::uint64_t memory_used_bytes{};
  std::uint64_t memory_total_bytes{};
  std::optional<unsigned> utilisation_percent;
  std::optional<unsigned> temperature_celsius;
  std::optional<unsigned> power_milliwatts;
  std::optional<std::uint64_t> ecc_errors;  ///< not corrected, since the driver was loaded
  bool lost{false};  ///< the driver cannot reach it any more; then nothing else is known
  bool operator==(const GpuSample&) const = default;
};

/// The driver has written this error of the device to the host's log.
struct GpuXid {
  std::string uuid;
  std::uint64_t number{};
  bool operator==(const GpuXid&) const = default;
};

/// There is nothing to be watched, or nothing to watch with.
struct GpuWatchTrouble {
  std::string why;
  bool operator==(const GpuWatchTrouble&) const = default;
};

/// Of each device in turn: its sample, then its processes. What the driver cannot tell does not
/// come.
using GpuNews = std::variant<GpuSample, GpuProcesses, GpuXid, GpuWatchTrouble>;

/// Whether an Xid says that the device may be broken, and not only a program of its user's. Numbers
/// that are not known do.
bool blames_device(std::uint64_t xid);

class GpuWatch {
 public:
  virtual ~GpuWatch() = default;
};

struct GpuWatchOptions {
  std::string program;  ///< path of fastgpu-executor
  std::uint32_t interval_ms{2000};
  std::uint32_t restart_pause_ms{1000};  ///< doubled with each death in a row
  std::uint32_t restart_pause_max_ms{60'000};
};

/// Starts at once. Its end ends the child.
std::unique_ptr<GpuWatch> watch_gpus(GpuWatchOptions options,
                                     std::function<void(const GpuNews&)> sink);

/// The child: words behind "--watch-gpus". Returns the process's exit code.
int gpu_watch_child_main(int count, char** words);

/// Where the child writes.
inline constexpr int gpu_watch_fd = 3;

std::string to_line(const GpuNews& news);
/// Nothing for a line that makes no sense.
std::optional<GpuNews> parse_gpu_news(const std::string& line);

}  // namespace fastgpu::exec
