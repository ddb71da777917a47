#include "node/daemon/gpu_guard.hpp"

#include <signal.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "actors/worker_actor.hpp"
#include "runtime/exec/cuda/gpu_tenants.hpp"
#include "runtime/exec/cuda/gpu_verdicts.hpp"
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

class GpuGuard {
 public:
  explicit GpuGuard(GpuGuardOptions options) : options_(std::move(options)) {}

  void hear(const exec::GpuNews& news) {
    if (const auto verdict = verdicts_.hear(news)) {
      send(verdict->uuid, worker::DeviceAccused{verdict->why});
    }
    if (const auto* trouble = std::get_if<exec::GpuWatchTrouble>(&news)) {
      options_.tell("the GPUs' health is not watched: " + trouble->why);
    } else if (const auto* sample = std::get_if<exec::GpuSample>(&news)) {
      tenants_.hear(*sample);
    } else if (const auto* list = std::get_if<exec::GpuProcesses>(&news)) {
      look_at(*list);
    }
  }

 private:
  void look_at(const exec::GpuProcesses& list) {
    if (!options_.workers.contains(list.uuid)) {
      return;  // another's
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
  exec::GpuTenancy tenancy_of(pid_t process) const {
    if (is_below_this_process(process)) {
      return exec::GpuTenancy::own;
    }
    const std::optional<exec::ProcessMark> mark = exec::mark_of(process);
    return mark && options_.wardens.contains(mark->warden) ? exec::GpuTenancy::left_over
                                                           : exec::GpuTenancy::strange;
  }

  template <class Message>
  void send(const std::string& uuid, const Message& message) const {
    if (const auto found = options_.workers.find(uuid); found != options_.workers.end()) {
      caf::anon_send(found->second, message);
    }
  }

  const GpuGuardOptions options_;
  exec::GpuVerdicts verdicts_;
  exec::GpuTenants tenants_;
};

}  // namespace

std::unique_ptr<exec::GpuWatch> guard_gpus(GpuGuardOptions options) {
  if (options.workers.empty()) {
    return nullptr;
  }
  exec::GpuWatchOptions watch;
  watch.program = options.executor_program;
  auto guard = std::make_shared<GpuGuard>(std::move(options));
  return exec::watch_gpus(watch, [guard](const exec::GpuNews& news) { guard->hear(news); });
}

}  // namespace fastgpu::node
