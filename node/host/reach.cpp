#include "node/host/reach.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <vector>

namespace fastgpu::node {
namespace {

namespace fs = std::filesystem;

constexpr int all_open = 0;
constexpr int cannot_ask = 255;

/// "/", "/var", "/var/lib", ...
std::vector<std::string> folders_to(const fs::path& path) {
  std::vector<std::string> all;
  fs::path so_far;
  for (const fs::path& part : fs::absolute(path).lexically_normal()) {
    so_far /= part;
    all.push_back(so_far.string());
  }
  return all;
}

/// In the child: system calls only.
[[noreturn]] void ask(const std::vector<const char*>& folders, const exec::UnprivilegedUser& user) {
  if (exec::drop_root(user) != 0) {
    ::_exit(cannot_ask);
  }
  for (std::size_t i = 0; i < folders.size() && i + 1 < cannot_ask; ++i) {
    if (::access(folders[i], X_OK) != 0 && errno == EACCES) {
      ::_exit(static_cast<int>(i + 1));
    }
  }
  ::_exit(all_open);
}

}  // namespace

std::string closed_folder(const fs::path& path, const exec::UnprivilegedUser& user) {
  if (::geteuid() != 0) {
    return {};
  }
  const std::vector<std::string> folders = folders_to(path);
  std::vector<const char*> names;
  for (const std::string& folder : folders) {
    names.push_back(folder.c_str());
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ask(names, user);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int said = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : cannot_ask;
  return said == all_open || said == cannot_ask ? std::string() : folders[said - 1];
}

base::Status check_reach(const fs::path& data_folder) {
  const std::string closed = closed_folder(data_folder);
  if (closed.empty()) {
    return {};
  }
  return base::Error{base::ErrorKind::invalid, base::ErrorCode::file_not_found,
                     "commands run as users of their own here, who cannot pass through " + closed +
                         " to the node's folder " + data_folder.string(),
                     "chmod o+x " + closed +
                         " (it lets others pass, not list it), or give the node another --dir"};
}

}  // namespace fastgpu::node
