#include "node/daemon/gpu_guard.hpp"

#include <signal.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "runtime/exec/warden/process_table.hpp"
#include "runtime/exec/warden/text.hpp"

namespace fastgpu::node {
namespace {

constexpr int generations_max = 64;
constexpr std::size_t name_bytes_max = 64;

bool is_below_this_process(pid_t process) {
  for (int i = 0; i < generations_max && process > 1; ++i) {
    if (process == getpid()) {
      return true;
    }
    process = exec::parent_of(process);
  }
  return false;
}

}  // namespace

GpuGuard::GpuGuard(GpuGuardOptions options) : options_(std::move(options)) {}

void GpuGuard::hear(const exec::GpuNews& news) {
  if (const auto verdict = verdicts_.hear(news)) {
    send(verdict->uuid, worker::DeviceAccused{verdict->why});
  }
  if (const auto* trouble = std::get_if<exec::GpuWatchTrouble>(&news)) {
    options_.tell("the GPUs' health is not watched: " + trouble->why);
  } else if (const auto* sample = std::get_if<exec::GpuSample>(&news)) {
    look_at(*sample);
  } else if (const auto* list = std::get_if<exec::GpuProcesses>(&news)) {
    look_at(*list);
  }
}

void GpuGuard::look_at(const exec::GpuSample& sample) {
  tenants_.hear(sample);
  if (sample.lost) {
    return;  // what was last known of it stays
  }
  send(sample.uuid, protocol::DeviceTelemetry{sample.memory_used_bytes, sample.utilisation_percent,
                                              sample.temperature_celsius, sample.power_milliwatts,
                                              sample.ecc_errors, verdicts_.last_xid(sample.uuid),
                                              tenants_.memory_remark(sample.uuid)});
}

void GpuGuard::look_at(const exec::GpuProcesses& list) {
  if (!options_.devices.contains(list.uuid)) {
    return;
  }
  std::vector<exec::GpuTenant> tenants;
  for (const exec::GpuProcess& use : list.processes) {
    tenants.push_back(
        {use, tenancy_of(use.process),
         exec::first_line(exec::read_process_file(use.process, "comm"), name_bytes_max)});
  }
  const exec::GpuTenants::Findings findings = tenants_.hear(list.uuid, tenants);
  for (const std::string& sentence : findings.said) {
    options_.tell(sentence);
  }
  for (const pid_t process : findings.to_end) {
    exec::signal_process(process, SIGKILL,
                         [&] { return tenancy_of(process) == exec::GpuTenancy::left_over; });
  }
  send(list.uuid, list);
}

/// What runs below this process is its executors', or is the warden's to end.
exec::GpuTenancy GpuGuard::tenancy_of(pid_t process) const {
  if (is_below_this_process(process)) {
    return exec::GpuTenancy::own;
  }
  const std::optional<exec::ProcessMark> mark = exec::mark_of(process);
  return mark && options_.wardens.contains(mark->warden) ? exec::GpuTenancy::left_over
                                                         : exec::GpuTenancy::strange;
}

void GpuGuard::send(const std::string& uuid, const GpuWord& word) const {
  if (options_.devices.contains(uuid)) {
    options_.tell_worker(uuid, word);
  }
}

std::unique_ptr<exec::GpuWatch> guard_gpus(const std::string& executor_program,
                                           GpuGuardOptions options) {
  if (options.devices.empty()) {
    return nullptr;
  }
  exec::GpuWatchOptions watch;
  watch.program = executor_program;
  auto guard = std::make_shared<GpuGuard>(std::move(options));
  return exec::watch_gpus(watch, [guard](const exec::GpuNews& news) { guard->hear(news); });
}

}  // namespace fastgpu::node
