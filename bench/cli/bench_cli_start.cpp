/// How long `fastgpu version` takes from start to end: the median of 20 runs, against 20 ms.
///
///   bench_cli_start [PROGRAM]     default: the fastgpu beside this program

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

constexpr int rounds = 20;
constexpr double target_ms = 20;

/// Milliseconds until it has ended, or a negative number if it failed.
double run_once(const std::string& program) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  std::string verb = "version";
  std::string name = program;
  char* arguments[] = {name.data(), verb.data(), nullptr};
  const auto started = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int spawned = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (spawned != 0 || waitpid(child, &status, 0) != child || status != 0) {
    return -1;
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started)
      .count();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string program =
      argc > 1 ? argv[1]
               : std::filesystem::read_symlink("/proc/self/exe").replace_filename("fastgpu");
  std::vector<double> times_ms;
  for (int round = 0; round < rounds; ++round) {
    times_ms.push_back(run_once(program));
    if (times_ms.back() < 0) {
      std::fprintf(stderr, "bench_cli_start: %s version failed\n", program.c_str());
      return 1;
    }
  }
  std::sort(times_ms.begin(), times_ms.end());
  const double median_ms = times_ms[rounds / 2];
  std::printf("{\"bench\": \"cli_start\", \"median_ms\": %.2f, \"target_ms\": %.0f, \"met\": %s}\n",
              median_ms, target_ms, median_ms < target_ms ? "true" : "false");
  return 0;
}
