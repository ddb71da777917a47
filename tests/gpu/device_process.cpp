#include "tests/gpu/device_process.hpp"

#include <utility>

namespace fastgpu::gpu_report {
namespace {

/// In a row, before it has ever taken tasks.
constexpr std::size_t hopeless_deaths = 3;

}  // namespace

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

DeviceProcess::DeviceProcess(exec::ProcessExecutorOptions options)
    : executor_(exec::make_process_executor(std::move(options))) {
  executor_->start([this](const exec::ExecutorEvent& event) { note(event); });
}

void DeviceProcess::note(const exec::ExecutorEvent& event) {
  const std::lock_guard lock(mutex_);
  if (const auto* ready = std::get_if<exec::ExecutorReady>(&event)) {
    device_ = ready->device;
  } else if (const auto* died = std::get_if<exec::ExecutorDied>(&event)) {
    device_.reset();
    ++deaths_;
    last_death_ = died->reason;
    // Those that went down with it end here: nothing is run again.
    for (const exec::TaskToken token : died->in_flight) {
      exec::ExecutorResult& result = results_[token];
      result.token = token;
      result.reason = base::FailureReason::executor_crash;
      result.message = died->reason;
    }
  } else if (const auto* done = std::get_if<exec::ExecutorDone>(&event)) {
    results_[done->result.token] = done->result;
  }
  changed_.notify_all();
}

base::Result<exec::DeviceDescription> DeviceProcess::await_ready() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience,
                    [this] { return device_.has_value() || deaths_ >= hopeless_deaths; });
  if (device_)
    return *device_;
  return base::Error{base::ErrorKind::unavailable, base::ErrorCode::timeout,
                     "the device does not come up: " + last_death_,
                     "fastgpu-executor --list-gpus shows those that are there"};
}

std::optional<exec::TaskToken> DeviceProcess::submit(exec::ExecutorTask task) {
  task.token = {++last_token_};
  const Clock::time_point end = Clock::now() + patience;
  while (Clock::now() < end) {
    if (executor_->submit(task))
      return task.token;
    // Each end and each start is told; a short look beside that, for what was told in between.
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::microseconds{50});
  }
  return std::nullopt;
}

std::optional<exec::ExecutorResult> DeviceProcess::await(exec::TaskToken token,
                                                         std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, limit, [&] { return results_.contains(token); }))
    return std::nullopt;
  return std::move(results_.extract(token).mapped());
}

std::optional<exec::ExecutorResult> DeviceProcess::run(exec::ExecutorTask task) {
  const auto token = submit(std::move(task));
  return token ? await(*token) : std::nullopt;
}

bool DeviceProcess::kill() {
  const std::size_t before = deaths();
  executor_->kill("measured");
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [&] { return deaths_ > before; });
}

std::size_t DeviceProcess::deaths() {
  const std::lock_guard lock(mutex_);
  return deaths_;
}

}  // namespace fastgpu::gpu_report
