#include "runtime/exec/null_executor.hpp"

#include "runtime/base/check.hpp"

namespace fastgpu::exec {

NullExecutor::NullExecutor(NullExecutorOptions options) : options_(options) {}

NullExecutor::~NullExecutor() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void NullExecutor::start(Sink sink) {
  FASTGPU_CHECK(!thread_.joinable(), "an executor is started once");
  sink_ = std::move(sink);
  thread_ = std::thread([this] { serve(); });
}

bool NullExecutor::submit(ExecutorTask task) {
  std::lock_guard lock(mutex_);
  if (!ready_ || waiting_.size() >= options_.window)
    return false;
  waiting_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void NullExecutor::kill(const char* why) {
  std::lock_guard lock(mutex_);
  if (!ready_)
    return;
  ready_ = false;
  kill_asked_ = true;
  kill_reason_ = std::string("killed: ") + why;
  changed_.notify_one();
}

void NullExecutor::report_death() {
  ExecutorDied died;
  {
    std::lock_guard lock(mutex_);
    kill_asked_ = false;
    died.reason = std::move(kill_reason_);
    for (const auto& task : waiting_)
      died.in_flight.push_back(task.token);
    waiting_.clear();
  }
  sink_(died);
}

void NullExecutor::serve() {
  const ExecutorReady ready{{DeviceKind::null, "null device", options_.memory_bytes, "null-0", 0}};
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (stop_)
        return;
      ready_ = true;
    }
    sink_(ready);
    for (;;) {
      std::deque<ExecutorTask> batch;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stop_ || kill_asked_ || !waiting_.empty(); });
        if (stop_)
          return;
        if (kill_asked_)
          break;
        batch.swap(waiting_);
      }
      for (const auto& task : batch)
        sink_(ExecutorDone{null_result(task)});
    }
    report_death();
  }
}

ExecutorResult null_result(const ExecutorTask& task) {
  ExecutorResult result;
  result.token = task.token;
  result.timings.compile_cached = true;
  for (const auto& argument : task.arguments)
    if (argument.kind == ArgumentKind::out || argument.kind == ArgumentKind::inout)
      result.outputs.emplace_back(std::vector<std::uint8_t>(argument.buffer_bytes()));
  return result;
}

}  // namespace fastgpu::exec
