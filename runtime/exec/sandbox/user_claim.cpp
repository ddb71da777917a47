#include "runtime/exec/sandbox/user_claim.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>
#include <vector>

#include "runtime/exec/warden/process_table.hpp"

namespace fastgpu::exec {
namespace {

constexpr mode_t for_root_only = 0600;
constexpr std::size_t account_bytes_max = 16'384;

std::string text_of(const UserRange& range) {
  return std::to_string(range.first) + "-" +
         std::to_string(std::uint64_t{range.first} + range.count - 1);
}

base::Error invalid(const std::string& what, const std::string& hint) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument, what, hint};
}

/// A kernel without user namespaces has no such file, and all ids.
bool is_mapped(const UserRange& range, const char* map) {
  std::ifstream file(map);
  if (!file)
    return true;
  const std::uint64_t end = std::uint64_t{range.first} + range.count;
  for (std::uint64_t first = 0, outside = 0, count = 0; file >> first >> outside >> count;)
    if (range.first >= first && end <= first + count)
      return true;
  return false;
}

bool is_mapped(const UserRange& range) {
  return is_mapped(range, "/proc/self/uid_map") && is_mapped(range, "/proc/self/gid_map");
}

/// The byte of the id, for this open file; false with errno.
bool set_lock(int file, short type, std::uint32_t id) {
  struct flock what {};
  what.l_type = type;
  what.l_whence = SEEK_SET;
  what.l_start = id;
  what.l_len = 1;
  return fcntl(file, F_OFD_SETLK, &what) == 0;
}

/// By any of a process's four ids. What only waits to be reaped still counts among the user's.
bool runs_anything(std::uint32_t id) {
  for (const pid_t process : all_processes()) {
    const std::string status = read_process_file(process, "status");
    const std::size_t at = status.find("\nUid:");
    if (at == std::string::npos)
      continue;
    std::istringstream ids(status.substr(at + std::strlen("\nUid:"), 64));
    std::uint64_t one = 0;
    for (int i = 0; i < 4 && ids >> one; ++i)
      if (one == id)
        return true;
  }
  return false;
}

base::Error no_file(const std::string& path) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          "cannot claim users for commands and kernels in " + path + ": " + std::strerror(errno),
          "let the node write there (in a container, mount a tmpfs at /run), or start it as a user "
          "that is not root"};
}

}  // namespace

UserRange default_users() {
  return is_mapped(users_of_a_host) ? users_of_a_host : users_of_a_small_namespace;
}

base::Status check_users(const UserRange& range) {
  if (range.first == 0 || range.count == 0 ||
      range.count > std::numeric_limits<std::uint32_t>::max() - range.first)
    return invalid("a range of users begins above 0 and holds one or more below 4294967295",
                   "give ids that no account of the host has");
  if (!is_mapped(range))
    return invalid("this container has not all of the users " + text_of(range),
                   "/proc/self/uid_map and gid_map show those that it has");
  return {};
}

base::Result<ClaimedUser> claim_user(const UserRange& range, std::uint32_t wish,
                                     const std::string& path) {
  if (geteuid() != 0)
    return ClaimedUser();
  if (auto good = check_users(range); !good.ok())
    return good.error();
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, for_root_only));
  if (!file)
    return no_file(path);
  for (std::uint32_t i = 0; i < range.count; ++i) {
    const std::uint64_t place = (std::uint64_t{wish} + i) % range.count;
    const auto id = static_cast<std::uint32_t>(range.first + place);
    if (!set_lock(file.get(), F_WRLCK, id)) {
      if (errno != EAGAIN && errno != EACCES)
        return no_file(path);
      continue;
    }
    if (!runs_anything(id))
      return ClaimedUser(std::make_shared<const UserClaim>(std::move(file), id));
    set_lock(file.get(), F_UNLCK, id);
  }
  return base::Error{base::ErrorKind::unavailable, base::ErrorCode::internal,
                     "all of the users " + text_of(range) + " are taken by other nodes here",
                     "give the node a larger range, [sandbox] users in node.toml"};
}

std::string user_name(const ClaimedUser& user) {
  const std::uint32_t id = user ? user->user().uid : geteuid();
  const std::string made_up = "fastgpu-" + std::to_string(id);
  if (user)
    return made_up;
  passwd account{};
  passwd* found = nullptr;
  std::vector<char> room(account_bytes_max);
  return getpwuid_r(id, &account, room.data(), room.size(), &found) == 0 && found != nullptr
             ? found->pw_name
             : made_up;
}

}  // namespace fastgpu::exec
