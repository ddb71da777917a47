#include "runtime/exec/cuda/libraries.hpp"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "runtime/exec/cuda/codes.hpp"

namespace fastgpu::exec::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* driver_folders[] = {"/usr/local/nvidia/lib64", "/usr/lib/x86_64-linux-gnu",
                                          "/usr/lib64", "/usr/lib/wsl/lib"};
constexpr const char* toolkit = "/usr/local/cuda";
/// Nobody can make a file there.
constexpr const char* no_mps = "/proc/no-mps";

/// Needed for every job; a driver without one of them is none for us.
constexpr const char* required[] = {"cuInit",
                                    "cuDeviceGetCount",
                                    "cuDeviceGet",
                                    "cuDeviceGetName",
                                    "cuDeviceGetUuid",
                                    "cuDeviceTotalMem",
                                    "cuCtxSetCurrent",
                                    "cuLibraryLoadData",
                                    "cuDeviceGetAttribute",
                                    "cuLibraryUnload",
                                    "cuDriverGetVersion",
                                    "cuDevicePrimaryCtxRetain",
                                    "cuStreamCreate",
                                    "cuLibraryGetKernel",
                                    "cuStreamSynchronize",
                                    "cuEventCreate",
                                    "cuEventRecord",
                                    "cuEventQuery",
                                    "cuEventSynchronize",
                                    "cuMemPoolCreate",
                                    "cuMemAllocFromPoolAsync",
                                    "cuMemFreeAsync",
                                    "cuMemsetD8Async",
                                    "cuMemcpyHtoDAsync",
                                    "cuMemcpyDtoHAsync",
                                    "cuLaunchKernelEx"};

base::Error unavailable(std::string what, std::string hint = "") {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal, std::move(what),
          std::move(hint)};
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

std::vector<std::string> driver_candidates(const char* override_name, const char* file) {
  if (auto named = variable(override_name))
    return {*named};
  std::vector<std::string> result{file};
  for (const char* folder : driver_folders)
    result.push_back(std::string(folder) + "/" + file);
  return result;
}

std::vector<std::string> toolkit_folders() {
  std::vector<std::string> result;
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const auto home = variable(name))
      result.push_back(*home);
  result.emplace_back(toolkit);
  return result;
}

std::vector<std::string> nvrtc_candidates(int driver_version) {
  if (auto named = variable("FASTGPU_LIBNVRTC"))
    return {*named};
  std::vector<std::string> folders{""};
  for (const auto& home : toolkit_folders()) {
    folders.push_back(home + "/lib64/");
    folders.push_back(home + "/targets/x86_64-linux/lib/");
  }
  std::vector<const char*> files{"libnvrtc.so.13", "libnvrtc.so.12"};
  if (driver_version != 0 && driver_version < 13000)
    std::swap(files[0], files[1]);
  std::vector<std::string> result;
  for (const char* file : files)
    for (const auto& folder : folders)
      result.push_back(folder + file);
  return result;
}

struct Opened {
  void* handle;
  std::string path;
};

/// The file that the loader has chosen for the handle.
std::string path_of(void* handle, const std::string& wanted) {
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map->l_name != nullptr &&
      map->l_name[0] != '\0')
    return map->l_name;
  return wanted;
}

base::Result<Opened> open_first(const std::vector<std::string>& candidates, const char* what) {
  std::string tried;
  std::string broken;
  for (const auto& path : candidates) {
    if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL); handle != nullptr)
      return Opened{handle, path_of(handle, path)};
    const std::string why = dlerror();
    if (path.find('/') != std::string::npos && access(path.c_str(), F_OK) == 0)
      broken += "; " + why;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  return unavailable(std::string("no ") + what + " on this host: tried " + tried + broken);
}

base::Error is_stub(const std::string& path) {
  return unavailable(path + " is the toolkit's link stub, not a driver",
                     "take its folder out of LD_LIBRARY_PATH");
}

base::Error too_old(const std::string& path, int version) {
  return unavailable("the driver " + path + " knows CUDA " +
                         (version > 0 ? version_text(version) : "before 12.0") +
                         ": FastGPU needs " + version_text(driver_version_min) + " or later (r525)",
                     "update NVIDIA's driver");
}

int version_of_old(void* handle) {
  int version = 0;
  const auto ask = reinterpret_cast<decltype(DriverApi::cuDriverGetVersion)>(
      dlsym(handle, "cuDriverGetVersion"));
  return ask != nullptr && ask(&version) == success ? version : 0;
}

/// Empty, or what cannot be done without.
std::string lacking(const std::vector<std::string>& missing) {
  std::string result;
  for (const auto& name : missing)
    for (const char* needed : required)
      if (name == needed)
        result += (result.empty() ? "" : ", ") + name;
  return result;
}

}  // namespace

