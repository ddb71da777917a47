/// fastgpu-executor: the process that touches one device. Started by a node, never by hand, with
/// the descriptors that runtime/exec/channel/wire.hpp lists; or by itself, around a compiler. With
/// --warden it touches no device: it is the process that runs users' commands. With --list-gpus it
/// says which GPUs there are, with --watch-gpus how they are.

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "runtime/exec/child/executor_loop.hpp"
#include "runtime/exec/child/executor_walls.hpp"
#include "runtime/exec/cpu/compile_child.hpp"
#include "runtime/exec/cuda/discovery.hpp"
#include "runtime/exec/cuda/gpu_watch.hpp"
#include "runtime/exec/cuda/nvrtc_child.hpp"
#include "runtime/exec/warden/child/warden_loop.hpp"

namespace {

constexpr int exit_usage = 2;
constexpr int exit_walls = 4;

int usage() {
  std::fprintf(
      stderr,
      "usage: fastgpu-executor --device cpu:N|cuda:UUID|null [--threads N] [--memory BYTES]\n"
      "                        [--cache FOLDER] [--user ID] --parent PID\n"
      "       fastgpu-executor --list-gpus\n"
      "Started by fastgpu-node for each device, not by hand.\n");
  return exit_usage;
}

}  // namespace

int main(int count, char** words) {
  // These two at once: behind their walls not even a sanitizer could look for leaks at the end.
  if (count > 1 && std::strcmp(words[1], "--compile-child") == 0)
    _exit(fastgpu::exec::compile_child_main(count - 2, words + 2));
  if (count > 1 && std::strcmp(words[1], "--nvrtc-child") == 0) {
    const int code = fastgpu::exec::nvrtc_child_main(count - 2, words + 2);
    std::fflush(nullptr);
    _exit(code);
  }
  if (count == 2 && std::strcmp(words[1], "--list-gpus") == 0)
    return fastgpu::exec::list_gpus_main();
  if (count > 1 && std::strcmp(words[1], "--watch-gpus") == 0)
    return fastgpu::exec::gpu_watch_child_main(count - 2, words + 2);
  if (count > 1 && std::strcmp(words[1], "--warden") == 0)
    return fastgpu::exec::warden_main(count - 2, words + 2);
  fastgpu::exec::ExecutorProcessOptions options;
  long parent = 0;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const char* value = words[i + 1];
    if (name == "--device")
      options.device = value;
    else if (name == "--threads")
      options.threads = static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10));
    else if (name == "--memory")
      options.memory_bytes = std::strtoull(value, nullptr, 10);
    else if (name == "--cache")
      options.cache_folder = value;
    else if (name == "--user")
      options.user = static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10));
    else if (name == "--parent")
      parent = std::strtol(value, nullptr, 10);
    else
      return usage();
  }
  if (parent == 0)
    return usage();
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length > 0)
    options.own_program.assign(path, static_cast<std::size_t>(length));
  const auto walls = fastgpu::exec::raise_walls(options);
  if (!walls.ok()) {
    std::fprintf(stderr, "fastgpu-executor: %s\n", walls.error().message.c_str());
    return exit_walls;
  }
  options.walls = walls.value().word;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    return 0;  // the node died before the line above
  return fastgpu::exec::run_executor(options);
}
