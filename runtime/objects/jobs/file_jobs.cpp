#include "runtime/objects/jobs/file_jobs.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/objects/blob_errors.hpp"
#include "runtime/objects/jobs/job_paths.hpp"

namespace fastgpu::objects {
namespace {

constexpr const char* trash_name = ".trash";  // no job folder begins with a dot

base::Error open_error(const std::string& path, const std::string& why) {
  return {base::ErrorKind::invalid, base::ErrorCode::bad_argument,
          "cannot make the jobs folder " + path + ": " + why, ""};
}

bool is_dots(const char* name) {
  return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

}  // namespace

OwnedFile::~OwnedFile() {
  if (file_ >= 0) {
    const int before = errno;  // the caller looks at the failure that made it let go
    ::close(file_);
    errno = before;
  }
}

OwnedFile& OwnedFile::operator=(OwnedFile&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

int OwnedFile::release() {
  return std::exchange(file_, -1);
}

base::Result<std::unique_ptr<FileJobs>> FileJobs::open(std::string path, FileJobsOptions options) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) {
    return open_error(path, error.message());
  }
  OwnedFile root(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root || ::fchmod(root.get(), 0711) != 0) {
    return open_error(path, std::strerror(errno));
  }
  if (::mkdirat(root.get(), trash_name, 0700) != 0 && errno != EEXIST) {
    return open_error(path, std::strerror(errno));
  }
  OwnedFile trash(
      ::openat(root.get(), trash_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!trash) {
    return open_error(path, std::strerror(errno));
  }
  std::unique_ptr<FileJobs> jobs(
      new FileJobs(std::move(path), options, std::move(root), std::move(trash)));
  const OpenFolder folder(::fdopendir(::openat(jobs->trash_.get(), ".", O_RDONLY | O_CLOEXEC)));
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    std::uint64_t number = 0;
    std::from_chars(entry->d_name, entry->d_name + std::strlen(entry->d_name), number);
    jobs->last_trash_ = std::max(jobs->last_trash_, number);
  }
  return jobs;
}

OwnedFile FileJobs::open_below(const std::string& path, int flags, unsigned mode) const {
  if (!options_.walk) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_NOFOLLOW | O_CLOEXEC);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    const long file = ::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof(how));
    if (file >= 0 || (errno != ENOSYS && errno != EPERM)) {
      return OwnedFile(static_cast<int>(file));
    }
  }
  return walk_below(path, flags, mode);
}

