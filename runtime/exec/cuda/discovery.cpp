#include "runtime/exec/cuda/discovery.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>

#include "runtime/exec/cpu/child.hpp"
#include "runtime/exec/cuda/codes.hpp"
#include "runtime/exec/cuda/libraries.hpp"
#include "runtime/exec/cuda/session.hpp"

extern char** environ;

namespace fastgpu::exec {
namespace {

using cuda::Code;

constexpr std::string_view driver_variables[] = {"FASTGPU_LIB", "CUDA_", "NVIDIA_",
                                                 "LD_LIBRARY_PATH="};

/// Fields are separated by tabs: names of devices hold spaces.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');)
    fields.push_back(std::move(field));
  return fields;
}

std::string joined(const GpuDescription& gpu) {
  return "gpu\t" + gpu.uuid + "\t" + gpu.model + "\t" + std::to_string(gpu.memory_bytes) + "\t" +
         std::to_string(gpu.arch) + "\t" + (gpu.slice ? "slice" : "whole");
}

/// Those that the driver shows to this process. No context is made.
std::vector<GpuDescription> seen_by_driver(const cuda::DriverApi& api) {
  std::vector<GpuDescription> result;
  int count = 0;
  api.cuDeviceGetCount(&count);
  for (int i = 0; i < count; ++i) {
    cuda::Device device = 0;
    cuda::Uuid uuid{};
    if (api.cuDeviceGet(&device, i) != cuda::success ||
        api.cuDeviceGetUuid(&uuid, device) != cuda::success)
      continue;
    char name[128] = "";
    std::size_t bytes = 0;
    int major = 0;
    int minor = 0;
    api.cuDeviceGetName(name, sizeof name - 1, device);
    api.cuDeviceTotalMem(&bytes, device);
    api.cuDeviceGetAttribute(&major, cuda::DeviceAttribute::major, device);
    api.cuDeviceGetAttribute(&minor, cuda::DeviceAttribute::minor, device);
    result.push_back(
        {uuid_text(uuid, "GPU-"), name, bytes, static_cast<unsigned>(major * 10 + minor), false});
  }
  return result;
}

template <class Ask>
std::string text_of(Ask ask, cuda::NvmlDevice device) {
  char text[128] = "";
  return ask != nullptr && ask(device, text, sizeof text - 1) == cuda::nvml_success ? text : "";
}

/// The driver shows a process no more than one slice, and none of a divided device's others: NVML
/// knows them all.
std::vector<GpuDescription> slices_by_nvml(const cuda::NvmlApi& api) {
  std::vector<GpuDescription> result;
  unsigned count = 0;
  if (api.nvmlDeviceGetMigMode == nullptr || api.nvmlDeviceGetMaxMigDeviceCount == nullptr ||
      api.nvmlDeviceGetMigDeviceHandleByIndex == nullptr ||
      api.nvmlDeviceGetHandleByIndex_v2 == nullptr ||
      api.nvmlDeviceGetCount_v2(&count) != cuda::nvml_success)
    return result;
  for (unsigned i = 0; i < count; ++i) {
    cuda::NvmlDevice whole{};
    unsigned divided = 0;
    unsigned pending = 0;
    unsigned slices = 0;
    if (api.nvmlDeviceGetHandleByIndex_v2(i, &whole) != cuda::nvml_success ||
        api.nvmlDeviceGetMigMode(whole, &divided, &pending) != cuda::nvml_success || divided == 0)
      continue;
    api.nvmlDeviceGetMaxMigDeviceCount(whole, &slices);
    for (unsigned k = 0; k < slices; ++k) {
      cuda::NvmlDevice slice{};
      cuda::NvmlMemory memory{};
      if (api.nvmlDeviceGetMigDeviceHandleByIndex(whole, k, &slice) != cuda::nvml_success)
        continue;
      if (api.nvmlDeviceGetMemoryInfo != nullptr)
        api.nvmlDeviceGetMemoryInfo(slice, &memory);
      result.push_back({text_of(api.nvmlDeviceGetUUID, slice),
                        text_of(api.nvmlDeviceGetName, slice), memory.total_bytes, 0, true});
    }
    // The parent itself cannot be used any more.
    result.push_back({text_of(api.nvmlDeviceGetUUID, whole), "", 0, 0, false});
  }
  return result;
}

std::string visible_devices() {
  const char* named = std::getenv("CUDA_VISIBLE_DEVICES");
  return named != nullptr ? named : "";
}

/// What the driver shows, with divided devices replaced by their slices.
std::vector<GpuDescription> merged(std::vector<GpuDescription> seen,
                                   const std::vector<GpuDescription>& by_nvml) {
  const std::string visible = visible_devices();
  for (const auto& gpu : by_nvml) {
    const std::string same = gpu.slice ? "GPU-" + gpu.uuid.substr(4) : gpu.uuid;
    std::erase_if(seen, [&](const auto& one) { return one.uuid == same; });
  }
  for (const auto& gpu : by_nvml)
    if (gpu.slice && (visible.empty() || visible.find(gpu.uuid) != std::string::npos))
      seen.push_back(gpu);
  return seen;
}

}  // namespace

