#include "runtime/objects/file_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "runtime/base/check.hpp"

namespace fastgpu::objects {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const char* action, const std::string& path, int line) {
  const std::string why = path + ": " + std::strerror(errno);
  base::check_failed(action, __FILE__, line, why.c_str());
}

/// An open file, closed at the end of its scope.
class File {
 public:
  File(const std::string& path, int flags) : file_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return file_ >= 0; }
  int get() const { return file_; }

 private:
  int file_;
};

bool no_room() {
  return errno == ENOSPC || errno == EDQUOT;
}

void sync_path(const std::string& path, int flags) {
  const File file(path, flags);
  if (!file || ::fsync(file.get()) != 0) {
    fail("blob sync", path, __LINE__);
  }
}

base::Error read_error(const std::string& path, const std::string& what) {
  return {base::ErrorKind::lost, base::ErrorCode::corrupt, "cannot read " + path + ": " + what, ""};
}

}  // namespace

base::Result<std::unique_ptr<FileFolder>> FileFolder::open(std::string path) {
  std::error_code error;
  if (fs::create_directories(path, error)) {
    fs::permissions(path, fs::perms::owner_all, error);
  }
  if (!error && !fs::is_directory(path, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "cannot make the objects folder " + path + ": " + error.message(), ""};
  }
  return std::unique_ptr<FileFolder>(new FileFolder(std::move(path)));
}

base::Result<std::vector<FileEntry>> FileFolder::list() const {
  std::vector<FileEntry> entries;
  std::error_code error;
  for (fs::directory_iterator folder(path_, error), end; !error && folder != end;
       folder.increment(error)) {
    if (!folder->is_directory(error) || error) {
      continue;
    }
    for (fs::directory_iterator file(folder->path(), error); !error && file != end;
         file.increment(error)) {
      const std::uint64_t size = file->is_regular_file(error) ? file->file_size(error) : 0;
      entries.push_back(
          {folder->path().filename().string() + "/" + file->path().filename().string(), size});
    }
  }
  if (error) {
    return read_error(path_, error.message());
  }
  std::sort(entries.begin(), entries.end(),
            [](const FileEntry& a, const FileEntry& b) { return a.name < b.name; });
  return entries;
}

base::Result<base::Bytes> FileFolder::read(std::string_view name, std::uint64_t offset,
                                           std::uint64_t length) const {
  const File file(full(name), O_RDONLY);
  if (!file) {
    return read_error(full(name), std::strerror(errno));
  }
  std::vector<std::uint8_t> data(length);
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t got = ::pread(file.get(), data.data() + done, data.size() - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return read_error(full(name), std::strerror(errno));
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  data.resize(done);
  return base::Bytes(std::move(data));
}

bool FileFolder::write(std::string_view name, std::uint64_t offset,
                       std::span<const std::uint8_t> data) {
  if (!make_folder_of(name)) {
    return false;
  }
  const File file(full(name), O_WRONLY | O_CREAT);
  if (!file) {
    if (no_room()) {
      return false;
    }
    fail("blob file", full(name), __LINE__);
  }
  if (::ftruncate(file.get(), static_cast<off_t>(offset)) != 0) {
    fail("blob truncate", full(name), __LINE__);
  }
  for (std::size_t done = 0; done < data.size();) {
    const ssize_t put = ::pwrite(file.get(), data.data() + done, data.size() - done,
                                 static_cast<off_t>(offset + done));
    if (put >= 0) {
      done += static_cast<std::size_t>(put);
    } else if (no_room()) {
      if (::ftruncate(file.get(), static_cast<off_t>(offset)) != 0) {
        fail("blob truncate", full(name), __LINE__);
      }
      return false;
    } else if (errno != EINTR) {
      fail("blob write", full(name), __LINE__);
    }
  }
  return true;
}

std::uint64_t FileFolder::bytes_free() const {
  struct statvfs disk {};
  return ::statvfs(path_.c_str(), &disk) == 0 ? disk.f_bavail * disk.f_frsize : 0;
}

void FileFolder::sync_file(std::string_view name) {
  sync_path(full(name), O_RDONLY);
}

void FileFolder::rename(std::string_view from, std::string_view to) {
  if (!make_folder_of(to) || std::rename(full(from).c_str(), full(to).c_str()) != 0) {
    fail("blob rename", full(to), __LINE__);
  }
}

void FileFolder::remove(std::string_view name) {
  if (::unlink(full(name).c_str()) != 0 && errno != ENOENT) {
    fail("blob remove", full(name), __LINE__);
  }
}

void FileFolder::sync_folder(std::string_view folder) {
  sync_path(full(folder), O_RDONLY | O_DIRECTORY);
  if (const auto found = new_folders_.find(folder); found != new_folders_.end()) {
    sync_path(path_, O_RDONLY | O_DIRECTORY);
    new_folders_.clear();
  }
}

std::string FileFolder::full(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

bool FileFolder::make_folder_of(std::string_view name) {
  const std::string folder(name.substr(0, name.find('/')));
  if (folders_.contains(folder)) {
    return true;
  }
  if (::mkdir(full(folder).c_str(), 0700) != 0 && errno != EEXIST) {
    if (no_room()) {
      return false;
    }
    fail("blob folder", full(folder), __LINE__);
  }
  folders_.insert(folder);
  new_folders_.insert(folder);  // one that was there may come from a life that died before its sync
  return true;
}

}  // namespace fastgpu::objects
