#include "runtime/exec/sandbox/landlock.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/sandbox/syscall_filter.hpp"

namespace fastgpu::exec {
namespace {

// As linux/landlock.h of Linux 6.12 has it; older headers lack the later parts.
constexpr long create_ruleset = 444;
constexpr long add_rule = 445;
constexpr long restrict_self = 446;
constexpr std::uint32_t ask_version = 1;
constexpr int rule_path_beneath = 1;
struct Ruleset {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scoped;
};
struct __attribute__((packed)) PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

enum File : std::uint64_t {
  execute = 1u << 0,
  write_file = 1u << 1,
  read_file = 1u << 2,
  read_folder = 1u << 3,
  remove_folder = 1u << 4,
  remove_file = 1u << 5,
  make_character_device = 1u << 6,
  make_folder = 1u << 7,
  make_file = 1u << 8,
  make_socket = 1u << 9,
  make_fifo = 1u << 10,
  make_block_device = 1u << 11,
  make_link = 1u << 12,
  refer = 1u << 13,       // version 2
  shorten = 1u << 14,     // version 3
  ask_device = 1u << 15,  // version 5
};
constexpr std::uint64_t network_all = 3;  // version 4: bind and connect TCP
constexpr std::uint64_t scoped_all = 3;   // version 6: abstract sockets and signals

/// Moving a file between folders, as the kernel cache does, cannot be allowed before that one.
constexpr long version_min = 2;

constexpr std::uint64_t reading = execute | read_file | read_folder;
constexpr std::uint64_t writing = read_file | read_folder | write_file | remove_folder |
                                  remove_file | make_folder | make_file | make_fifo | make_link |
                                  refer | shorten;
constexpr std::uint64_t filling = read_file | read_folder | write_file | shorten;
constexpr std::uint64_t using_device = read_file | write_file | read_folder | ask_device;
constexpr std::uint64_t of_one_file = execute | write_file | read_file | shorten | ask_device;

std::uint64_t file_rights(long version) {
  std::uint64_t rights = make_link | (make_link - 1) | refer;
  if (version >= 3)
    rights |= shorten;
  if (version >= 5)
    rights |= ask_device;
  return rights;
}

base::Error trouble(const std::string& what, int code) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          what + ": " + std::strerror(code),
          "Landlock needs Linux 5.19 or later, with landlock among the security modules"};
}

base::Status allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const FileDescriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!place)
    return {};  // nothing there to be seen
  struct stat info {};
  if (fstat(place.get(), &info) != 0)
    return trouble("cannot look at " + path, errno);
  const PathRule rule{S_ISDIR(info.st_mode) ? rights : rights & of_one_file, place.get()};
  if (syscall(add_rule, ruleset, rule_path_beneath, &rule, 0) != 0)
    return trouble("cannot allow " + path, errno);
  return {};
}

}  // namespace

std::vector<std::string> system_folders() {
  return {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache"};
}

long landlock_version() noexcept {
  return syscall(create_ruleset, nullptr, 0, ask_version);
}

bool can_confine() noexcept {
  return landlock_version() >= version_min;
}

base::Status confine(const AllowedFiles& allowed, Sockets sockets) {
  const long has = landlock_version();
  if (has < version_min)
    return trouble("this kernel cannot confine a process", has < 0 ? errno : ENOSYS);
  const std::uint64_t handled = file_rights(has);
  const Ruleset wanted{handled, has >= 4 ? network_all : 0, has >= 6 ? scoped_all : 0};
  const std::size_t size = has >= 6   ? sizeof wanted
                           : has >= 4 ? offsetof(Ruleset, scoped)
                                      : offsetof(Ruleset, network);
  const FileDescriptor ruleset(static_cast<int>(syscall(create_ruleset, &wanted, size, 0)));
  if (!ruleset)
    return trouble("cannot make rules for files", errno);
  for (const auto& path : allowed.readable)
    if (auto added = allow(ruleset.get(), path, reading & handled); !added.ok())
      return added;
  for (const auto& path : allowed.writable)
    if (auto added = allow(ruleset.get(), path, writing & handled); !added.ok())
      return added;
  for (const auto& path : allowed.fillable)
    if (auto added = allow(ruleset.get(), path, filling & handled); !added.ok())
      return added;
  for (const auto& path : allowed.devices)
    if (auto added = allow(ruleset.get(), path, using_device & handled); !added.ok())
      return added;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return trouble("cannot give up privileges", errno);
  if (syscall(restrict_self, ruleset.get(), 0) != 0)
    return trouble("cannot enter the rules", errno);
  if (const int error = forbid_system_calls(sockets); error != 0)
    return trouble("cannot forbid system calls", error);
  return {};
}

}  // namespace fastgpu::exec