std::vector<std::string> driver_environment() {
  std::vector<std::string> result;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    for (const std::string_view name : driver_variables)
      if (std::string_view(*variable).starts_with(name))
        result.emplace_back(*variable);
  return result;
}

int list_gpus_main() {
  const auto driver = cuda::open_driver();
  if (!driver.ok()) {
    std::printf("trouble\t%s\n", driver.error().message.c_str());
    return 0;
  }
  const cuda::DriverApi& api = driver.value().api;
  std::printf("driver\tCUDA %s, %s\n", cuda::version_text(driver.value().version).c_str(),
              driver.value().path.c_str());
  if (const Code code = cuda::start_driver(api); code != cuda::success) {
    std::printf("trouble\tthe driver does not start: %s\n", cuda::describe(api, code).c_str());
    return 0;
  }
  std::string missing;
  for (const auto& name : driver.value().missing)
    missing += (missing.empty() ? "" : ", ") + name;
  if (!missing.empty())
    std::printf("trouble\tthe driver lacks %s: FastGPU goes on without\n", missing.c_str());
  std::vector<GpuDescription> by_nvml;
  if (const auto nvml = cuda::open_nvml();
      nvml.ok() && nvml.value().api.nvmlInit_v2() == cuda::nvml_success)
    by_nvml = slices_by_nvml(nvml.value().api);
  for (const auto& gpu : merged(seen_by_driver(api), by_nvml))
    std::printf("%s\n", joined(gpu).c_str());
  std::fflush(stdout);
  return 0;
}

GpuListing parse_gpu_listing(const std::string& text) {
  GpuListing listing;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto fields = fields_of(line);
    if (fields.size() == 2 && fields[0] == "driver")
      listing.driver = fields[1];
    else if (fields.size() == 2 && fields[0] == "trouble")
      listing.trouble += (listing.trouble.empty() ? "" : "; ") + fields[1];
    else if (fields.size() == 6 && fields[0] == "gpu" &&
             (fields[1].starts_with("GPU-") || fields[1].starts_with("MIG-")))
      listing.devices.push_back(
          {fields[1], fields[2], std::strtoull(fields[3].c_str(), nullptr, 10),
           static_cast<unsigned>(std::strtoul(fields[4].c_str(), nullptr, 10)),
           fields[5] == "slice"});
  }
  listing.no_driver = listing.driver.empty() && listing.trouble.starts_with("no NVIDIA driver");
  return listing;
}

GpuListing list_gpus(const std::string& program) {
  ChildCommand command;
  command.arguments = {program, "--list-gpus"};
  command.environment = driver_environment();
  command.folder = "/";
  command.limit = listing_limit;
  const auto end = run_child(command);
  GpuListing listing;
  if (!end.ok()) {
    listing.trouble = end.error().message;
  } else if (end.value().timed_out) {
    listing.trouble = "the driver did not answer within " + std::to_string(listing_limit.count()) +
                      " s: its devices are not used";
  } else if (end.value().exit_code != 0) {
    listing.trouble =
        "asking the driver for its devices ended with " +
        (end.value().signal != 0 ? "signal " + std::to_string(end.value().signal)
                                 : "exit code " + std::to_string(end.value().exit_code));
  } else {
    listing = parse_gpu_listing(end.value().output);
  }
  return listing;
}

std::string describe(const GpuListing& listing) {
  std::string text;
  for (const auto& gpu : listing.devices)
    text += (text.empty() ? "" : ", ") + gpu.model + " " + gpu.uuid;
  const std::size_t count = listing.devices.size();
  if (count > 0)
    text =
        std::to_string(count) + (count == 1 ? " GPU (" : " GPUs (") + listing.driver + "): " + text;
  else if (!listing.driver.empty())
    text = "the driver (" + listing.driver + ") has no device";
  if (!listing.trouble.empty())
    text += (text.empty() ? "" : "; ") + listing.trouble;
  return text;
}

}  // namespace fastgpu::exec
