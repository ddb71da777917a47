#include "tests/support/sim_executor.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace fastgpu::testing {
namespace {

base::Bytes filled(std::uint64_t size, std::span<const std::uint8_t> pattern) {
  std::vector<std::uint8_t> data(size);
  for (std::size_t i = 0; i < data.size() && !pattern.empty(); ++i) {
    data[i] = pattern[i % pattern.size()];
  }
  return base::Bytes(std::move(data));
}

exec::ExecutorResult success_of(const exec::ExecutorTask& task, std::uint64_t run_ns) {
  exec::ExecutorResult result;
  result.token = task.token;
  result.timings.run_ns = run_ns;
  std::span<const std::uint8_t> pattern;
  for (const exec::ExecutorArgument& argument : task.arguments) {
    if (argument.kind == exec::ArgumentKind::scalar && pattern.empty()) {
      pattern = argument.scalar_value;
    } else if (argument.kind == exec::ArgumentKind::out ||
               argument.kind == exec::ArgumentKind::inout) {
      result.outputs.push_back(filled(argument.buffer_bytes(), pattern));
    }
  }
  return result;
}

bool says(const exec::ExecutorTask& task, std::string_view word) {
  return task.source.text().find(word) != std::string_view::npos;
}

}  // namespace

SimExecutor::SimExecutor(SimAgenda& agenda, base::Random random, SimExecutorOptions options)
    : agenda_(agenda), random_(random), options_(options) {}

SimExecutor::~SimExecutor() = default;

void SimExecutor::start(Sink sink) {
  sink_ = std::move(sink);
  later(options_.start_delay, &SimExecutor::come_up);
}

bool SimExecutor::submit(exec::ExecutorTask task) {
  if (!up_ || tasks_.size() >= options_.window) {
    return false;
  }
  tasks_.push_back(std::move(task));
  if (tasks_.size() == 1) {
    run_next();
  }
  return true;
}

void SimExecutor::kill(const char* why) {
  if (up_) {
    die(std::string("killed: ") + why, false);
  }
}

void SimExecutor::come_up() {
  up_ = true;
  sink_(exec::ExecutorReady{{exec::DeviceKind::cpu, "simulated", 1ull << 30, "sim", 1}});
}

void SimExecutor::run_next() {
  if (tasks_.empty() || says(tasks_.front(), "hang")) {
    return;
  }
  const base::Duration spread = options_.run_max - options_.run_min;
  const base::Duration run =
      options_.run_min +
      base::Duration{random_.below(static_cast<std::uint64_t>(spread.count()) + 1)};
  later(run, &SimExecutor::finish);
}

void SimExecutor::finish() {
  const exec::ExecutorTask task = tasks_.front();
  const bool dies =
      agenda_.now() < options_.dies_until && random_.chance(options_.spontaneous_death_ppm);
  if (says(task, "crash") || dies) {
    die("signal 9", true);
    return;
  }
  tasks_.pop_front();
  exec::ExecutorResult result = success_of(task, 1'000'000);
  if (says(task, "fail")) {
    result.reason = base::FailureReason::kernel_assert;
    result.message = "assertion failed, as told";
    result.outputs.clear();
  }
  run_next();
  sink_(exec::ExecutorDone{std::move(result)});
}

void SimExecutor::die(const std::string& reason, bool blame_running) {
  exec::ExecutorDied died{reason, {}, std::nullopt};
  for (const exec::ExecutorTask& task : tasks_) {
    died.in_flight.push_back(task.token);
  }
  if (blame_running && !tasks_.empty()) {
    died.running = tasks_.front().token;
  }
  tasks_.clear();
  up_ = false;
  life_ = std::make_shared<int>(0);
  later(options_.start_delay, &SimExecutor::come_up);
  sink_(died);
}

void SimExecutor::later(base::Duration delay, void (SimExecutor::*what)()) {
  agenda_.note_in(delay, [this, what, life = std::weak_ptr<int>(life_)] {
    if (!life.expired()) {
      (this->*what)();
    }
  });
}

}  // namespace fastgpu::testing
