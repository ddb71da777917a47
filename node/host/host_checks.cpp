#include "node/host/host_checks.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "node/host/executor_program.hpp"
#include "node/host/reach.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/exec/cpu/compiler.hpp"
#include "runtime/exec/cuda/discovery.hpp"
#include "runtime/exec/sandbox/landlock.hpp"
#include "runtime/exec/sandbox/sandbox.hpp"

namespace fastgpu::node {
namespace {

namespace fs = std::filesystem;

/// Files that a node of some dozen peers and commands has open at a time.
constexpr std::uint64_t open_files_wanted = 4096;
constexpr std::uint64_t disk_comfort_bytes = 10ull << 30;
constexpr std::uint64_t shared_memory_wanted = 256u << 20;

std::string gib(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes * 10 / (1ull << 30);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

Check compiler() {
  const std::string path = exec::find_compiler("");
  if (path.empty()) {
    return {"compiler", CheckState::failed,
            "there is no C++ compiler: CPU devices cannot run kernels",
            "install g++, or name a compiler in FASTGPU_CXX"};
  }
  return {"compiler", CheckState::ok, path + " compiles kernels for CPU devices", ""};
}

Check sandbox() {
  const exec::SandboxMeans means = exec::probe_sandbox(exec::SandboxMode::automatic);
  const exec::Protection protection = exec::protection_of(means, ::geteuid() == 0);
  // The sentence says what is missing, and what to do.
  return {"sandbox", means.why_not.empty() ? CheckState::ok : CheckState::warning,
          protection.word + ": " + protection.sentence,
          means.why_not.empty() ? "" : "do what the sentence says, then restart the node"};
}

/// As the user that commands run as: root may more.
Check user_namespaces() {
  const pid_t child = ::fork();
  if (child == 0) {
    if (const int failed = exec::drop_root({}); failed != 0) {
      ::_exit(failed);
    }
    ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN;
  if (code != 0) {
    return {"user namespaces", CheckState::warning,
            std::string("no user namespace can be made here: ") + std::strerror(code),
            "see sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone; in a "
            "container, its seccomp profile"};
  }
  return {"user namespaces", CheckState::ok, "user namespaces can be made", ""};
}

Check landlock() {
  const long version = exec::landlock_version();
  if (!exec::can_confine()) {
    return {"landlock", CheckState::warning,
            version > 0 ? "Landlock is of version " + std::to_string(version) +
                              ", too old: kernels on CPU devices are kept apart by bubblewrap alone"
                        : "the kernel has no Landlock: kernels on CPU devices are kept apart by "
                          "bubblewrap alone",
            "use Linux 5.19 or later, and have landlock in the list of lsm= at boot"};
  }
  return {"landlock", CheckState::ok,
          "Landlock of version " + std::to_string(version) + " keeps kernels from files", ""};
}

Check seccomp() {
  std::ifstream file("/proc/sys/kernel/seccomp/actions_avail");
  const std::string actions{std::istreambuf_iterator<char>(file), {}};
  if (actions.find("errno") == std::string::npos) {
    return {"seccomp", CheckState::warning,
            "the kernel filters no system calls: kernels on CPU devices may call any",
            "use a kernel with CONFIG_SECCOMP_FILTER"};
  }
  return {"seccomp", CheckState::ok, "system calls of kernels are filtered", ""};
}

Check open_files() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return open_files_check(limit.rlim_cur, limit.rlim_max);
}

Check shared_memory() {
  struct statvfs room {};
  if (::statvfs("/dev/shm", &room) != 0 || ::access("/dev/shm", W_OK) != 0) {
    return {"shared memory", CheckState::failed,
            std::string("/dev/shm cannot be used: ") + std::strerror(errno),
            "mount a tmpfs there that all may write"};
  }
  const std::uint64_t free = std::uint64_t{room.f_bavail} * room.f_frsize;
  if (free < shared_memory_wanted) {
    return {"shared memory", CheckState::warning, "/dev/shm has " + gib(free) + " free",
            "give it more (docker: --shm-size 1g): each device takes 64 MiB and more"};
  }
  return {"shared memory", CheckState::ok, "/dev/shm has " + gib(free) + " free", ""};
}

/// As a node would find them when it starts.
Check gpu_driver() {
  const exec::GpuListing listing = exec::list_gpus(find_executor_program());
  const std::string found = exec::describe(listing);
  if (listing.no_driver) {
    return {"gpu driver", CheckState::ok, found + ": this host has CPU devices only", ""};
  }
  if (listing.devices.empty()) {
    return {"gpu driver", CheckState::warning, found + ": this host has CPU devices only",
            "mend the driver, or let the container see the devices; then restart the node"};
  }
  return {"gpu driver", CheckState::ok, found, ""};
}

Check founded(const fs::path& folder) {
  std::error_code failed;
  if (!fs::exists(folder / "identity.toml", failed)) {
    return {"data folder", CheckState::failed, folder.string() + " is no node's folder",
            "make it with fastgpu-node init or join, or give the right --dir"};
  }
  if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {"data folder", CheckState::failed,
            folder.string() + " cannot be used: " + std::strerror(errno),
            "be the user whose node it is"};
  }
  return {"data folder", CheckState::ok, folder.string() + " is a node's folder", ""};
}

Check reach(const fs::path& folder) {
  const base::Status open = check_reach(folder);
  if (!open.ok()) {
    return {"way to the folder", CheckState::failed, open.error().message, open.error().hint};
  }
  return {"way to the folder", CheckState::ok,
          ::geteuid() == 0 ? "other users, whom commands run as, can pass through to it"
                           : "commands run as this user, who can pass through to it",
          ""};
}

}  // namespace

const char* to_word(CheckState state) {
  static constexpr const char* words[] = {"ok", "warning", "failed"};
  return words[static_cast<std::size_t>(state)];
}

Check disk_check(std::uint64_t free, std::uint64_t total, const std::string& folder) {
  const std::string sentence = gib(free) + " of " + gib(total) + " are free at " + folder;
  const char* remedy = "free some: jobs, results and logs need it, and a full disk stops the node";
  if (free < std::min(base::limits::disk_reserve_bytes, total / 8)) {
    return {"disk", CheckState::failed, sentence, remedy};
  }
  if (free < std::min(disk_comfort_bytes, total / 4)) {
    return {"disk", CheckState::warning, sentence, remedy};
  }
  return {"disk", CheckState::ok, sentence, ""};
}

Check open_files_check(std::uint64_t soft, std::uint64_t hard) {
  const std::string sentence = soft == RLIM_INFINITY
                                   ? std::string("any number of files may be open")
                                   : std::to_string(soft) + " files may be open at a time";
  if (soft >= open_files_wanted) {
    return {"open files", CheckState::ok, sentence, ""};
  }
  return {"open files", CheckState::warning, sentence,
          hard >= open_files_wanted
              ? "ulimit -n " + std::to_string(open_files_wanted) + " before the node is started"
              : "raise the hard limit too: LimitNOFILE= of the service, or limits.conf"};
}

std::vector<Check> check_host() {
  std::vector<Check> all;
  for (Check (*check)() : {compiler, sandbox, user_namespaces, landlock, seccomp, open_files,
                           shared_memory, gpu_driver}) {
    all.push_back(check());
  }
  return all;
}

std::vector<Check> check_folder(const fs::path& folder) {
  const fs::path path = fs::absolute(folder);
  std::vector<Check> all{founded(path), reach(path)};
  struct statvfs room {};
  if (::statvfs(path.c_str(), &room) == 0) {
    all.push_back(disk_check(std::uint64_t{room.f_bavail} * room.f_frsize,
                             std::uint64_t{room.f_blocks} * room.f_frsize, path.string()));
  }
  return all;
}

}  // namespace fastgpu::node
