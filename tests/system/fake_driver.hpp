#pragma once

/// Nodes on a host that has GPUs, as far as they can tell: the fake driver stands in for NVIDIA's.

#include <string>
#include <vector>

#include "tests/support/process/process_cluster.hpp"

namespace fastgpu::testing {

/// One node. `knobs` is the file that says what the fake driver shall be
/// (tests/support/fake_cuda/knobs.hpp); empty = one GPU, and all is well with it.
inline ProcessClusterOptions node_with_fake_gpus(int cpu_devices, const std::string& knobs = {}) {
  ProcessClusterOptions options{.nodes = 1, .cpu_devices = cpu_devices};
  for (const char* name : {"FASTGPU_LIBCUDA=", "FASTGPU_LIBNVRTC=", "FASTGPU_LIBNVML="}) {
    options.environment.push_back(std::string(name) + FASTGPU_TEST_FAKE_CUDA);
  }
  if (!knobs.empty()) {
    options.environment.push_back("FASTGPU_LIBCUDA_FAKE=" + knobs);
  }
  return options;
}

}  // namespace fastgpu::testing