base::Result<Driver> open_driver() {
  auto opened = open_first(driver_candidates("FASTGPU_LIBCUDA", "libcuda.so.1"), "NVIDIA driver");
  if (!opened.ok())
    return opened.error();
  auto [handle, path] = std::move(opened).value();
  const auto ask = reinterpret_cast<GetProcAddress>(dlsym(handle, "cuGetProcAddress_v2"));
  if (ask == nullptr)
    return too_old(path, version_of_old(handle));
  Driver driver;
  bool stub = false;
  const auto find = [&](const char* name, int version, auto& function) {
    void* address = nullptr;
    int why = 0;
    const Code code = ask(name, &address, version, 0, &why);
    stub |= code == stub_library;
    if (code == success && address != nullptr)
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    else
      driver.missing.emplace_back(name);
  };
#define FASTGPU_FIND(name, version, parameters) find(#name, version, driver.api.name);
  FASTGPU_DRIVER_FUNCTIONS(FASTGPU_FIND)
#undef FASTGPU_FIND
  if (stub)
    return is_stub(path);
  if (driver.api.cuDriverGetVersion != nullptr)
    driver.api.cuDriverGetVersion(&driver.version);
  if (driver.version < driver_version_min)
    return too_old(path, driver.version);
  if (const std::string names = lacking(driver.missing); !names.empty())
    return unavailable("the driver " + path + " lacks " + names, "update NVIDIA's driver");
  driver.path = path;
  return driver;
}

Code start_driver(const DriverApi& api) {
  setenv("CUDA_MPS_PIPE_DIRECTORY", no_mps, 1);
  return api.cuInit(0);
}

base::Result<Nvrtc> open_nvrtc(int driver_version) {
  auto opened = open_first(nvrtc_candidates(driver_version), "NVRTC (CUDA's run-time compiler)");
  if (!opened.ok())
    return opened.error();
  return open_nvrtc(opened.value().path);
}

base::Result<Nvrtc> open_nvrtc(const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    return unavailable(std::string("cannot open NVRTC: ") + dlerror());
  Nvrtc nvrtc;
  nvrtc.path = path;
  std::string missing;
#define FASTGPU_FIND(name, result, parameters)                                       \
  nvrtc.api.name = reinterpret_cast<decltype(nvrtc.api.name)>(dlsym(handle, #name)); \
  if (nvrtc.api.name == nullptr)                                                     \
    missing += (missing.empty() ? "" : ", ") + std::string(#name);
  FASTGPU_NVRTC_FUNCTIONS(FASTGPU_FIND)
#undef FASTGPU_FIND
  if (!missing.empty())
    return unavailable("the NVRTC " + path + " lacks " + missing, "install CUDA 12.0 or later");
  int major = 0;
  int minor = 0;
  nvrtc.api.nvrtcVersion(&major, &minor);
  nvrtc.version = major * 1000 + minor * 10;
  return nvrtc;
}

base::Result<Nvml> open_nvml() {
  auto opened = open_first(driver_candidates("FASTGPU_LIBNVML", "libnvidia-ml.so.1"), "NVML");
  if (!opened.ok())
    return opened.error();
  Nvml nvml;
  nvml.path = opened.value().path;
  void* handle = opened.value().handle;
#define FASTGPU_FIND(name, parameters) \
  nvml.api.name = reinterpret_cast<decltype(nvml.api.name)>(dlsym(handle, #name));
  FASTGPU_NVML_FUNCTIONS(FASTGPU_FIND)
#undef FASTGPU_FIND
  if (nvml.api.nvmlInit_v2 == nullptr || nvml.api.nvmlDeviceGetCount_v2 == nullptr ||
      nvml.api.nvmlDeviceGetHandleByUUID == nullptr)
    return unavailable("the NVML " + nvml.path + " is too old");
  return nvml;
}

std::vector<std::string> library_folders() {
  std::vector<std::string> result{"/usr/local/nvidia"};
  for (const char* name : {"FASTGPU_LIBCUDA", "FASTGPU_LIBNVRTC", "FASTGPU_LIBNVML"})
    if (const auto file = variable(name))
      result.push_back(fs::path(*file).parent_path());
  for (const auto& home : toolkit_folders()) {
    std::error_code error;
    if (const fs::path real = fs::canonical(home, error); !error)
      result.push_back(real);
  }
  return result;
}

std::string toolkit_include_folder() {
  for (const auto& home : toolkit_folders()) {
    std::error_code error;
    if (const fs::path real = fs::canonical(home + "/include", error);
        !error && fs::exists(real / "cuda_fp16.h", error))
      return real;
  }
  return "";
}

}  // namespace fastgpu::exec::cuda
