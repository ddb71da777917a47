#include "tests/unit/store/sync_probe.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

namespace fastgpu::store {
namespace {

bool is_write_ahead_log(int file) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t length = readlink(link.c_str(), path, sizeof path);
  return length > 0 && std::string_view(path, static_cast<std::size_t>(length)).ends_with(".log");
}

}  // namespace

SyncProbe& sync_probe() {
  static SyncProbe probe;
  return probe;
}

}  // namespace fastgpu::store

/// The program's own definition comes before the C library's, for its shared libraries too.
extern "C" int fdatasync(int file) {
  auto& probe = fastgpu::store::sync_probe();
  if (fastgpu::store::is_write_ahead_log(file)) {
    if (probe.log_syncs_fail) {
      errno = EIO;
      return -1;
    }
    probe.log_syncs += 1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, file));
}
