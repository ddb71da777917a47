#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "runtime/exec/warden/child/warden_loop.hpp"

namespace fastgpu::exec {
namespace {

constexpr int exit_usage = 2;

int usage() {
  std::fprintf(stderr,
               "usage: fastgpu-executor --warden --marker HEX --parent PID [--user ID]\n"
               "                        [--sandbox auto|bubblewrap|none] [--grace-ms N]\n"
               "                        [--processes N] [--tmp-bytes N] [--writable FOLDER]...\n"
               "Started by fastgpu-node to run users' commands, not by hand.\n");
  return exit_usage;
}

}  // namespace

int warden_main(int count, char** words) {
  WardenOptions options;
  long parent = 0;
  for (int i = 0; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const char* value = words[i + 1];
    if (name == "--marker")
      options.marker = value;
    else if (name == "--sandbox")
      options.confinement.mode = value;
    else if (name == "--user")
      options.confinement.user = static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10));
    else if (name == "--tmp-bytes")
      options.confinement.tmp_bytes = std::strtoull(value, nullptr, 10);
    else if (name == "--writable")
      options.confinement.writable_folders.emplace_back(value);
    else if (name == "--grace-ms")
      options.grace_ms = std::strtoull(value, nullptr, 10);
    else if (name == "--processes")
      options.processes_max = std::strtoull(value, nullptr, 10);
    else if (name == "--parent")
      parent = std::strtol(value, nullptr, 10);
    else
      return usage();
  }
  if (parent == 0 || options.marker.empty())
    return usage();
  if (getppid() != parent)
    return 0;  // the node died already
  return run_warden(options);
}

}  // namespace fastgpu::exec
