/// How soon a device goes on after a kernel has crashed its process: one embedded node, one CPU
/// device, an array in which every tenth task stores out of bounds. Good tasks write down when they
/// began and ended, by the processor's clock; what lies between the end of the one before a bad
/// task and the begin of the one after it is the bad task's own run, its report, the new process
/// and the next launch. Beside it the same between two good tasks.
///
/// bench_fault [TASKS]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "client/fastgpu/client.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr double target_ms = 10;
constexpr unsigned period = 10;  // one bad task in so many
constexpr unsigned bad = 5;      // which

constexpr const char* source = R"(
__global__ void stamp(unsigned task, long long* out) {
  out[0] = clock64();
  if (task % 10 == 5) out[10000] = 1;
  out[1] = clock64();
}
)";

struct Stamps {
  long long begin{};
  long long end{};
};

double ticks_per_ms() {
  const Clock::time_point start = Clock::now();
  const auto first = __builtin_ia32_rdtsc();
  while (Clock::now() - start < std::chrono::milliseconds(200)) {
  }
  const auto ticks = static_cast<double>(__builtin_ia32_rdtsc() - first);
  return ticks / std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<Stamps> run(const fastgpu::Client& client, unsigned tasks) {
  const auto spec = fastgpu::JobSpec{}
                        .kernel("stamp")
                        .source(source)
                        .tasks(tasks)
                        .arg_text(fastgpu::Scalar::u32, "{}")
                        .out(sizeof(Stamps));
  const auto result = client.submit(spec).value().result(std::chrono::minutes(5)).value();
  std::vector<Stamps> stamps(tasks);
  for (const fastgpu::TaskResult& task : result.tasks) {
    if ((task.reason == "none") == (task.task % period == bad)) {
      std::fprintf(stderr, "task %u ended as %s: %s\n", task.task, task.reason.c_str(),
                   task.message.c_str());
      std::exit(1);
    }
    if (task.reason == "none") {
      stamps[task.task] = task.outputs.at(0).as<Stamps>().at(0);
    }
  }
  return stamps;
}

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(part * static_cast<double>(values.size() - 1)));
}

}  // namespace

int main(int argc, char** argv) {
  const auto tasks = static_cast<unsigned>(argc > 1 ? std::atoi(argv[1]) : 500);
  fastgpu::node::EmbeddedOptions options;
  auto cluster = fastgpu::node::EmbeddedCluster::start(options);
  if (!cluster.ok()) {
    std::fprintf(stderr, "%s\n", cluster.error().message.c_str());
    return 1;
  }
  const fastgpu::Client client =
      fastgpu::Client::open({.credentials = cluster.value()->credentials()}).value();
  run(client, bad);  // compiles
  const std::vector<Stamps> stamps = run(client, tasks);
  const double per_ms = ticks_per_ms();
  std::vector<double> after_faults;
  std::vector<double> others;
  for (unsigned task = 1; task + 1 < tasks; ++task) {
    const bool fault = task % period == bad;
    const Stamps& next = stamps[fault ? task + 1 : task];
    const double ms = static_cast<double>(next.begin - stamps[task - 1].end) / per_ms;
    if (fault) {
      after_faults.push_back(ms);
    } else if ((task - 1) % period != bad) {
      others.push_back(ms);
    }
  }
  std::printf(
      "bench_fault: %zu faults of %u tasks, one CPU device: from the task before a fault to the "
      "one after it median %.2f ms, p90 %.2f ms (target %.0f ms: %s); between two good tasks "
      "median %.3f ms\n",
      after_faults.size(), tasks, quantile(after_faults, 0.5), quantile(after_faults, 0.9),
      target_ms, quantile(after_faults, 0.5) <= target_ms ? "met" : "MISSED",
      quantile(others, 0.5));
  return 0;
}
