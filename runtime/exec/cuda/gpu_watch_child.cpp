// The process that asks NVML, again and again, and writes down what it says.

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "runtime/exec/cuda/gpu_watch.hpp"
#include "runtime/exec/cuda/libraries.hpp"

namespace fastgpu::exec {
namespace {

using cuda::NvmlApi;
using cuda::NvmlCode;
using cuda::NvmlDevice;

struct Watched {
  NvmlDevice device;
  std::string uuid;
  NvmlDevice whole{};                  ///< of a slice: the device that it is a part of
  std::optional<unsigned> instance{};  ///< of a slice, if known
};

/// False when nobody reads any more.
bool tell(const GpuNews& news) {
  const std::string line = to_line(news) + "\n";
  return write(gpu_watch_fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

std::string uuid_of(const NvmlApi& api, NvmlDevice device) {
  char text[128] = "";
  return api.nvmlDeviceGetUUID != nullptr &&
                 api.nvmlDeviceGetUUID(device, text, sizeof text - 1) == cuda::nvml_success
             ? text
             : "";
}

template <class Value, class Ask, class... Arguments>
std::optional<Value> ask(Ask function, NvmlDevice device, Arguments... arguments) {
  Value value{};
  if (function == nullptr || function(device, arguments..., &value) != cuda::nvml_success)
    return std::nullopt;
  return value;
}

/// Whole devices first; of a divided one its slices follow.
std::vector<Watched> devices_of(const NvmlApi& api) {
  std::vector<Watched> result;
  unsigned count = 0;
  if (api.nvmlDeviceGetHandleByIndex_v2 == nullptr ||
      api.nvmlDeviceGetCount_v2(&count) != cuda::nvml_success)
    return result;
  for (unsigned i = 0; i < count; ++i) {
    NvmlDevice device{};
    if (api.nvmlDeviceGetHandleByIndex_v2(i, &device) != cuda::nvml_success)
      continue;
    result.push_back({device, uuid_of(api, device)});
    unsigned slices = 0;
    if (api.nvmlDeviceGetMaxMigDeviceCount == nullptr ||
        api.nvmlDeviceGetMigDeviceHandleByIndex == nullptr ||
        api.nvmlDeviceGetMaxMigDeviceCount(device, &slices) != cuda::nvml_success)
      continue;
    for (unsigned k = 0; k < slices; ++k) {
      NvmlDevice slice{};
      if (api.nvmlDeviceGetMigDeviceHandleByIndex(device, k, &slice) == cuda::nvml_success)
        result.push_back({slice, uuid_of(api, slice), device,
                          ask<unsigned>(api.nvmlDeviceGetGpuInstanceId, slice)});
    }
  }
  return result;
}

GpuSample sample_of(const NvmlApi& api, const Watched& watched) {
  GpuSample sample;
  sample.uuid = watched.uuid;
  cuda::NvmlMemory memory{};
  if (api.nvmlDeviceGetMemoryInfo != nullptr) {
    const NvmlCode code = api.nvmlDeviceGetMemoryInfo(watched.device, &memory);
    sample.lost = code == cuda::nvml_gpu_is_lost;
    if (sample.lost)
      return sample;
    sample.memory_used_bytes = memory.used_bytes;
    sample.memory_total_bytes = memory.total_bytes;
  }
  if (const auto load =
          ask<cuda::NvmlUtilization>(api.nvmlDeviceGetUtilizationRates, watched.device))
    sample.utilisation_percent = load->gpu_percent;
  sample.temperature_celsius =
      ask<unsigned>(api.nvmlDeviceGetTemperature, watched.device, cuda::nvml_temperature_gpu);
  sample.power_milliwatts = ask<unsigned>(api.nvmlDeviceGetPowerUsage, watched.device);
  sample.ecc_errors = ask<unsigned long long>(api.nvmlDeviceGetTotalEccErrors, watched.device,
                                              cuda::nvml_ecc_uncorrected, cuda::nvml_ecc_volatile);
  return sample;
}

/// Nothing where NVML does not tell.
std::optional<GpuProcesses> processes_of(const NvmlApi& api, const Watched& watched) {
  std::vector<cuda::NvmlProcess> listed(GpuProcesses::count_max);
  auto count = static_cast<unsigned>(listed.size());
  if (api.nvmlDeviceGetComputeRunningProcesses_v3 == nullptr ||
      api.nvmlDeviceGetComputeRunningProcesses_v3(watched.device, &count, listed.data()) !=
          cuda::nvml_success)
    return std::nullopt;
  GpuProcesses result{watched.uuid, {}};
  listed.resize(std::min<std::size_t>(count, listed.size()));
  for (const cuda::NvmlProcess& one : listed) {
    GpuProcess process{static_cast<std::int32_t>(one.process), std::nullopt};
    if (one.used_bytes != cuda::nvml_not_available)
      process.memory_bytes = one.used_bytes;
    result.processes.push_back(process);
  }
  return result;
}

/// False when nobody reads any more.
bool tell_of(const NvmlApi& api, const Watched& watched) {
  const GpuSample sample = sample_of(api, watched);
  if (!tell(sample))
    return false;
  const auto processes = sample.lost ? std::nullopt : processes_of(api, watched);
  return !processes || tell(*processes);
}

/// Null where NVML tells of no events: then there are only samples.
cuda::NvmlEventSet events_of(const NvmlApi& api, const std::vector<Watched>& devices) {
  cuda::NvmlEventSet set{};
  if (api.nvmlEventSetCreate == nullptr || api.nvmlDeviceRegisterEvents == nullptr ||
      api.nvmlEventSetWait_v2 == nullptr || api.nvmlEventSetCreate(&set) != cuda::nvml_success)
    return nullptr;
  for (const auto& one : devices)
    if (one.whole == nullptr)  // slices have none of their own
      api.nvmlDeviceRegisterEvents(one.device, cuda::nvml_event_xid, set);
  return set;
}

/// What happens to a divided device happens to its slices, unless the driver names the one.
bool concerns(const cuda::NvmlEvent& event, const Watched& watched) {
  if (watched.device == event.device)
    return true;
  return watched.whole == event.device &&
         (event.gpu_instance == cuda::nvml_no_instance || !watched.instance ||
          *watched.instance == event.gpu_instance);
}

/// Waits for the interval's end; tells the events that come before it.
bool wait_and_tell(const NvmlApi& api, cuda::NvmlEventSet events,
                   const std::vector<Watched>& devices, unsigned interval_ms) {
  if (events == nullptr) {
    usleep(interval_ms * 1000);
    return true;
  }
  cuda::NvmlEvent event{};
  const NvmlCode code = api.nvmlEventSetWait_v2(events, &event, interval_ms);
  if (code == cuda::nvml_timeout)
    return true;
  if (code != cuda::nvml_success) {
    usleep(interval_ms * 1000);
    return true;
  }
  if (event.type != cuda::nvml_event_xid)
    return true;
  for (const auto& one : devices)
    if (concerns(event, one) && !tell(GpuXid{one.uuid, event.data}))
      return false;
  return true;
}

}  // namespace

int gpu_watch_child_main(int count, char** words) {
  if (count != 2)
    return 2;
  const auto interval_ms = static_cast<unsigned>(std::strtoul(words[0], nullptr, 10));
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != std::strtol(words[1], nullptr, 10))
    return 0;
  const auto nvml = cuda::open_nvml();
  if (!nvml.ok())
    return tell(GpuWatchTrouble{nvml.error().message}) ? 0 : 1;
  const NvmlApi& api = nvml.value().api;
  if (const NvmlCode code = api.nvmlInit_v2(); code != cuda::nvml_success)
    return tell(GpuWatchTrouble{"NVML does not start: code " + std::to_string(code)}) ? 0 : 1;
  const std::vector<Watched> devices = devices_of(api);
  if (devices.empty())
    return tell(GpuWatchTrouble{"NVML knows no device"}) ? 0 : 1;
  const cuda::NvmlEventSet events = events_of(api, devices);
  for (;;) {
    for (const auto& one : devices)
      if (!tell_of(api, one))
        return 0;
    if (!wait_and_tell(api, events, devices, interval_ms))
      return 0;
  }
}

}  // namespace fastgpu::exec