OwnedFile FileJobs::walk_below(const std::string& path, int flags, unsigned mode) const {
  OwnedFile at(::openat(root_.get(), ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); at && slash != std::string::npos;
       slash = path.find('/', begin)) {
    const std::string part = path.substr(begin, slash - begin);
    at = OwnedFile(::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    begin = slash + 1;
  }
  return at ? OwnedFile(
                  ::openat(at.get(), path.c_str() + begin, flags | O_NOFOLLOW | O_CLOEXEC, mode))
            : std::move(at);
}

base::Error FileJobs::error_of(const std::string& path, const char* action,
                               std::uint64_t bytes) const {
  const int why = errno;
  if (why == ENOSPC || why == EDQUOT) {
    return disk_full(bytes, bytes_free());
  }
  if (why == EEXIST) {
    return {base::ErrorKind::rejected, base::ErrorCode::conflict,
            "the job folder or file " + path + " is there already", ""};
  }
  const std::string name = path.substr(std::min(path.find('/'), path.size() - 1) + 1);
  if (why == ENOENT || why == ENOTDIR) {
    return output_missing(name, "is not there");
  }
  if (why == ELOOP || why == EXDEV) {
    return output_missing(name, "is behind a link or a mount, which is not followed");
  }
  return output_missing(name, std::string("cannot be ") + action + ": " + std::strerror(why));
}

base::Status FileJobs::make_at(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  const OwnedFile above = open_below(parent, O_PATH | O_DIRECTORY);
  const char* name = path.c_str() + (slash == std::string::npos ? 0 : slash + 1);
  if (!above || ::mkdirat(above.get(), name, 0700) != 0) {
    return error_of(path, "made");
  }
  return {};
}

base::Status FileJobs::make(const std::string& folder) {
  return make_at(folder);
}

base::Status FileJobs::make_folder(const std::string& folder, const std::string& path) {
  return make_at(joined(folder, path));
}

base::Status FileJobs::make_file(const std::string& folder, const std::string& path,
                                 bool executable) {
  const std::string whole = joined(folder, path);
  const unsigned mode = executable ? 0700 : 0600;
  const OwnedFile file = open_below(whole, O_CREAT | O_EXCL | O_WRONLY, mode);
  if (!file || ::fchmod(file.get(), mode) != 0) {
    return error_of(whole, "made");
  }
  return {};
}

base::Status FileJobs::append(const std::string& folder, const std::string& path,
                              std::span<const std::uint8_t> data) {
  const std::string whole = joined(folder, path);
  const OwnedFile file = open_below(whole, O_WRONLY | O_APPEND);
  for (std::size_t done = 0; file && done < data.size();) {
    const ssize_t put = ::write(file.get(), data.data() + done, data.size() - done);
    if (put < 0 && errno != EINTR) {
      return error_of(whole, "written", data.size() - done);
    }
    done += put > 0 ? static_cast<std::size_t>(put) : 0;
  }
  return file ? base::Status() : base::Status(error_of(whole, "written"));
}

bool FileJobs::clone(const std::string& folder, const std::string& path,
                     const std::string& source) {
  const OwnedFile from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  const OwnedFile to = open_below(joined(folder, path), O_WRONLY);
  return from && to && ::ioctl(to.get(), FICLONE, from.get()) == 0;
}

base::Result<JobFileInfo> FileJobs::info(const std::string& folder, const std::string& path) {
  const std::string whole = joined(folder, path);
  const OwnedFile file = open_below(whole, O_PATH);
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0) {
    return error_of(whole, "read");
  }
  JobFileInfo result;
  result.kind = S_ISREG(found.st_mode)   ? JobFileKind::file
                : S_ISDIR(found.st_mode) ? JobFileKind::folder
                                         : JobFileKind::other;
  result.size_bytes = S_ISREG(found.st_mode) ? static_cast<std::uint64_t>(found.st_size) : 0;
  result.executable = S_ISREG(found.st_mode) && (found.st_mode & S_IXUSR) != 0;
  return result;
}

base::Result<base::Bytes> FileJobs::read(const std::string& folder, const std::string& path,
                                         std::uint64_t offset, std::uint64_t length) {
  const std::string whole = joined(folder, path);
  // A pipe must not block us; it is refused below.
  const OwnedFile file = open_below(whole, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0) {
    return error_of(whole, "read");
  }
  if (!S_ISREG(found.st_mode)) {
    return output_missing(path, "is no file");
  }
  std::vector<std::uint8_t> data(length);
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t got = ::pread(file.get(), data.data() + done, data.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno != EINTR) {
      return error_of(whole, "read");
    }
    if (got == 0) {
      break;
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  data.resize(done);
  return base::Bytes(std::move(data));
}

base::Result<std::vector<std::string>> FileJobs::names(const std::string& folder,
                                                       const std::string& path,
                                                       std::size_t names_max) {
  const std::string whole = joined(folder, path);
  OwnedFile file = open_below(whole, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  const OpenFolder open(file ? ::fdopendir(file.get()) : nullptr);
  if (!open) {
    return error_of(whole, "listed");
  }
  file.release();  // the open folder closes it
  std::vector<std::string> found;
  while (const dirent* entry = ::readdir(open.get())) {
    if (is_dots(entry->d_name)) {
      continue;
    }
    if (found.size() == names_max) {
      return too_large("a folder of files", found.size() + 1, names_max);
    }
    found.emplace_back(entry->d_name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::uint64_t FileJobs::bytes_free() const {
  struct statvfs disk {};
  return ::fstatvfs(root_.get(), &disk) == 0 ? disk.f_bavail * disk.f_frsize : 0;
}

}  // namespace fastgpu::objects
