#include "runtime/security/secret_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace fastgpu::security {
namespace {

namespace fs = std::filesystem;

constexpr mode_t owner_only = 0600;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

base::Error cannot(const std::string& what, const fs::path& path, int error) {
  const bool missing = error == ENOENT;
  return {base::ErrorKind::invalid,
          missing ? base::ErrorCode::file_not_found : base::ErrorCode::denied,
          "cannot " + what + " " + path.string() + ": " + ::strerror(error),
          missing ? "" : "is it yours, and on a disk that can be written?"};
}

base::Error refused(const fs::path& path, const std::string& why, const std::string& remedy) {
  return {base::ErrorKind::rejected, base::ErrorCode::denied,
          "refusing to use " + path.string() + ": " + why, remedy};
}

base::Status check(const fs::path& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode)) {
    return refused(path, "it is no regular file", "name the file itself");
  }
  if (found.st_uid != ::geteuid()) {
    return refused(path,
                   "it belongs to user " + std::to_string(found.st_uid) +
                       " and this program runs as user " + std::to_string(::geteuid()),
                   "chown it to whoever runs this program, or run it as its owner");
  }
  if ((found.st_mode & 07777 & ~owner_only) != 0) {
    return refused(path, "others than its owner may use it", "chmod 600 " + path.string());
  }
  if (found.st_size > static_cast<off_t>(secret_file_bytes_max)) {
    return refused(path, "it is far larger than such a file is", "is it the right one?");
  }
  return {};
}

bool write_all(int fd, const std::string& contents) {
  std::size_t done = 0;
  while (done < contents.size()) {
    const ssize_t wrote = ::write(fd, contents.data() + done, contents.size() - done);
    if (wrote < 0 && errno != EINTR) {
      return false;
    }
    done += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
  }
  return ::fsync(fd) == 0;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// A name lasts once its folder is on the disk.
void sync_folder(const fs::path& path) {
  const File folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd() >= 0) {
    ::fsync(folder.fd());
  }
}

enum class Existing { stays, goes };

/// Written under another name first, so that nobody ever reads a part of it.
base::Status put(const fs::path& path, const std::string& contents, Existing existing) {
  std::string temporary = (folder_of(path) / ("." + path.filename().string() + ".XXXXXX")).string();
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (file.fd() < 0) {
    return cannot("write", path, errno);
  }
  const bool written = write_all(file.fd(), contents);
  const bool in_place =
      written && (existing == Existing::goes ? ::rename(temporary.c_str(), path.c_str()) == 0
                                             : ::link(temporary.c_str(), path.c_str()) == 0);
  const int error = errno;
  if (!in_place || existing == Existing::stays) {
    ::unlink(temporary.c_str());
  }
  if (!in_place) {
    if (written && error == EEXIST) {
      return base::Error{base::ErrorKind::rejected, base::ErrorCode::conflict,
                         path.string() + " is there already",
                         "it is kept as it is; move it away, or choose another name"};
    }
    return cannot("write", path, error);
  }
  sync_folder(path);
  return {};
}

}  // namespace

base::Result<std::string> read_secret_file(const fs::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) {
    return errno == ELOOP ? refused(path, "it is a link", "name the file itself")
                          : cannot("read", path, errno);
  }
  struct stat found {};
  if (::fstat(file.fd(), &found) != 0) {
    return cannot("read", path, errno);
  }
  if (const base::Status good = check(path, found); !good.ok()) {
    return good.error();
  }
  std::string contents(secret_file_bytes_max, '\0');
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < contents.size();) {
    got = ::read(file.fd(), contents.data() + size, contents.size() - size);
    if (got < 0 && errno != EINTR) {
      return cannot("read", path, errno);
    }
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
    got = got < 0 ? 1 : got;
  }
  contents.resize(size);
  return contents;
}

base::Status create_secret_file(const fs::path& path, const std::string& contents) {
  return put(path, contents, Existing::stays);
}

base::Status replace_secret_file(const fs::path& path, const std::string& contents) {
  return put(path, contents, Existing::goes);
}

}  // namespace fastgpu::security
