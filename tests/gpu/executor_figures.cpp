#include "tests/gpu/executor_figures.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/gpu/device_process.hpp"

namespace fastgpu::gpu_report {
namespace {

using Argument = exec::ExecutorArgument;
using base::FailureReason;

constexpr double start_goal_ms = 1000;
constexpr double fault_goal_gpu_ms = 1000;
constexpr double fault_goal_cpu_ms = 10;
constexpr double hit_goal_ms = 1;
constexpr double cold_goal_ms = 150;
constexpr double hop_goal_gpu_us = 25;
constexpr double rate_goal_gpu = 100'000;
constexpr double rate_goal_cpu = 50'000;
constexpr std::size_t tasks_in_flight = 48;

/// p[i] = i for 256 integers, with a source of its own for each variant.
exec::ExecutorTask small_task(unsigned variant = 0) {
  exec::ExecutorTask task;
  task.source = base::Bytes::copy_of(std::string_view(
      "extern \"C\" __global__ void small(int* p) { p[threadIdx.x] = threadIdx.x; }"));
  task.kernel = "small";
  task.defines = {"VARIANT=" + std::to_string(variant)};
  task.block = {256, 1, 1};
  task.arguments = {Argument::out(256 * sizeof(int))};
  return task;
}

exec::ExecutorTask body_task(const std::string& body) {
  exec::ExecutorTask task = small_task();
  task.source = base::Bytes::copy_of(
      "#include <cassert>\nextern \"C\" __global__ void k(int* p) { " + body + " }");
  task.kernel = "k";
  return task;
}

class Measurements {
 public:
  Measurements(const ExecutorFigureOptions& options, FigureTable& table)
      : options_(options), table_(table) {}

  void run() {
    const Clock::time_point begin = Clock::now();
    device_.emplace(options_.executor);
    const auto found = device_->await_ready();
    if (!found.ok())
      return table_.fail("device", found.error().message);
    is_gpu_ = found.value().kind == exec::DeviceKind::cuda;
    table_.say("device", found.value().model + ", " + found.value().uuid);
    table_.add(
        {"process started until it takes tasks", milliseconds_since(begin), "ms", start_goal_ms});
    compile();
    round_trips();
    rate();
    copies();
    after_a_fault("wild access until the next result", "p[threadIdx.x + (1ll << 36)] = 1;",
                  FailureReason::out_of_bounds);
    after_a_fault("failed assert until the next result", "assert(p == nullptr);",
                  FailureReason::kernel_assert);
    after_an_endless_kernel();
  }

 private:
  /// The result, if it is a good one; else the table says why not.
  std::optional<exec::ExecutorResult> good(const char* what, exec::ExecutorTask task) {
    auto result = device_->run(std::move(task));
    if (!result) {
      table_.fail(what, "no result came");
      return std::nullopt;
    }
    if (result->reason != FailureReason::none) {
      table_.fail(what, std::string(base::to_word(result->reason)) + ": " + result->message);
      return std::nullopt;
    }
    return result;
  }

  void compile() {
    std::vector<double> cold, hit;
    for (unsigned round = 0; round < options_.rounds; ++round) {
      const auto first = good("cold compile", small_task(round));
      const auto second = good("cold compile", small_task(round));
      if (!first || !second)
        return;
      cold.push_back(static_cast<double>(first->timings.compile_ns) / 1e6);
      hit.push_back(static_cast<double>(second->timings.compile_ns) / 1e6);
    }
    table_.add({"cold compile of a small kernel", median(cold), "ms", cold_goal_ms});
    table_.add({"kernel that is loaded already", median(hit), "ms", hit_goal_ms});
  }

  void round_trips() {
    std::vector<double> times;
    for (unsigned round = 0; round < options_.tasks / 10 + 1; ++round) {
      const Clock::time_point begin = Clock::now();
      if (!good("small task, there and back", small_task()))
        return;
      times.push_back(milliseconds_since(begin) * 1e3);
    }
    std::optional<double> goal;
    if (is_gpu_)
      goal = hop_goal_gpu_us;
    table_.add({"small task, there and back, p50", quantile(times, 0.5), "us", goal});
    table_.add({"small task, there and back, p99", quantile(times, 0.99), "us"});
  }

