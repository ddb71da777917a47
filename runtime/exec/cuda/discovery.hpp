#pragma once

/// Which GPUs this host has, found out by a process that ends at once: whoever asks the driver
/// himself would keep what it takes, and hang where it hangs.
///
/// Place in the flow: the node asks once when it starts, and doctor when it is told to. Blocks up
/// to `listing_limit`. A divided GPU (MIG) is listed by its slices, each a device of its own.
/// Failures: never; a host without a usable driver has no devices and a sentence why.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fastgpu::exec {

inline constexpr std::chrono::seconds listing_limit{20};

struct GpuDescription {
  std::string uuid;  ///< "GPU-..." or, of a slice, "MIG-...": what `--device cuda:UUID` takes
  std::string model;
  std::uint64_t memory_bytes{};
  unsigned arch{};    ///< 90 for sm_90; 0 = not known before it is used
  bool slice{false};  ///< of a divided GPU
  bool operator==(const GpuDescription&) const = default;
};

struct GpuListing {
  std::string driver;     ///< "CUDA 13.0, /usr/lib/libcuda.so.1"; empty = none that serves
  std::string trouble;    ///< why there is none, or what is wrong with it; empty = nothing
  bool no_driver{false};  ///< nothing of a driver is there: a host without GPUs
  std::vector<GpuDescription> devices;
};

/// Asks `program --list-gpus`.
GpuListing list_gpus(const std::string& program);

/// One sentence for people: "2 GPUs: NVIDIA H200 (GPU-...), ...", or why there is none.
std::string describe(const GpuListing& listing);

/// The child: prints the listing. Returns the process's exit code.
int list_gpus_main();

/// Reads what the child prints; lines that make no sense are left out.
GpuListing parse_gpu_listing(const std::string& text);

/// Of this process's environment, what concerns the driver; "NAME=VALUE".
std::vector<std::string> driver_environment();

}  // namespace fastgpu::exec
