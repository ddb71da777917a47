// A disk that fails, for one process: preloaded into a node, it stands before fsync and fdatasync.
//
// FASTGPU_TEST_SYNC_FOLDER is the folder whose write-ahead logs (*.log) it watches,
// FASTGPU_TEST_SYNC_CONTROL a folder of the test's. While there is no file `fail` in the latter, a
// sync does what it always does, and then its file's name and how much of it is on the disk for
// good are appended to `synced` there; syncs at the same time may be noted in any order. Once there
// is one, each sync of a log ends with EIO and is noted in `failed`. What was written since the
// last good sync is still in the page cache: a test that plays its loss cuts the files back to the
// most that `synced` says. Other files, and children of the process, are left alone.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

using Sync = int (*)(int);

struct Watch {
  std::string folder;
  std::string control;
};

/// Never destroyed: the store syncs to the very end.
const Watch& watch() {
  static const Watch* const made = [] {
    auto* from_environment = new Watch;
    const char* folder = std::getenv("FASTGPU_TEST_SYNC_FOLDER");
    const char* control = std::getenv("FASTGPU_TEST_SYNC_CONTROL");
    if (folder != nullptr && control != nullptr) {
      *from_environment = {std::string(folder) + "/", control};
    }
    return from_environment;
  }();
  return *made;
}

__attribute__((constructor)) void begin() {
  watch();
  ::unsetenv("LD_PRELOAD");
}

/// Of a log below the folder that is watched; else empty.
std::string watched_name(int fd) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(link.c_str(), path, sizeof(path) - 1);
  const std::string name(path, length > 0 ? static_cast<std::size_t>(length) : 0);
  const std::string& folder = watch().folder;
  const bool watched = !folder.empty() && name.starts_with(folder) && name.ends_with(".log");
  return watched ? name.substr(folder.size()) : std::string();
}

void note(const char* file, const std::string& line) {
  const std::string path = watch().control + "/" + file;
  const int out = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (out < 0 || ::write(out, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::perror("failing_sync");
    std::abort();
  }
  ::close(out);
}

int sync_or_fail(int fd, const char* call) {
  const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, call));
  const std::string name = watched_name(fd);
  if (name.empty()) {
    return real(fd);
  }
  if (::access((watch().control + "/fail").c_str(), F_OK) == 0) {
    note("failed", name + "\n");
    errno = EIO;
    return -1;
  }
  struct stat before {};
  ::fstat(fd, &before);
  const int result = real(fd);
  if (result == 0) {
    note("synced", name + " " + std::to_string(before.st_size) + "\n");
  }
  return result;
}

}  // namespace

extern "C" int fsync(int fd) {
  return sync_or_fail(fd, "fsync");
}
extern "C" int fdatasync(int fd) {
  return sync_or_fail(fd, "fdatasync");
}
