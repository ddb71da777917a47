#include "runtime/exec/sandbox/sandbox.hpp"

#include <limits.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace fastgpu::exec {
namespace {

using Words = std::vector<std::string>;

/// Mount points only: nothing is ever stored in what covers a hidden folder.
constexpr const char* cover_bytes = "1048576";

/// What a name lookup over the network needs of /run; the rest of it are the host's own services.
constexpr const char* resolver_folder = "/run/systemd/resolve";

void add(Words& words, std::initializer_list<std::string_view> more) {
  for (const auto word : more)
    words.emplace_back(word);
}

std::string real_path(const std::string& path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) != nullptr ? buffer : path;
}

/// Takes the files' view of a user for this thread: root decides for somebody else here.
class FileView {
 public:
  explicit FileView(const UnprivilegedUser& user) : active_(geteuid() == 0) {
    if (!active_)
      return;
    group_ = static_cast<gid_t>(syscall(SYS_setfsgid, user.gid));
    syscall(SYS_setfsuid, user.uid);
  }
  ~FileView() {
    if (!active_)
      return;
    syscall(SYS_setfsuid, 0);
    syscall(SYS_setfsgid, group_);
  }
  FileView(const FileView&) = delete;
  FileView& operator=(const FileView&) = delete;

 private:
  bool active_;
  gid_t group_{0};
};

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder ||
         (path.starts_with(folder) && path.substr(folder.size()).starts_with('/'));
}

/// Nothing to cover where the host has nothing, where the user cannot even look, and where private
/// folders stand anyway.
enum class Cover : unsigned char { not_needed, folder, file };
Cover cover_for(const std::string& path, const UnprivilegedUser& user) {
  for (const char* covered : {"/tmp", "/var/tmp", "/dev", "/proc", "/run"})
    if (is_below(path, covered))
      return Cover::not_needed;
  const FileView view(user);
  struct stat info {};
  if (stat(path.c_str(), &info) != 0)
    return Cover::not_needed;
  return S_ISDIR(info.st_mode) ? Cover::folder : Cover::file;
}

void add_root(Words& words, const std::string& root) {
  struct stat info {};
  char target[PATH_MAX];
  if (lstat(root.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
    const ssize_t length = readlink(root.c_str(), target, sizeof target);
    if (length > 0)
      add(words, {"--symlink", std::string_view(target, static_cast<std::size_t>(length)), root});
    return;
  }
  add(words, {"--ro-bind-try", root, root});
}

void add_private_folder(Words& words, const std::string& path, std::uint64_t bytes) {
  add(words, {"--perms", "1777"});
  if (bytes > 0)
    add(words, {"--size", std::to_string(bytes)});
  add(words, {"--tmpfs", path});
}

/// The host first, then what covers parts of it, then what reappears on the covers.
Words mounts(const SandboxPolicy& policy) {
  Words words;
  for (const auto& root : policy.roots)
    add_root(words, root);
  const bool whole = std::find(policy.roots.begin(), policy.roots.end(), "/") != policy.roots.end();
  add(words, {"--proc", "/proc", "--dev", "/dev"});
  for (const auto& device : policy.devices)
    add(words, {"--dev-bind-try", device, device});
  add_private_folder(words, "/dev/shm", policy.tmp_bytes);
  add_private_folder(words, "/tmp", policy.tmp_bytes);
  Words covers{"/dev"};
  if (whole) {
    add_private_folder(words, "/var/tmp", policy.tmp_bytes);
    add(words, {"--size", cover_bytes, "--tmpfs", "/run"});
    covers.emplace_back("/run");
    if (policy.network)
      add(words, {"--ro-bind-try", resolver_folder, resolver_folder});
  }
  for (const auto& hidden : policy.hidden) {
    const std::string path = real_path(hidden);
    const Cover cover = cover_for(path, policy.user);
    if (cover == Cover::folder) {
      add(words, {"--size", cover_bytes, "--tmpfs", path});
      covers.push_back(path);
    } else if (cover == Cover::file) {
      add(words, {"--ro-bind", "/dev/null", path});
    }
  }
  for (const auto& bind : policy.read_only)
    add(words, {"--ro-bind", bind.from, bind.to});
  for (const auto& bind : policy.writable)
    add(words, {"--bind", bind.from, bind.to});
  if (!whole)
    covers.emplace_back("/");
  for (const auto& cover : covers)
    add(words, {"--remount-ro", cover});
  return words;
}

}  // namespace

std::optional<SandboxMode> parse_sandbox_mode(std::string_view word) {
  if (word == "auto")
    return SandboxMode::automatic;
  if (word == "bubblewrap")
    return SandboxMode::bubblewrap;
  if (word == "none")
    return SandboxMode::none;
  return std::nullopt;
}

std::vector<std::string> sandboxed(const SandboxMeans& means, const SandboxPolicy& policy,
                                   const std::vector<std::string>& command) {
  if (means.bubblewrap.empty())
    return command;
  Words words{means.bubblewrap, "--die-with-parent",
              "--new-session",  "--unshare-user",
              "--unshare-pid",  "--unshare-ipc",
              "--unshare-uts",  "--unshare-cgroup-try",
              "--cap-drop",     "ALL"};
  if (!policy.network && means.cuts_network)
    words.emplace_back("--unshare-net");
  if (!policy.nested)
    words.emplace_back("--disable-userns");
  if (policy.uid)
    add(words, {"--uid", std::to_string(*policy.uid)});
  if (policy.gid)
    add(words, {"--gid", std::to_string(*policy.gid)});
  if (!policy.hostname.empty())
    add(words, {"--hostname", policy.hostname});
  const Words places = mounts(policy);
  words.insert(words.end(), places.begin(), places.end());
  if (!policy.folder.empty())
    add(words, {"--chdir", policy.folder});
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

Protection protection_of(const SandboxMeans& means, bool started_as_root) {
  const std::string who = started_as_root
                              ? ", those of each device as a user of their own"
                              : ", all as the node's own user, whose processes count together";
  if (!means.bubblewrap.empty() && means.cuts_network)
    return {"bubblewrap", "commands run in namespaces of their own" + who +
                              ": the host read-only, no other processes, nothing of the node's "
                              "data"};
  if (!means.bubblewrap.empty())
    return {"bubblewrap", "commands run in namespaces of their own" + who +
                              ", but none can be cut off from the network: " + means.why_not};
  if (started_as_root)
    return {"uid only",
            "commands run as other users than the node, those of each device as one of their own: "
            "they see the host's files as such a user does, but nothing of other devices' "
            "commands: " +
                means.why_not};
  return {"none",
          "commands run as the node's own user and can do what it can, also read its keys: " +
              means.why_not};
}

}  // namespace fastgpu::exec
