// NVML, as far as FastGPU asks it: the same devices as the fake driver's, all of their slices too,
// and what the knobs say of their health.

#include <poll.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>

#include "runtime/exec/cuda/api/nvml.hpp"
#include "tests/support/fake_cuda/fake_identity.hpp"
#include "tests/support/fake_cuda/knobs.hpp"

namespace fastgpu::exec::cuda {

struct NvmlDeviceHandle {
  std::size_t number;
};
struct NvmlEventSetHandle {
  std::uint64_t told{0};
};

namespace {

using testing::knob;

constexpr NvmlCode not_found = 6;

/// One for each, for good: callers compare and keep handles.
NvmlDevice handle(std::size_t number) {
  static NvmlDeviceHandle all[] = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
  return number < std::size(all) ? &all[number] : nullptr;
}

NvmlCode say(char* to, unsigned bytes, const std::string& text) {
  std::snprintf(to, bytes, "%s", text.c_str());
  return nvml_success;
}

NvmlCode number_or_none(const char* name, unsigned* value) {
  if (!knob(name)) {
    return nvml_not_supported;
  }
  *value = static_cast<unsigned>(knob(name, 0));
  return nvml_success;
}

}  // namespace

extern "C" {

NvmlCode nvmlInit_v2() {
  return static_cast<NvmlCode>(knob("nvml_init", 0));
}
NvmlCode nvmlShutdown() {
  return nvml_success;
}
NvmlCode nvmlSystemGetDriverVersion(char* text, unsigned bytes) {
  return say(text, bytes, "580.00");
}
NvmlCode nvmlDeviceGetCount_v2(unsigned* count) {
  *count = static_cast<unsigned>(knob("devices", 1));
  return nvml_success;
}
NvmlCode nvmlDeviceGetHandleByIndex_v2(unsigned index, NvmlDevice* device) {
  *device = handle(index);
  return nvml_success;
}
NvmlCode nvmlDeviceGetHandleByUUID(const char* uuid, NvmlDevice* device) {
  const auto all = testing::fake_devices();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].text() == uuid) {
      *device = handle(i);
      return nvml_success;
    }
  }
  return not_found;
}
NvmlCode nvmlDeviceGetUUID(NvmlDevice device, char* text, unsigned bytes) {
  return say(text, bytes, testing::fake_devices().at(device->number).text());
}
NvmlCode nvmlDeviceGetName(NvmlDevice device, char* text, unsigned bytes) {
  return say(text, bytes, testing::fake_devices().at(device->number).name);
}
NvmlCode nvmlDeviceGetMemoryInfo(NvmlDevice, NvmlMemory* memory) {
  if (knob("lost")) {
    return nvml_gpu_is_lost;
  }
  memory->total_bytes = knob("memory", 1ull << 30);
  memory->used_bytes = knob("memory_used", 0);
  memory->free_bytes = memory->total_bytes - memory->used_bytes;
  return nvml_success;
}
NvmlCode nvmlDeviceGetUtilizationRates(NvmlDevice, NvmlUtilization* utilization) {
  return number_or_none("utilisation", &utilization->gpu_percent);
}
NvmlCode nvmlDeviceGetTemperature(NvmlDevice, int, unsigned* celsius) {
  return number_or_none("temperature", celsius);
}
NvmlCode nvmlDeviceGetPowerUsage(NvmlDevice, unsigned* milliwatts) {
  return number_or_none("power", milliwatts);
}
NvmlCode nvmlDeviceGetTotalEccErrors(NvmlDevice, int, int, unsigned long long* count) {
  if (!knob("ecc")) {
    return nvml_not_supported;
  }
  *count = knob("ecc", 0);
  return nvml_success;
}
/// Whoever has ended uses nothing any more.
NvmlCode nvmlDeviceGetComputeRunningProcesses_v3(NvmlDevice, unsigned* count,
                                                 NvmlProcess* processes) {
  const unsigned room = *count;
  *count = 0;
  for (const auto& words : testing::knob_lines("process")) {
    const int process = words.empty() ? 0 : std::stoi(words[0]);
    if (process <= 0 || (kill(process, 0) != 0 && errno == ESRCH)) {
      continue;
    }
    if (*count == room) {
      return nvml_insufficient_size;
    }
    processes[*count] = {static_cast<unsigned>(process),
                         words.size() > 1 ? std::stoull(words[1]) : nvml_not_available, 0, 0};
    *count += 1;
  }
  return nvml_success;
}
NvmlCode nvmlDeviceGetMigMode(NvmlDevice device, unsigned* current, unsigned* pending) {
  const bool divided = knob("slices", 0) > 0 && device->number + 1 == knob("devices", 1);
  *current = *pending = divided ? 1 : 0;
  return nvml_success;
}
NvmlCode nvmlDeviceGetMaxMigDeviceCount(NvmlDevice, unsigned* count) {
  *count = 7;
  return nvml_success;
}
NvmlCode nvmlDeviceGetMigDeviceHandleByIndex(NvmlDevice, unsigned index, NvmlDevice* slice) {
  if (index >= knob("slices", 0)) {
    return not_found;
  }
  *slice = handle(knob("devices", 1) + index);
  return nvml_success;
}
/// Slices are counted from 1, as instances of NVML often are.
NvmlCode nvmlDeviceGetGpuInstanceId(NvmlDevice slice, unsigned* instance) {
  const std::uint64_t devices = knob("devices", 1);
  if (slice->number < devices) {
    return nvml_not_supported;
  }
  *instance = static_cast<unsigned>(slice->number - devices + 1);
  return nvml_success;
}
NvmlCode nvmlEventSetCreate(NvmlEventSet* set) {
  *set = new NvmlEventSetHandle;
  return nvml_success;
}
NvmlCode nvmlDeviceRegisterEvents(NvmlDevice, unsigned long long, NvmlEventSet) {
  return nvml_success;
}
/// Tells each new value of the knob once, about the first device.
NvmlCode nvmlEventSetWait_v2(NvmlEventSet set, NvmlEvent* event, unsigned timeout_ms) {
  if (const std::uint64_t xid = knob("xid", 0); xid != set->told) {
    set->told = xid;
    const auto instance = static_cast<unsigned>(knob("xid_instance", nvml_no_instance));
    *event = {handle(0), nvml_event_xid, xid, instance, nvml_no_instance};
    return nvml_success;
  }
  poll(nullptr, 0, static_cast<int>(timeout_ms));
  return nvml_timeout;
}

}  // extern "C"

}  // namespace fastgpu::exec::cuda
