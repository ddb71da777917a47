#include "runtime/exec/cuda/gpu_tenants.hpp"

#include <algorithm>
#include <utility>

#include "runtime/exec/warden/text.hpp"

namespace fastgpu::exec {
namespace {

std::string words_of(const std::string& uuid, const GpuTenant& tenant) {
  const std::string who = "process " + std::to_string(tenant.use.process) +
                          (tenant.name.empty() ? "" : " (" + tenant.name + ")");
  const std::string use =
      (tenant.use.memory_bytes ? size_text(*tenant.use.memory_bytes) + " of " : "") + uuid;
  if (tenant.tenancy == GpuTenancy::left_over)
    return who + " is left over from a command that has ended and uses " + use + ": it is killed";
  return who + " was not started by this node and uses " + use +
         ": tasks may lack that memory or wait for it";
}

std::string lost_words(std::uint64_t bytes, const std::string& whose) {
  return size_text(bytes) + " of " + whose +
         " belong to no process and do not come back: tasks lack them until the GPU is reset";
}

/// Of all processes; nothing if it is not known of one.
std::optional<std::uint64_t> sum_of(const std::vector<GpuTenant>& tenants) {
  std::uint64_t bytes = 0;
  for (const GpuTenant& tenant : tenants) {
    if (!tenant.use.memory_bytes)
      return std::nullopt;
    bytes += *tenant.use.memory_bytes;
  }
  return bytes;
}

}  // namespace

GpuTenants::Findings GpuTenants::hear(const std::string& uuid,
                                      const std::vector<GpuTenant>& tenants) {
  Device& device = devices_[uuid];
  Findings findings;
  std::set<std::int32_t> there;
  for (const GpuTenant& tenant : tenants) {
    if (tenant.tenancy == GpuTenancy::own) {
      device.shows_own = true;
      continue;
    }
    there.insert(tenant.use.process);
    if (!device.told.contains(tenant.use.process))
      findings.said.push_back(words_of(uuid, tenant));
    if (tenant.tenancy == GpuTenancy::left_over)
      findings.to_end.push_back(tenant.use.process);
  }
  device.told = std::move(there);
  judge_memory(uuid, device, tenants, findings);
  return findings;
}

void GpuTenants::judge_memory(const std::string& uuid, Device& device,
                              const std::vector<GpuTenant>& tenants, Findings& findings) const {
  const std::optional<std::uint64_t> of_processes = sum_of(tenants);
  if (!device.shows_own || !of_processes || !device.sample || device.sample->lost)
    return;
  const std::uint64_t used = device.sample->memory_used_bytes;
  const std::uint64_t of_nobody = used - std::min(used, *of_processes);
  device.driver_bytes = std::min(device.driver_bytes.value_or(of_nobody), of_nobody);
  const std::uint64_t too_much = of_nobody - *device.driver_bytes;
  if (too_much < lost_bytes_min) {
    device.looks = 0;
    if (std::exchange(device.lost_bytes, 0) != 0)
      findings.said.push_back("the memory of " + uuid + " that nobody used has come back");
    return;
  }
  device.looks = std::min(device.looks + 1, looks_min);
  if (device.looks == looks_min && std::exchange(device.lost_bytes, too_much) == 0)
    findings.said.push_back(lost_words(too_much, "the memory of " + uuid));
}

std::string GpuTenants::memory_remark(const std::string& uuid) const {
  const auto found = devices_.find(uuid);
  return found == devices_.end() || found->second.lost_bytes == 0
             ? ""
             : lost_words(found->second.lost_bytes, "its memory");
}

}  // namespace fastgpu::exec