  void rate() {
    const char* const what = "small tasks, many in flight";
    std::deque<exec::TaskToken> flying;
    bool well = true;
    const auto take_oldest = [&] {
      const auto result = device_->await(flying.front());
      flying.pop_front();
      well = well && result && result->reason == FailureReason::none;
    };
    const Clock::time_point begin = Clock::now();
    for (unsigned task = 0; task < options_.tasks && well; ++task) {
      const auto token = device_->submit(small_task());
      if (!token)
        return table_.fail(what, "a task was not taken");
      flying.push_back(*token);
      if (flying.size() >= tasks_in_flight)
        take_oldest();
    }
    while (!flying.empty())
      take_oldest();
    if (!well)
      return table_.fail(what, "a task failed");
    table_.add({what, options_.tasks / (milliseconds_since(begin) / 1e3), "tasks/s",
                is_gpu_ ? rate_goal_gpu : rate_goal_cpu, Better::more});
  }

  void copies() {
    const std::size_t bytes = std::size_t{options_.copy_mib} << 20;
    exec::ExecutorTask task;
    task.source = base::Bytes::copy_of(std::string_view(
        "extern \"C\" __global__ void twice(float* p, unsigned n) { unsigned i = blockIdx.x * "
        "blockDim.x + threadIdx.x; if (i < n) p[i] = 2 * p[i]; }"));
    task.kernel = "twice";
    const auto count = static_cast<std::uint32_t>(bytes / sizeof(float));
    task.grid = {(count + 255) / 256, 1, 1};
    task.block = {256, 1, 1};
    const std::vector<std::uint8_t> data(bytes, 0);
    task.arguments = {Argument::inout(base::Bytes::copy_of(std::span(data))), Argument::u32(count)};
    std::vector<double> in, out, run;
    for (unsigned round = 0; round < options_.rounds; ++round) {
      const auto result = good("copy of a large buffer", task);
      if (!result)
        return;
      const auto rate_of = [bytes](std::uint64_t ns, double times) {
        return times * static_cast<double>(bytes) /
               static_cast<double>(std::max<std::uint64_t>(ns, 1));
      };
      in.push_back(rate_of(result->timings.copy_in_ns, 1));
      run.push_back(rate_of(result->timings.run_ns, 2));
      out.push_back(rate_of(result->timings.copy_out_ns, 1));
    }
    const std::string size = std::to_string(options_.copy_mib) + " MiB";
    table_.add({"copy to the device, " + size, median(in), "GB/s"});
    table_.add({"kernel that reads and writes " + size, median(run), "GB/s"});
    table_.add({"copy from the device, " + size, median(out), "GB/s"});
  }

  void after_a_fault(const char* what, const std::string& body, FailureReason expected) {
    std::vector<double> times;
    for (unsigned round = 0; round <= options_.rounds; ++round) {
      const auto token = device_->submit(body_task(body));
      const auto result = token ? device_->await(*token) : std::nullopt;
      const Clock::time_point fault = Clock::now();
      if (!result)
        return table_.fail(what, "no result came");
      if (result->reason != expected)
        return table_.fail(what, std::string("it ended as ") + base::to_word(result->reason) +
                                     ": " + result->message);
      if (!good(what, small_task()))
        return;
      if (round > 0)  // the first has compiled
        times.push_back(milliseconds_since(fault));
    }
    table_.add({what, median(times), "ms", is_gpu_ ? fault_goal_gpu_ms : fault_goal_cpu_ms});
  }

  /// Nobody tells that a kernel runs: that it does not end for a while must do.
  void after_an_endless_kernel() {
    const char* const what = "endless kernel, killed, until the next result";
    std::vector<double> times;
    for (unsigned round = 0; round <= options_.rounds; ++round) {
      const auto token = device_->submit(
          body_task("volatile int* go = p; while (go[threadIdx.x] == 0) { } p[0] = 1;"));
      if (!token)
        return table_.fail(what, "the task was not taken");
      const std::chrono::milliseconds runs{round == 0 ? 2000 : 50};  // the first is compiled
      if (device_->await(*token, runs))
        return table_.fail(what, "the kernel ended by itself");
      const Clock::time_point begin = Clock::now();
      if (!device_->kill())
        return table_.fail(what, "the process did not end");
      if (!device_->await(*token))
        return table_.fail(what, "the task's end was not told");
      if (!good(what, small_task()))
        return;
      if (round > 0)
        times.push_back(milliseconds_since(begin));
    }
    table_.add({what, median(times), "ms", is_gpu_ ? fault_goal_gpu_ms : fault_goal_cpu_ms});
  }

  const ExecutorFigureOptions& options_;
  FigureTable& table_;
  std::optional<DeviceProcess> device_;
  bool is_gpu_{false};
};

}  // namespace

void measure_executor(const ExecutorFigureOptions& options, FigureTable& table) {
  Measurements(options, table).run();
}

}  // namespace fastgpu::gpu_report
