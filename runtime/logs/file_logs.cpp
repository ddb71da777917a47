#include "runtime/logs/file_logs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "runtime/base/limits.hpp"

namespace fastgpu::logs {
namespace {

namespace fs = std::filesystem;

base::Error failed(const char* action, const std::string& path) {
  return {base::ErrorKind::unavailable, base::ErrorCode::internal,
          std::string("cannot ") + action + " " + path + ": " + std::strerror(errno), ""};
}

/// "17.2"; nothing for files of somebody else.
std::optional<LogFileName> parse_name(const std::string& text) {
  LogFileName name;
  const char* end = text.data() + text.size();
  const auto job = std::from_chars(text.data(), end, name.job.value);
  if (job.ec != std::errc() || job.ptr == end || *job.ptr != '.') {
    return std::nullopt;
  }
  const auto segment = std::from_chars(job.ptr + 1, end, name.segment);
  if (segment.ec != std::errc() || segment.ptr != end || name.segment == 0) {
    return std::nullopt;
  }
  return name;
}

/// All of `data` at `offset`; false with errno set.
bool write_all(int file, std::uint64_t offset, std::span<const std::uint8_t> data) {
  for (std::size_t done = 0; done < data.size();) {
    const ssize_t put =
        ::pwrite(file, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (put > 0) {
      done += static_cast<std::size_t>(put);
    } else if (put == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

base::Result<std::unique_ptr<FileLogs>> FileLogs::open(std::string path) {
  std::error_code error;
  if (fs::create_directories(path, error)) {
    fs::permissions(path, fs::perms::owner_all, error);
  }
  if (!error && !fs::is_directory(path, error) && !error) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) {
    return base::Error{base::ErrorKind::invalid, base::ErrorCode::bad_argument,
                       "cannot make the logs folder " + path + ": " + error.message(), ""};
  }
  return std::unique_ptr<FileLogs>(new FileLogs(std::move(path)));
}

FileLogs::~FileLogs() {
  while (!open_.empty()) {
    forget(open_.begin());
  }
}

base::Result<std::vector<LogFileEntry>> FileLogs::list() const {
  std::vector<LogFileEntry> entries;
  std::error_code error;
  for (fs::directory_iterator folder(path_, error), end; !error && folder != end;
       folder.increment(error)) {
    if (!folder->is_directory(error) || error) {
      continue;
    }
    for (fs::directory_iterator file(folder->path(), error); !error && file != end;
         file.increment(error)) {
      const auto name = parse_name(file->path().filename().string());
      if (name && file->is_regular_file(error)) {
        entries.push_back({*name, file->file_size(error)});
      }
    }
  }
  if (error) {
    return base::Error{base::ErrorKind::lost, base::ErrorCode::corrupt,
                       "cannot read the logs folder " + path_ + ": " + error.message(), ""};
  }
  std::sort(entries.begin(), entries.end(),
            [](const LogFileEntry& a, const LogFileEntry& b) { return a.name < b.name; });
  return entries;
}

base::Result<base::Bytes> FileLogs::read(const LogFileName& name, std::uint64_t offset,
                                         std::uint64_t length) {
  const int file = use(name, false);
  std::vector<std::uint8_t> data(file < 0 ? 0 : length);
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t got =
        ::pread(file, data.data() + done, data.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) {
      break;
    }
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return failed("read", full(name));
    }
  }
  if (file < 0) {
    return failed("open", full(name));
  }
  data.resize(done);
  return base::Bytes(std::move(data));
}

base::Status FileLogs::append(const LogFileName& name, std::uint64_t size_bytes,
                              std::span<const std::uint8_t> data) {
  const int file = use(name, true);
  if (file < 0) {
    return failed("make", full(name));
  }
  if (!write_all(file, size_bytes, data)) {
    const base::Error error = failed("write", full(name));
    // What was written in part is cut off again; where even that fails, the next write covers it.
    (void)!::ftruncate(file, static_cast<off_t>(size_bytes));
    return error;
  }
  return {};
}

base::Status FileLogs::overwrite(const LogFileName& name, std::uint64_t offset,
                                 std::span<const std::uint8_t> data) {
  const int file = use(name, false);
  if (file < 0 || !write_all(file, offset, data)) {
    return failed("write", full(name));
  }
  return {};
}

void FileLogs::remove(const LogFileName& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    forget(found->second);
  }
  ::unlink(full(name).c_str());
}

std::string FileLogs::folder_of(const LogFileName& name) const {
  std::array<char, 4> digits{};
  std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned>(name.job.value & 0xff));
  return path_ + "/" + digits.data();
}

std::string FileLogs::full(const LogFileName& name) const {
  return folder_of(name) + "/" + std::to_string(name.job.value) + "." +
         std::to_string(name.segment);
}

int FileLogs::use(const LogFileName& name, bool make) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    open_.splice(open_.begin(), open_, found->second);
    return found->second->second;
  }
  if (make && ::mkdir(folder_of(name).c_str(), 0700) != 0 && errno != EEXIST) {
    return -1;
  }
  const int file =
      ::open(full(name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (make ? O_CREAT : 0), 0600);
  if (file < 0) {
    return -1;
  }
  open_.emplace_front(name, file);
  by_name_[name] = open_.begin();
  if (open_.size() > base::limits::log_files_open_max) {
    forget(std::prev(open_.end()));
  }
  return file;
}

void FileLogs::forget(Open::iterator file) {
  ::close(file->second);
  by_name_.erase(file->first);
  open_.erase(file);
}

}  // namespace fastgpu::logs
