/// No-op tasks through the whole durable path: submit, log, place, assign, run on null devices,
/// finish, log, wait; three embedded nodes, sync on. Beside it the rate at which this machine's
/// disk takes one synced write after another, measured in the same run and folder.
///
/// bench_noop [FOLDER] [TASKS] [ROUNDS]: works in a new folder inside FOLDER and removes it.

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "client/fastgpu/client.hpp"
#include "node/embedded/embedded_cluster.hpp"

namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Appends of 4 KiB, each with fdatasync, for half a second.
double synced_writes_per_second(const fs::path& folder) {
  const std::string file = (folder / "synced").string();
  const int fd = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const std::vector<char> block(4096, 'x');
  const Clock::time_point start = Clock::now();
  int writes = 0;
  while (seconds_since(start) < 0.5) {
    if (::write(fd, block.data(), block.size()) != 4096 || ::fdatasync(fd) != 0) {
      std::perror("synced write");
      std::exit(1);
    }
    ++writes;
  }
  const double rate = writes / seconds_since(start);
  ::close(fd);
  fs::remove(file);
  return rate;
}

double tasks_per_second(const fastgpu::Client& client, std::uint32_t tasks) {
  const auto spec = fastgpu::JobSpec{}
                        .name("noop")
                        .kernel("noop")
                        .source("__global__ void noop() {}\n")
                        .device("null")
                        .tasks(tasks);
  const Clock::time_point start = Clock::now();
  const fastgpu::Job job = client.submit(spec).value();
  const fastgpu::JobState state = job.wait(std::chrono::minutes(5)).value();
  const double taken = seconds_since(start);
  if (state != fastgpu::JobState::succeeded) {
    std::fprintf(stderr, "the job ended as %s\n", std::string(to_word(state)).c_str());
    std::exit(1);
  }
  return tasks / taken;
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path base = argc > 1 ? argv[1] : ".";
  const auto tasks = static_cast<std::uint32_t>(argc > 2 ? std::atoi(argv[2]) : 100'000);
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  const fs::path folder = base / ("bench_noop." + std::to_string(::getpid()));
  fs::create_directories(folder);
  {
    fastgpu::node::EmbeddedOptions options;
    options.nodes = 3;
    options.cpu_devices = 0;
    options.null_devices = 1;
    options.folder = folder / "cluster";
    auto cluster = fastgpu::node::EmbeddedCluster::start(options);
    if (!cluster.ok()) {
      std::fprintf(stderr, "%s\n", cluster.error().message.c_str());
      return 1;
    }
    const fastgpu::Client client =
        fastgpu::Client::open({.credentials = cluster.value()->credentials()}).value();
    tasks_per_second(client, 1000);
    std::vector<double> rates;
    std::vector<double> writes;
    for (int round = 0; round < rounds; ++round) {
      writes.push_back(synced_writes_per_second(folder));
      rates.push_back(tasks_per_second(client, tasks));
    }
    std::printf(
        "bench_noop: %u tasks, 3 embedded nodes, sync on: %.0f tasks/s (median of %d); one synced "
        "write after another: %.0f/s; ratio %.1f\n",
        tasks, median(rates), rounds, median(writes), median(rates) / median(writes));
  }
  fs::remove_all(folder);
  return 0;
}
