#include "runtime/exec/child/executor_walls.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "runtime/exec/cpu/compiler.hpp"
#include "runtime/exec/cuda/libraries.hpp"
#include "runtime/exec/sandbox/landlock.hpp"
#include "runtime/exec/sandbox/process_limits.hpp"
#include "runtime/exec/warden/child/folder.hpp"

namespace fastgpu::exec {
namespace {

namespace fs = std::filesystem;

constexpr ProcessLimits limits{.file_bytes = 1ull << 30, .open_files = 1024};

base::Error trouble(const char* what, int code) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          std::string(what) + ": " + std::strerror(code), ""};
}

/// Whether the user can get at the program and the place of the kernels' folder: it tries, in a
/// child. The folder itself becomes his.
bool can_reach(const UnprivilegedUser& user, const ExecutorProcessOptions& options) {
  const pid_t pid = fork();
  if (pid == 0) {
    bool fine = drop_root(user) == 0 && access(options.own_program.c_str(), X_OK) == 0;
    if (fine && !options.cache_folder.empty())
      fine = chdir(fs::path(options.cache_folder).parent_path().c_str()) == 0;
    _exit(fine ? 0 : 1);
  }
  int status = 0;
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return pid > 0 && status == 0;
}

/// What earlier lives compiled belongs to whom they ran as. What cannot be given is compiled again.
void take_over(const std::string& folder, const UnprivilegedUser& user) {
  struct stat info {};
  if (lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid != user.uid)
    static_cast<void>(give_folder(folder, {user.uid, user.gid}));
}

/// Root keeps its name and what that name owns, and can do nothing that others cannot.
int drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2]{};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return errno;
  return syscall(SYS_capset, &header, none) == 0 ? 0 : errno;
}

base::Status stop_being_root(const ExecutorProcessOptions& options, bool& became_other) {
  const UnprivilegedUser user{options.user, options.user};
  if (geteuid() == 0 && user.uid == 0)
    return trouble("an executor that is root needs a user to become", EPERM);
  became_other = geteuid() == 0 && can_reach(user, options);
  const bool stays_root = geteuid() == 0 && !became_other;
  if (geteuid() == 0 && !options.cache_folder.empty())
    take_over(options.cache_folder, became_other ? user : UnprivilegedUser{0, 0});
  const int code = stays_root ? drop_capabilities() : drop_root(user);
  return code == 0 ? base::Status() : trouble("the executor cannot give up its privileges", code);
}

void add_library_folders(const std::string& program, std::vector<std::string>& folders) {
  const fs::path own = fs::path(program).parent_path();
  folders.push_back(own.parent_path() / "lib");
  const char* more = std::getenv("LD_LIBRARY_PATH");
  std::istringstream words(more == nullptr ? "" : more);
  for (std::string folder; std::getline(words, folder, ':');)
    if (folder.starts_with('/'))
      folders.push_back(folder);
}

/// Where the driver (r570 and later) names the threads that it starts, as whoever writes a file
/// anew: it does not start itself where that fails. Held open for the process's life: a rule is
/// about the folder as it stands in memory, and what the kernel forgets and makes again would be
/// another one.
const char* folder_of_own_threads() {
  static constexpr const char* path = "/proc/self/task";
  static const int held = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  static_cast<void>(held);
  return path;
}

/// What the driver of a GPU needs beside that: its device files, and all that it asks the kernel
/// about processors, memory and itself. It runs no code of users' on the host.
void add_driver_files(AllowedFiles& files) {
  files.fillable.emplace_back(folder_of_own_threads());
  for (const auto& folder : cuda::library_folders())
    files.readable.push_back(folder);
  for (const char* path : {"/proc", "/sys", "/dev/shm"})
    files.readable.emplace_back(path);
  std::error_code error;
  for (fs::directory_iterator at("/dev", error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().starts_with("nvidia"))
      files.devices.push_back(at->path());
}

bool is_gpu(const ExecutorProcessOptions& options) {
  return options.device.starts_with("cuda:");
}

AllowedFiles files_for(const ExecutorProcessOptions& options) {
  AllowedFiles files;
  files.readable = system_folders();
  for (const char* path : {"/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/sys/devices/system",
                           "/etc/machine-id", "/dev/zero", "/dev/urandom"})
    files.readable.emplace_back(path);
  files.readable.push_back(options.own_program);
  add_library_folders(options.own_program, files.readable);
  if (const std::string compiler = find_compiler(""); !compiler.empty())
    for (const auto& folder : folders_of_compiler(compiler))
      files.readable.push_back(folder);
  files.writable = {"/dev/null"};
  if (is_gpu(options))
    add_driver_files(files);
  if (!options.cache_folder.empty())
    files.writable.push_back(options.cache_folder);
  return files;
}

}  // namespace

base::Result<ExecutorWalls> raise_walls(const ExecutorProcessOptions& options) {
  std::error_code error;
  if (!options.cache_folder.empty())
    fs::create_directories(options.cache_folder, error);
  bool became_other = false;
  if (auto stopped = stop_being_root(options, became_other); !stopped.ok())
    return stopped.error();
  if (const int code = set_limits(limits); code != 0)
    return trouble("the executor cannot limit itself", code);
  if (!can_confine())
    return ExecutorWalls{became_other ? "uid only" : "none"};
  // The driver of a GPU listens for others of the host's processes, or does not start.
  const Sockets sockets = is_gpu(options) ? Sockets::local_packets : Sockets::none;
  if (auto confined = confine(files_for(options), sockets); !confined.ok())
    return confined.error();
  return ExecutorWalls{"landlock"};
}

}  // namespace fastgpu::exec
