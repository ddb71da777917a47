#include "runtime/exec/warden/child/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "runtime/exec/channel/shared_memory.hpp"
#include "runtime/exec/warden/command_runner.hpp"
#include "runtime/exec/warden/text.hpp"

namespace fastgpu::exec {
namespace {

constexpr std::size_t path_bytes_max = 4096;
constexpr std::size_t error_text_bytes_max = 512;
constexpr std::uint64_t disk_block_bytes = 512;  // of st_blocks, whatever the file system
constexpr std::uint64_t disk_low_bytes = 64u << 10;

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

OpenFolder open_folder(int at, const char* path) {
  const int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return OpenFolder(fd < 0 ? nullptr : fdopendir(fd));
}

bool is_self_or_above(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

base::Error failed(const std::string& what, const std::string& path, int code) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          what + " '" + path + "': " + std::strerror(code), ""};
}

/// Depth first, by descriptors: no name is looked up through a folder that could be replaced.
int give_below(int folder, const FolderOwner& owner) {
  const OpenFolder open = open_folder(folder, ".");
  if (!open)
    return errno;
  while (const dirent* entry = readdir(open.get())) {
    struct stat facts {};
    if (is_self_or_above(entry->d_name) ||
        fstatat(folder, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (S_ISDIR(facts.st_mode)) {
      const FileDescriptor below(
          openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (const int code = below ? give_below(below.get(), owner) : errno; code != 0)
        return code;
    } else if (facts.st_nlink > 1) {
      continue;
    }
    if (fchownat(folder, entry->d_name, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) != 0)
      return errno;
  }
  return 0;
}

}  // namespace

base::Status give_folder(const std::string& folder, const FolderOwner& owner) {
  const FileDescriptor open(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open)
    return failed("cannot use the job folder", folder, errno);
  if (geteuid() != 0)
    return {};
  const int code = give_below(open.get(), owner);
  if (code != 0 || fchown(open.get(), owner.user, owner.group) != 0)
    return failed("cannot give the job folder to its user", folder, code != 0 ? code : errno);
  return {};
}

bool FolderMeter::step(std::size_t entries_max) {
  if (folders_left_.empty()) {
    folders_left_.push_back(folder_);
    counted_ = 0;
  }
  for (std::size_t seen = 0; seen < entries_max && !folders_left_.empty();) {
    const std::string path = std::move(folders_left_.back());
    folders_left_.pop_back();
    seen += 1 + count_folder(path);
  }
  if (!folders_left_.empty())
    return false;
  bytes_ = counted_;
  return true;
}

std::size_t FolderMeter::count_folder(const std::string& path) {
  const OpenFolder open = open_folder(AT_FDCWD, path.c_str());
  std::size_t seen = 0;
  while (const dirent* entry = open ? readdir(open.get()) : nullptr) {
    struct stat facts {};
    if (is_self_or_above(entry->d_name) ||
        fstatat(dirfd(open.get()), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    ++seen;
    counted_ += static_cast<std::uint64_t>(facts.st_blocks) * disk_block_bytes;
    if (S_ISDIR(facts.st_mode) && path.size() + std::strlen(entry->d_name) < path_bytes_max)
      folders_left_.push_back(path + "/" + entry->d_name);
  }
  return seen;
}

bool disk_is_full(const std::string& folder) {
  struct statvfs facts {};
  if (statvfs(folder.c_str(), &facts) != 0)
    return false;
  const bool no_files = facts.f_files > 0 && facts.f_favail == 0;
  return no_files || facts.f_bavail * facts.f_frsize < disk_low_bytes;
}

std::string read_error_file(const std::string& folder, uid_t user) {
  // A fifo would wait for a writer; a link could lead to what only root may read. The folder itself
  // cannot be replaced by its user, for the one above is not his.
  const std::string path = folder + "/" + command_error_file;
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat facts {};
  if (!file || fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != user)
    return {};
  char text[error_text_bytes_max];
  const ssize_t got = read(file.get(), text, sizeof text);
  return got > 0 ? first_line(std::string(text, static_cast<std::size_t>(got)), sizeof text)
                 : std::string();
}

}  // namespace fastgpu::exec
