#pragma once

/// The devices that the tests of this folder run over: the CPU device; the CUDA device over the
/// fake driver; and a real GPU, where there is one.

#include <cstdlib>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>

#include "runtime/exec/cuda/libraries.hpp"
#include "tests/unit/exec/exec_support.hpp"

namespace fastgpu::exec::test {

inline constexpr const char* fake_gpu = "GPU-fa5e0000-0000-0000-0000-000000000000";
inline constexpr const char* second_fake_gpu = "GPU-fa5e0000-0000-0000-0000-000000000001";
inline constexpr const char* fake_slice = "MIG-fa5e0100-0000-0000-0000-000000000000";

/// Where the fake driver's wishes stand (tests/support/fake_cuda/knobs.hpp). The executor may read
/// it behind its walls, because it lies in the kernels' folder.
inline std::string knobs_file() {
  return shared_cache_folder() + "/fake.knobs";
}

/// In one step, also for executors that read it now.
inline void set_knobs(const std::string& lines) {
  const std::string fresh = knobs_file() + ".new";
  std::ofstream(fresh) << lines;
  std::filesystem::permissions(fresh, std::filesystem::perms(0644));
  std::filesystem::rename(fresh, knobs_file());
}

/// From now on executors find the fake driver, with nothing wrong with it.
inline void use_fake_driver() {
  setenv("FASTGPU_LIBCUDA", FASTGPU_TEST_FAKE_CUDA, 1);
  setenv("FASTGPU_LIBNVRTC", FASTGPU_TEST_FAKE_CUDA, 1);
  setenv("FASTGPU_LIBNVML", FASTGPU_TEST_FAKE_CUDA, 1);
  setenv("FASTGPU_LIBCUDA_FAKE", knobs_file().c_str(), 1);
  unsetenv("CUDA_VISIBLE_DEVICES");
  set_knobs("");
}

inline void use_real_driver() {
  for (const char* name :
       {"FASTGPU_LIBCUDA", "FASTGPU_LIBNVRTC", "FASTGPU_LIBNVML", "FASTGPU_LIBCUDA_FAKE"})
    unsetenv(name);
}

struct DeviceBed {
  std::string name;
  std::string device;  ///< for the executor
  bool is_gpu{false};
  bool is_real{false};

  /// What must hold before an executor is made; empty, or why this host has no such device.
  std::string enter() const {
    if (!is_gpu)
      return "";
    if (!is_real) {
      use_fake_driver();
      return "";
    }
    use_real_driver();
    const auto driver = cuda::open_driver();
    return driver.ok() ? "" : driver.error().message;
  }
  ProcessExecutorOptions options() const {
    ProcessExecutorOptions options = cpu_options();
    options.device = device;
    return options;
  }
};
inline std::ostream& operator<<(std::ostream& out, const DeviceBed& bed) {
  return out << bed.name;
}

inline std::vector<DeviceBed> device_beds() {
  return {{"cpu", "cpu:0", false, false},
          {"fake", std::string("cuda:") + fake_gpu, true, false},
          {"gpu", "cuda:0", true, true}};
}

}  // namespace fastgpu::exec::test
