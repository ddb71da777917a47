#pragma once

/// Finds and opens NVIDIA's libraries at run time: the driver, NVRTC, NVML.
///
/// Place in the flow: each process that needs one asks once. Nothing of NVIDIA's is linked, so
/// every program starts on every host. Search order: the file that $FASTGPU_LIBCUDA,
/// $FASTGPU_LIBNVRTC or $FASTGPU_LIBNVML names, and then no other; else the loader's own search;
/// else the folders where drivers and toolkits are put. What is opened stays open.
/// Failures: one sentence that says what was tried or what is wrong with what was found: the
/// toolkit's link stub is told apart, and a driver before CUDA 12.0, which lacks what is needed.
/// Functions that a driver lacks and that can be done without are listed, not fatal.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/exec/cuda/api/driver.hpp"
#include "runtime/exec/cuda/api/nvml.hpp"
#include "runtime/exec/cuda/api/nvrtc.hpp"

namespace fastgpu::exec::cuda {

inline constexpr int driver_version_min = 12000;

struct Driver {
  DriverApi api;
  std::string path;                  ///< the file that was opened
  int version{};                     ///< 12040: of CUDA as the driver knows it
  std::vector<std::string> missing;  ///< functions that it lacks; their pointers are null
};
/// Opens the driver; does not initialise it.
base::Result<Driver> open_driver();

/// cuInit, of a process that asks no MPS daemon: it would share the faults of the daemon's other
/// clients, and wherever none runs any user of the host can pass for one.
Code start_driver(const DriverApi& api);

struct Nvrtc {
  NvrtcApi api;
  std::string path;
  int version{};  ///< 13000
};
/// Of several the one of the driver's generation first: an older driver does not take the code of a
/// newer one. 0 = any.
base::Result<Nvrtc> open_nvrtc(int driver_version = 0);
/// This file alone.
base::Result<Nvrtc> open_nvrtc(const std::string& path);

struct Nvml {
  NvmlApi api;
  std::string path;
};
base::Result<Nvml> open_nvml();

/// The folders in which the libraries above may be found beside the system's, overrides included:
/// what a confined process must be able to read.
std::vector<std::string> library_folders();

/// Where the toolkit's headers are, or empty.
std::string toolkit_include_folder();

}  // namespace fastgpu::exec::cuda
